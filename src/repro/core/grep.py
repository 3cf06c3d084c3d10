"""What runs hold searched for text: their code, configs, notes, outputs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Literal

from repro.core.known import KnownRuns, describe_problem, open_runs
from repro.core.project import Project
from repro.errors import DamagedRecordError
from repro.model.binding import parse_filter
from repro.model.condition import Key, Space
from repro.model.configfile import format_config
from repro.model.ids import shorten_ids
from repro.model.text import escape
from repro.model.values import Value
from repro.store.grep import Hit, Pattern, grep_blobs, grep_texts
from repro.store.objects import Objects, open_objects, parse_tree, read_commit
from repro.store.treeseries import find_trees, list_tree_changes

Part = Literal["code", "config", "note", "output"]
PARTS: tuple[Part, ...] = ("code", "config", "note", "output")

_MANY = 200  # runs from which on importing pygit2 pays off
_FILES: dict[Part, str] = {"config": "config.yaml", "output": "output.log"}
_KEYS = tuple(Key(Space.FIELD, name) for name in ("snapshot", "note"))

_Span = tuple[int, int]
_Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A file in which lines fit, with all the runs that have it just so.

    Attributes:
        path: Of a file of the code, relative to the root; empty otherwise.
        runs: Their ids, newest first; of configs those in which the same lines fit.
    """

    part: Part
    path: str
    hits: Sequence[Hit]
    runs: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search that goes on as its matches are taken.

    Attributes:
        matches: Part by part; in each of them those of the newest run first.
        short: The shortest unique prefix of the id of each run.
        n_runs: How many runs are searched.
        problems: What could not be searched, in words; complete once all matches are taken.
    """

    matches: Iterator[Match]
    short: Mapping[str, str]
    n_runs: int
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A run to search; one in progress has no commit yet."""

    id: str
    commit: str | None
    snapshot: str | None
    note: str | None


def search_runs(
    project: Project,
    pattern: Pattern,
    *,
    where: str = "",
    limit: int | None = None,
    parts: Sequence[Part] = PARTS,
    pathspecs: Sequence[str] = (),
    cwd: Path | None = None,
) -> Search:
    """Search runs for lines that fit a pattern; a text is read once, however many runs have it.

    Args:
        where: A filter over runs; empty is all.
        limit: Only the newest so many of them.
        pathspecs: Only such files of the code.
        cwd: What these are relative to.

    Raises:
        FilterError: The filter is wrong.
        UsageError: The pattern or a pathspec is wrong; it may come with the first match only.

    Cost: that of listing what differs between the codes of neighbouring runs, and of one
    `git grep` over the distinct files.
    """
    problems: list[str] = []
    with open_runs(project) as runs:
        chosen = _choose(runs, where, limit)
        texts = _read_texts(runs, chosen)
        short = shorten_ids(runs.ids)
        problems += map(describe_problem, runs.problems)

    def matches() -> Iterator[Match]:
        for part in parts:
            if part == "code":
                yield from _search_code(project, pattern, chosen, pathspecs, cwd, problems.append)
            elif part == "config":
                yield from _fold(others(part), [run.id for run in chosen])
            else:
                yield from others(part)

    def others(part: Part) -> Iterator[Match]:
        ids, held = [one for one, _ in texts[part]], [text for _, text in texts[part]]
        for number, hits in grep_texts(project.repository.git, held, pattern):
            yield Match(part=part, path="", hits=hits, runs=[ids[number]])
        if part in _FILES:
            yield from _search_files(project, pattern, chosen, part, problems.append)

    return Search(matches=matches(), short=short, n_runs=len(chosen), problems=problems)


def _fold(matches: Iterator[Match], newest_first: Sequence[str]) -> Iterator[Match]:
    """Make one match of all in which the same lines fit, as of configs that differ elsewhere."""
    places = {run_id: place for place, run_id in enumerate(newest_first)}
    found: dict[tuple[Hit, ...], list[Match]] = {}
    for match in matches:
        found.setdefault(tuple(match.hits), []).append(match)
    folded = []
    for same in found.values():
        runs = sorted((one for match in same for one in match.runs), key=places.__getitem__)
        folded.append(replace(same[0], runs=runs))
    yield from sorted(folded, key=lambda match: places[match.runs[0]])


def _choose(runs: KnownRuns, where: str, limit: int | None) -> list[_Chosen]:
    """The runs that fit, newest first."""
    condition = parse_filter(where, runs.index, now=runs.project.clock())
    ids = runs.index.select_ids(condition, limit=limit)
    commits = runs.sealed.commits
    chosen = []
    for run_id, snapshot, note in zip(ids, *runs.index.columns(_KEYS, ids), strict=True):
        commit = None if run_id in runs.live else commits.get(run_id)
        chosen.append(_Chosen(run_id, commit, _text(snapshot), _text(note)))
    return chosen


