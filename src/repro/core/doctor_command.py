"""Whether a run's command can be started as it was: program, script, arguments, randomness."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from repro.core.command import resolve_command
from repro.core.project import Project
from repro.core.query import code_of
from repro.core.randomness import replay_randomness
from repro.errors import CommandError
from repro.model.diagnosis import Item, degraded, missing, ok
from repro.model.needs import EXCLUDED, SECRETS, list_redacted
from repro.model.run import Record
from repro.model.text import is_argument
from repro.store.interpreter import is_python_name

_SUBMODULE = "160000"


def check_command(project: Project, record: Record) -> Iterator[Item]:
    """Look for the program of a run, and for the script that a Python would read."""
    run = record.run
    if not run.command or not run.command[0]:
        yield missing("command", "the record names no command")
        return
    script = _find_script(run.command)
    if script is not None and _is_recorded(project, record, script) is False:
        hint = "`git add -f` lets later runs have it"
        yield missing("command", f"`{script}` is in no record, for git ignores it", hint)
    else:
        yield _check_program(project, record)


def _check_program(project: Project, record: Record) -> Item:
    run, root = record.run, project.repository.root
    program = run.command[0]
    is_recorded = _is_recorded(project, record, program) if "/" in program else None
    if is_recorded:
        return ok("command", f"`{program}` is in the code of the run")
    folder = root / run.cwd
    try:
        found = resolve_command(
            run.command, cwd=folder if folder.is_dir() else root, environ=project.environ
        )
    except CommandError as error:
        if is_python_name(program):
            hint = f"`repro rerun {run.id} --env recorded` has an interpreter like it"
            return degraded("command", error.message, hint)
        return missing("command", error.message, error.hint)
    if is_recorded is False and not is_python_name(program):
        hint = "`git add -f` lets later runs have it"
        return degraded("command", f"`{program}` is in no record; it lies here as it is now", hint)
    return ok("command", f"`{program}` is `{found.program}`")


def _find_script(command: Sequence[str]) -> str | None:
    """The file that `python [OPTIONS] FILE` reads; None for any other form."""
    if not is_python_name(command[0]):
        return None
    words = iter(command[1:])
    for word in words:
        if word in ("-W", "-X"):
            next(words, None)
        elif not word.startswith("-"):
            return word if word.endswith(".py") else None
        elif word == "-" or word.startswith(("-c", "-m")):
            return None
    return None


def _is_recorded(project: Project, record: Record, word: str) -> bool | None:
    """Whether the snapshot has the file that a word names; None for one it could not have."""
    if not is_argument(word):
        return None
    root = project.repository.root
    path = Path(os.path.normpath(root / record.run.cwd / word))
    top = next((top for top in (root, root.resolve()) if path.is_relative_to(top)), None)
    if top is None:
        return None
    inner = path.relative_to(top)
    names = [part.as_posix() for part in (inner, *inner.parents[:-1])]
    words = ("--literal-pathspecs", "ls-tree", "-z", "--full-tree", code_of(record.run), "--")
    found = project.repository.git.paths(*words, *names)
    if any(line.startswith(_SUBMODULE) for line in found):
        return None
    return any(line.partition("\t")[2] == names[0] for line in found)


def check_secrets(project: Project, record: Record) -> Iterator[Item]:
    """Name the arguments that were not recorded, and the files that were left out as secret."""
    for name, variables in list_redacted(record.run.command).items():
        given = next((one for one in variables if project.environ.get(one)), None)
        if given is not None:
            yield ok("secrets", f"the value of `{name}` comes from `{given}` in your environment")
        else:
            hint = f"set `{variables[0]}` in your environment"
            yield degraded("secrets", f"the value of `{name}` is not recorded", hint)
    for one in record.run.omitted:
        if one.reason in SECRETS:
            is_here = os.path.lexists(project.repository.root / one.path)
            where = "lies here as it is now" if is_here else "is not here"
            detail = f"`{one.path}` {where}; it {one.reason}, so no record has it"
            wish = None if is_here else "put it there if the command reads it"
            yield degraded("secrets", detail, wish)


def check_omitted(project: Project, record: Record) -> Iterator[Item]:
    """Look for the files that the snapshot left out; what they held is not known to anybody."""
    for one in record.run.omitted:
        if one.reason in SECRETS:
            continue
        place = project.repository.root / one.path
        is_here = os.path.lexists(place)
        why = f"`{one.path}` is in no record ({one.reason})"
        keep = "`repro data add --keep PATH` records such files from now on"
        if is_here:
            yield degraded("omitted", f"{why}; it lies here as it is now", keep)
        elif one.reason == EXCLUDED:
            yield degraded("omitted", f"{why}, and is not here", "bring it back if it is read")
        else:
            yield missing("omitted", f"{why}, and is gone", "bring it back if the command reads it")


def check_randomness(record: Record) -> Iterator[Item]:
    """Whether a rerun can give unseeded generators the same numbers."""
    plan = replay_randomness(record)
    if plan is not None and plan.seed is not None:
        yield ok("randomness", f"generators without a seed get theirs again, from {plan.seed}")
    else:
        detail = "not recorded: generators without a seed of their own give other numbers"
        yield degraded("randomness", detail, "`repro run` records it, `repro.seed()` fixes it")
