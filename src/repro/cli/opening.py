"""The project around a folder, as this process was started: its environment and its clock."""

import os
import time
from pathlib import Path

from repro.core.project import Project, open_project
from repro.errors import NotARepositoryError


def open_around(folder: str = "") -> Project:
    """The project around a folder, the current one by default.

    Raises:
        NotARepositoryError: There is none.
    """
    try:
        cwd = Path.cwd() / folder
    except FileNotFoundError as error:  # such as by a checkout of what has no such folder
        raise NotARepositoryError(
            "the current folder does not exist any more", hint="change to one that does"
        ) from error
    environ = dict(os.environ)
    now = environ.pop("REPRO_NOW", None)  # only tests set it, so that times and ids are stable
    if now is None:
        return open_project(cwd, environ=environ, clock=time.time, entropy=os.urandom)
    moment = float(now)
    import random  # noqa: PLC0415  # for tests alone

    seed = random.Random(environ.pop("REPRO_SEED", ""))  # noqa: S311  # ids of a test are no secret
    return open_project(cwd, environ=environ, clock=lambda: moment, entropy=seed.randbytes)
