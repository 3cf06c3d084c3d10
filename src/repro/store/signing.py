"""Commits signed and checked by git, with the user's own set-up for that."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from repro.errors import GitError
from repro.model.text import escape
from repro.store.git import Git
from repro.store.quarantine import CommitSpec, Quarantine

PATIENCE_S = 5.0  # a key at hand signs in a tenth of a second; more is somebody being asked

# No program that signs asks anybody: there may be nobody, and a run must not wait for them.
_UNASKED = {
    "DISPLAY": "",
    "GPG_TTY": "",
    "SSH_ASKPASS": "false",
    "SSH_ASKPASS_REQUIRE": "force",
    "WAYLAND_DISPLAY": "",
}
_STATES = {"G": "good", "U": "good", "X": "good", "Y": "good", "B": "bad", "R": "bad"}
_SSH = b"\ngpgsig -----BEGIN SSH SIGNATURE-----"
_SIGNED = re.compile(rb"^gpgsig(?:-sha256)? ", re.MULTILINE)
_LONGEST = 300  # characters of a reason


@dataclass(frozen=True, slots=True)
class Checked:
    """What git says of the signature of a commit; nothing is escaped.

    Attributes:
        state: `good`, `bad`, `unknown key` or `none`.
        signer: Whose key it is as far as git knows; its fingerprint else; empty without any.
    """

    state: str
    signer: str = ""


def sign_commit(quarantine: Quarantine, spec: CommitSpec, *, patiently: bool) -> str:
    """Write a commit of `spec.tree` with the user's signature; give its object id.

    Args:
        patiently: Whether whoever keeps the key may ask the user, for as long as it takes.

    Raises:
        GitError: It cannot be signed; the message says why.
    """
    assert spec.tree is not None
    parents = [word for parent in spec.parents for word in ("-p", str(parent))]
    when = f"{int(spec.when)} +0000"
    env = {**quarantine.env, **({} if patiently else _UNASKED)}
    for role in ("AUTHOR", "COMMITTER"):
        env[f"GIT_{role}_NAME"] = spec.author.name
        env[f"GIT_{role}_EMAIL"] = spec.author.email
        env[f"GIT_{role}_DATE"] = when
    done = quarantine.repository.git.run(
        "-c", "i18n.commitEncoding=utf-8", "commit-tree", "-S", spec.tree, *parents, "-F", "-",
        stdin=spec.message.encode(errors="replace"),
        env=env,
        ok=range(256),
        timeout_s=None if patiently else PATIENCE_S,
    )  # fmt: skip
    if done.code != 0:
        raise GitError(
            f"git cannot sign: {_reason(done.err)}",
            hint="`git commit --allow-empty -S` shows whether git can; `user.signingKey` names "
            "the key, `gpg.format` its kind",
        )
    return done.out.decode().strip()


def _reason(err: str) -> str:
    """The line that says why a signature failed; the last one says only that it did."""
    lines = [line.strip() for line in err.splitlines() if not line.startswith("[GNUPG:]")]
    telling = [line for line in lines if line and not line.startswith(("fatal: ", "hint: "))]
    told = [line.removeprefix("error: ").removeprefix("gpg: ") for line in telling]
    empty = {"gpg failed to sign the data", "gpg failed to sign the data:"}
    reason = next((line for line in told if line not in empty), "")
    reason = reason or next(iter(told), "") or "it does not say why"
    return escape(reason[:_LONGEST])


def is_signed(payload: bytes) -> bool:
    """Whether the content of a commit has a signature, of whatever worth."""
    return _SIGNED.search(payload.partition(b"\n\n")[0]) is not None


def check_commits(
    git: Git, payloads: dict[str, bytes], *, by_network: bool = True
) -> dict[str, Checked]:
    """Have git check the signatures of commits, whose contents are given by object id.

    Args:
        by_network: Whether X.509 signatures are looked at: what checks them asks servers that
            the certificate names whether it was revoked.

    Raises:
        GitError: git cannot read one of them.

    Cost: a git process, and one of the program that checks for each that is signed.
    """
    signed = [oid for oid, payload in payloads.items() if is_signed(payload)]
    found = {oid: Checked("none") for oid in payloads}
    if signed:
        found.update(_ask(git, signed, payloads, by_network=by_network))
    return found


def _ask(
    git: Git, oids: Sequence[str], payloads: dict[str, bytes], *, by_network: bool
) -> dict[str, Checked]:
    words = ("log", "--no-walk=unsorted", "-z", "--format=%H%n%G?%n%GF%n%GS", "--stdin")
    settings = ["-c", "log.showSignature=false"]
    settings += [] if by_network else ["-c", "gpg.x509.program=false"]
    listed = git.run(*settings, *words, stdin="\n".join(oids).encode()).out
    found = {}
    for entry in filter(None, listed.decode(errors="replace").split("\0")):
        oid, letter, key, signer = entry.split("\n", 3)
        # An ssh key that nobody is named for has a valid signature too, by whomever.
        is_anybody = letter == "U" and _SSH in payloads[oid]
        state = "unknown key" if is_anybody else _STATES.get(letter, "unknown key")
        found[oid] = Checked(state, signer.strip() or key.strip())
    return found
