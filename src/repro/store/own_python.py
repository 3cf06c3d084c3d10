"""Processes of our own Python, with the packages that this one finds.

They are started anew: this process may be a user's, with threads and a main program that nobody
wants to run again.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from repro.errors import UsageError

# What else is called `sys.executable`, in a program that has Python in it, is not to be started.
_PYTHON = re.compile(r"(python|pypy)[0-9.]*t?\Z")
# Its own path comes first: packages of ours are found there as they are found here.
_LOAD = """
import signal, sys
signal.pthread_sigmask(signal.SIG_SETMASK, ())  # its parent may keep some back for itself
from importlib.util import module_from_spec, spec_from_file_location
package, number = sys.argv[1], int(sys.argv[2])
words, paths = sys.argv[3:3 + number], sys.argv[3 + number:]
spec = spec_from_file_location(
    "repro", package + "/__init__.py", submodule_search_locations=[package])
sys.modules["repro"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["repro"])
sys.path += paths
"""


def own_python(program: str, words: Sequence[str]) -> list[str] | None:
    """Give the command that runs a program which imports from `repro` and finds `words`.

    Returns:
        None where this Python is part of another program, or lies in an archive.
    """
    package = Path(__file__).parents[1]
    python = sys.executable or ""
    if not _PYTHON.match(os.path.basename(python)) or not (package / "__init__.py").exists():  # noqa: PTH119
        return None
    paths = [path for path in sys.path if os.path.isabs(path)]  # noqa: PTH117
    flags = ["-I", "-B"] if sys.dont_write_bytecode else ["-I"]
    return [python, *flags, "-c", _LOAD + program, str(package), str(len(words)), *words, *paths]


def resolve_own_python(program: str) -> list[str]:
    """Give the command of `own_python` where nothing goes without it; it finds no `words`.

    Raises:
        UsageError: This Python is part of another program, or lies in an archive.
    """
    argv = own_python(program, [])
    if argv is None:
        raise UsageError("this Python cannot start another one", hint="run `repro sweep`")
    return argv
