"""Keys that git signs commits with."""

import subprocess
from pathlib import Path

from tests.support import git


def use_ssh_key(root: Path, folder: Path, *, name: str = "key", passphrase: str = "") -> Path:
    """Have the repository sign with a new ssh key; the key.

    Args:
        folder: Where key and the list of allowed signers are put.
    """
    key = folder / name
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", str(key)]
    subprocess.run(words, check=True)
    git(root, "config", "gpg.format", "ssh")
    git(root, "config", "user.signingKey", str(key))
    return key


def allow_key(root: Path, key: Path, *, email: str = "ada@example.org") -> None:
    """Have the repository know whose the key is."""
    signers = key.with_name("allowed")
    public = key.with_suffix(".pub").read_text()
    with signers.open("a") as file:
        file.write(f"{email} {public}")
    git(root, "config", "gpg.ssh.allowedSignersFile", str(signers))
