"""How a run is named: which id a text stands for."""

import re
from collections.abc import Sequence
from contextlib import suppress

from repro.core.known import KnownRuns, open_runs, read_run
from repro.core.project import Project
from repro.errors import AmbiguousRunError, ReproError, UnknownRunError
from repro.model.canonical import parse_json
from repro.model.ids import is_id_prefix, shorten_ids
from repro.model.text import escape
from repro.store.objects import read_file, reading
from repro.store.refs import REMOTES, RUNS, UNDO, list_refs
from repro.store.trash import list_trash_refs, read_trash

_NTH = re.compile(r"@(?:\{(\d{1,9})\})?\Z")
_ANCESTOR = re.compile(r"(.+)~(\d{0,4})\Z", re.DOTALL)
_LONGEST = 1024  # characters of what can name a run
_CANDIDATES = 10  # named when too much fits


def find_ids(project: Project, names: Sequence[str]) -> list[str]:
    """The ids of the runs that are named; no run is looked at where none is.

    Raises:
        UnknownRunError, AmbiguousRunError: As `find_id`.
    """
    if not names:
        return []
    with open_runs(project) as runs:
        runs.sealed.look_up(names)  # one question to git for those that are whole ids
        return [find_id(runs, name) for name in names]


def find_id(runs: KnownRuns, text: str) -> str:
    """The id of the run that `text` names.

    Raises:
        UnknownRunError: Nothing is called that; near names are given.
        AmbiguousRunError: Several ids start like that.
        DamagedRecordError: It is in progress, and its folder cannot be read.
    """
    is_ref = text.startswith((RUNS, REMOTES))
    base, steps = text.rpartition("/")[2] if is_ref else text, 0
    while len(text) <= _LONGEST:
        found = _find_base(runs, base)
        if found is not None:
            return _find_ancestor(runs, found, steps)
        match = _ANCESTOR.match(base)
        if match is None:
            break
        base, steps = match[1], steps + int(match[2] or 1)
    raise _unknown(runs, text)


def _find_base(runs: KnownRuns, text: str) -> str | None:
    if text in runs:
        return text
    if match := _NTH.match(text):
        return _find_nth(runs, int(match[1] or 0))
    if text == "@{-1}":
        return _find_restored(runs)
    return runs.index.named(text) or _find_prefix(runs, text)


def _find_nth(runs: KnownRuns, n: int) -> str:
    found = runs.index.nth(n)
    if found is not None:
        return found
    number = runs.index.count()
    if not number:
        raise UnknownRunError("there is no run yet", hint="`repro run -- CMD` records one")
    raise UnknownRunError(
        f"`@{{{n}}}` goes too far back: there are {number} runs", hint="`repro ls` lists them"
    )


def _find_restored(runs: KnownRuns) -> str:
    """The run last checked out in this worktree, from what restores keep for `repro undo`."""
    repository = runs.project.repository
    is_main = repository.git_dir.resolve() == repository.common_dir
    here = None if is_main else repository.git_dir.name  # as undo.json names the worktree
    refs = list_refs(repository.git, UNDO)
    numbers = {ref: int(ref.removeprefix(UNDO)) for ref in refs if ref[len(UNDO) :].isdecimal()}
    with reading(repository) as objects:
        for ref in sorted(numbers, key=numbers.__getitem__, reverse=True):
            said = read_file(objects, refs[ref], "undo.json")
            entry = parse_json(said, name="undo.json") if said else None
            if isinstance(entry, dict) and entry.get("worktree") == here:
                target = entry.get("target")
                if isinstance(target, str) and target in runs:
                    return target
                if isinstance(target, str):
                    _refuse_removed(runs, target)
    raise UnknownRunError("no run was checked out here", hint="`repro checkout RUN` does that")


def _find_prefix(runs: KnownRuns, text: str) -> str | None:
    if not is_id_prefix(text):
        return None
    found = runs.starting(text)
    if len(found) > 1:
        listed = ", ".join(f"`{run_id}`" for run_id in found[:_CANDIDATES])
        more = f" and {len(found) - _CANDIDATES} more" if len(found) > _CANDIDATES else ""
        raise AmbiguousRunError(
            f"`{text}` could be {len(found)} runs: {listed}{more}",
            candidates=found,
            hint="give more characters of the id",
        )
    return found[0] if found else None


def _find_ancestor(runs: KnownRuns, run_id: str, steps: int) -> str:
    for _ in range(steps):
        parent = read_run(runs, run_id).run.parent
        if parent is None:
            raise UnknownRunError(
                f"run `{run_id}` has no parent run", hint=f"`repro show {run_id}` shows it"
            )
        if parent not in runs:
            _refuse_removed(runs, parent)
            raise UnknownRunError(
                f"run `{parent}`, the parent of `{run_id}`, is not in this repository",
                hint="`repro ls` lists the runs that are",
            )
        run_id = parent
    return run_id


def _refuse_removed(runs: KnownRuns, text: str) -> None:
    """Come back unless `text` names a run in the trash: its id, the start of that, or its name.

    Raises:
        UnknownRunError: It does; how it comes back is said.
    """
    repository = runs.project.repository
    refs = list_trash_refs(repository.git)
    if not refs:
        return
    with reading(repository) as objects:
        for run_id, commit in refs.items():
            is_meant = is_id_prefix(text) and run_id.startswith(text)
            with suppress(ReproError):
                is_meant = is_meant or read_trash(objects, run_id, commit).name == text
            if is_meant:
                raise UnknownRunError(
                    f"run `{run_id}` is in the trash",
                    hint=f"`repro restore {run_id}` brings it back",
                )


def _unknown(runs: KnownRuns, text: str) -> UnknownRunError:
    from repro.core.formername import find_renamed  # noqa: PLC0415  # likewise
    from repro.model.nearest import say_meant  # noqa: PLC0415  # difflib, for errors only

    _refuse_removed(runs, text)
    if is_id_prefix(text):
        runs.refuse_unreadable(text)
    shown = escape(text if len(text) <= 80 else f"{text[:77]}...")
    renamed = find_renamed(runs, text)
    if renamed is not None:
        now = f"`{escape(renamed.name)}`" if renamed.name else "without a name now"
        short = runs.shorten([renamed.id])[renamed.id]
        return UnknownRunError(
            f"there is no run `{shown}`: run {short}, which was called so, is {now}",
            hint=f"`repro show {short} --history` says who renamed it",
        )
    known = [*runs.index.run_names(), *shorten_ids(runs.ids).values()]
    return UnknownRunError(
        f"there is no run `{shown}`{say_meant(text, known)}", hint="`repro ls` lists the runs"
    )
