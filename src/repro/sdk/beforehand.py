"""What scripts written for W&B do before they start a run."""

import secrets
from types import SimpleNamespace

from repro.sdk.notices import say

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class Settings(SimpleNamespace):
    """Settings of W&B, which `init(settings=)` has no use for, and says so."""


def login(*args: object, **others: object) -> bool:  # noqa: ARG001  words of W&B
    """Say that there is no account, and give True: runs are in the repository around us."""
    say("there is nothing to log in to: runs are kept in this git repository")
    return True


def setup(*args: object, **others: object) -> None:
    """Do nothing: there is no service to start."""


def require(*args: object, **others: object) -> None:
    """Do nothing: repro has no features that wait to be asked for."""


def generate_id(length: int = 8) -> str:
    """Give a random text for `init(id=)`, of lower-case letters and digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


util = SimpleNamespace(generate_id=generate_id)
