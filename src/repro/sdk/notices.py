"""What the face tells the person who trains: warnings, and single lines on standard error."""

import sys
import warnings
from pathlib import Path

_PACKAGE = str(Path(__file__).parents[1])


class RecordingWarning(UserWarning):
    """Something of a run could not be recorded; the program goes on."""


def warn(message: str) -> None:
    """Warn at the line of the program that called into repro."""
    level = 1
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
        level += 1
    warnings.warn(f"repro: {message}", RecordingWarning, stacklevel=level)


def say(message: str) -> None:
    """Write one line to standard error, if there is one."""
    if sys.stderr is not None:
        sys.stderr.write(f"repro: {message}\n")
