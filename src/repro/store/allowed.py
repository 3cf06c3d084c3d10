"""Secrets that the user lets pass in this clone, by their fingerprints."""

from repro.store.git import Git

ALLOW = "repro.allowSecret"


def allowed_secrets(git: Git) -> frozenset[str]:
    """Give the fingerprints of `git config --get-all repro.allowSecret`."""
    done = git.run("config", "--get-all", ALLOW, ok=(0, 1))
    return frozenset(done.out.decode(errors="replace").split())