def _read_texts(runs: KnownRuns, chosen: Sequence[_Chosen]) -> dict[Part, list[tuple[str, bytes]]]:
    """What is in no commit: notes, and what runs in progress have so far, with the run's id."""
    texts: dict[Part, list[tuple[str, bytes]]] = {part: [] for part in PARTS}
    for run in chosen:
        if run.note:
            texts["note"].append((run.id, run.note.encode(errors="surrogateescape")))
        if run.commit is None and run.id in runs.live:
            live = runs.live[run.id]
            texts["config"].append((run.id, format_config(live.record().config)))
            texts["output"].append((run.id, _read_output(live.folder)))
    return texts


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _read_output(folder: Path) -> bytes:
    try:
        return (folder / "output.log").read_bytes()
    except OSError:  # nothing was printed yet, or the run was sealed just now
        return b""


def _search_code(
    project: Project,
    pattern: Pattern,
    chosen: Sequence[_Chosen],
    pathspecs: Sequence[str],
    cwd: Path | None,
    say: _Say,
) -> Iterator[Match]:
    holders = _group_by_tree(project, chosen, say)
    places, read = _place_files(project, holders, pathspecs, cwd, say)
    if pathspecs and read and not places:
        say(f"no code of these runs has a file that fits `{escape(' '.join(pathspecs))}`")
    # Of which runs a span of trees is.
    starts = [0, *accumulate(len(holders[tree]) for tree in read)]
    ids = [run_id for tree in read for run_id in holders[tree]]

    def owners(spans: Sequence[_Span]) -> list[str]:
        return [run_id for start, end in spans for run_id in ids[starts[start] : starts[end]]]

    by_blob: dict[str, dict[str, list[_Span]]] = {}
    for (path, oid), spans in sorted(places.items(), key=lambda item: (item[1][0][0], item[0])):
        by_blob.setdefault(oid, {})[path] = spans

    def missing(oid: str) -> None:
        for path, spans in by_blob[oid].items():
            say(_lacking(f"`{escape(path)}`", owners(spans)))

    git = project.repository.git
    for oid, hits in grep_blobs(git, list(by_blob), pattern, on_missing=missing):
        for path, spans in by_blob[oid].items():
            yield Match(part="code", path=path, hits=hits, runs=owners(spans))


def _group_by_tree(project: Project, chosen: Sequence[_Chosen], say: _Say) -> dict[str, list[str]]:
    """The runs that have each tree as their code, newest first."""
    snapshots = list(dict.fromkeys(run.snapshot for run in chosen if run.snapshot is not None))
    trees = find_trees(project.repository.git, snapshots)
    holders: dict[str, list[str]] = {}
    for run in chosen:
        if run.snapshot in trees:
            holders.setdefault(trees[run.snapshot], []).append(run.id)
    if lost := [run.id for run in chosen if run.snapshot not in trees]:
        say(_lacking("the code", lost))
    return holders


def _place_files(
    project: Project,
    holders: Mapping[str, Sequence[str]],
    pathspecs: Sequence[str],
    cwd: Path | None,
    say: _Say,
) -> tuple[dict[tuple[str, str], list[_Span]], list[str]]:
    """The spans of trees that have each file (path and blob); and the trees, but for lost ones."""
    places: dict[tuple[str, str], list[_Span]] = {}
    current: dict[str, tuple[str, int]] = {}
    read: list[str] = []
    series = list_tree_changes(
        project.repository.git,
        list(holders),
        pathspecs=pathspecs,
        cwd=cwd,
        on_missing=lambda tree: say(_lacking("the code", holders[tree])),
    )

    def close(path: str) -> None:
        if path in current:
            oid, start = current.pop(path)
            places.setdefault((path, oid), []).append((start, len(read)))

    for tree, changes in series:
        for path, oid in changes.items():
            close(path)
            if oid is not None:
                current[path] = (oid, len(read))
        read.append(tree)
    for path in list(current):
        close(path)
    return places, read


def _search_files(
    project: Project, pattern: Pattern, chosen: Sequence[_Chosen], part: Part, say: _Say
) -> Iterator[Match]:
    """Search one file of each record."""
    holders: dict[str, list[str]] = {}
    sealed = [run for run in chosen if run.commit is not None]
    lost: list[str] = []
    objects = open_objects(project.repository, many=len(sealed) >= _MANY)
    try:
        for run in sealed:
            try:
                oid = _find_file(objects, run.commit or "", _FILES[part])
            except DamagedRecordError:
                lost.append(run.id)
                continue
            if oid is not None:
                holders.setdefault(oid, []).append(run.id)
    finally:
        objects.close()
    if lost:
        say(_lacking(f"the {part}", lost))
    blobs = grep_blobs(
        project.repository.git,
        list(holders),
        pattern,
        on_missing=lambda oid: say(_lacking(f"the {part}", holders[oid])),
    )
    for oid, hits in blobs:
        yield Match(part=part, path="", hits=hits, runs=holders[oid])


def _find_file(objects: Objects, commit: str, name: str) -> str | None:
    """The blob of a file at the top of a record."""
    _, payload = objects.read(read_commit(objects, commit).tree)
    found = (entry.oid for entry in parse_tree(payload, len(commit) // 2) if entry.name == name)
    return next(found, None)


def _lacking(what: str, run_ids: Sequence[str]) -> str:
    more = f" and {len(run_ids) - 1} more" if len(run_ids) > 1 else ""
    return f"{what} of run `{run_ids[0]}`{more} cannot be read, and is not searched"
