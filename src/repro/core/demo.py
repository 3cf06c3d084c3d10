"""A small real experiment: Iris by softmax regression, in a repository of its own.

Source of the data: R. A. Fisher, "The use of multiple measurements in taxonomic problems",
Annals of Eugenics 7, 1936: the 150 rows of the paper, in the public domain. (The copy in the
UCI Machine Learning Repository differs from it in two rows.)
"""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from repro.errors import InvalidInputError
from repro.model.run import Record
from repro.store.git import Git, clean_environment

_FILES = ("train.py", "iris.csv")
_EDIT = ("MOMENTUM = 0.0 ", "MOMENTUM = 0.9 ")


def make_experiment(folder: Path, environ: Mapping[str, str]) -> None:
    """Put the experiment into `folder`, as the first commit of a new git repository.

    Raises:
        InvalidInputError: The folder is there and not empty, is a file, or cannot be made.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInputError(
            f"`{folder}` is not an empty folder", hint="`repro demo` alone makes a temporary one"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(
            f"cannot make `{folder}`: {error.strerror}", hint="`repro demo` makes a temporary one"
        ) from error
    for name in _FILES:
        (folder / name).write_bytes(files("repro").joinpath("demo", name).read_bytes())
    git = Git(folder, clean_environment(environ))
    git.run("init", "--quiet", "--initial-branch=main")
    git.run("add", "--all")
    # An identity of its own: the user may have none yet.
    who = ("-c", "user.name=repro demo", "-c", "user.email=demo@localhost")
    git.run(*who, "commit", "--quiet", "--message=Iris by softmax regression")


def edit_script(folder: Path) -> None:
    """Change one line of the training script, and commit nothing."""
    script = folder / "train.py"
    script.write_text(script.read_text().replace(*_EDIT))


def best_run(records: list[Record], metric: str) -> Record:
    """The run with the lowest last value of `metric`."""
    return min(records, key=lambda record: record.metrics[metric].last)
