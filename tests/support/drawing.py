"""Random bytes that a test draws again when it is run again."""

import os
import random

_system = random.SystemRandom()
_generator: random.Random = _system


def seed_draws(test: str) -> None:
    """Let `draw` give what it gave when this test was run before: what fails can be looked at."""
    global _generator
    _generator = random.Random(test)


def draw(n_bytes: int) -> bytes:
    """Random bytes for ids."""
    return _generator.randbytes(n_bytes)


def _leave_to_the_parent() -> None:
    global _generator
    _generator = _system  # or two processes would draw the same ids


os.register_at_fork(after_in_child=_leave_to_the_parent)
