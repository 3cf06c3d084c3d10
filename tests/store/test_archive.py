"""An archive is believed when it is what FORMAT.md says, and refused by name otherwise."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.support import git
from tests.support.records import make_record, open_at, run_id, write_archive, write_run

from repro.errors import DamagedRecordError
from repro.model.run import Record
from repro.store.archive import MOST, format_lines, read_archive, read_archives
from repro.store.git import Git, Repository
from repro.store.index import RunIndex
from repro.store.objects import reading
from repro.store.refs import ARCHIVE, REMOTES, RUNS, RunPlace, RunRefs

NAME, OTHER = run_id("xaaa"), run_id("yaaa")
REF = ARCHIVE + NAME


@pytest.fixture
def runs(repository: Path) -> tuple[Repository, list[Record]]:
    """A repository with three runs, the newest first."""
    opened = open_at(repository)
    return opened, [write_run(opened, make_record()) for _ in range(3)][::-1]


def by_id(records: list[Record]) -> dict[str, str]:
    return {record.run.id: record.commit for record in records}


def forget(repository: Repository, records: list[Record]) -> None:
    for record in records:
        git(repository.root, "update-ref", "-d", RUNS + record.run.id)


def ask(repository: Repository) -> tuple[list[Record], list[str]]:
    """The runs, and what the index says of those that it cannot give."""
    refs = RunRefs(repository, now_ns=lambda: time.time_ns() + 60_000_000_000)
    with RunIndex(repository, refs) as index:
        return index.select(), [f"{one.id}: {one.error.message}" for one in index.problems]


@pytest.mark.parametrize("ref", [REF, f"{REMOTES}lab/gpu/archive/{NAME}"])
def test_runs_in_an_archive_are_there_as_any_others(
    runs: tuple[Repository, list[Record]], ref: str
) -> None:
    repository, expected = runs
    commit = write_archive(repository, by_id(expected), ref)
    forget(repository, expected)
    assert ask(repository) == (expected, [])
    remote = "lab/gpu" if ref != REF else ""
    for record in expected:
        one = RunRefs(repository)
        assert one[record.run.id] == record.commit
        assert one.starting(record.run.id[:8]) == [record.run.id]
        assert one.places(record.run.id) == [RunPlace(ref, record.commit, remote, is_archived=True)]
    assert RunRefs(repository).own == ({} if remote else dict(sorted(by_id(expected).items())))
    with reading(repository) as objects:
        assert dict(read_archive(objects, commit).items()) == by_id(expected)


def test_an_own_ref_counts_more_and_a_remote_less(runs: tuple[Repository, list[Record]]) -> None:
    repository, [third, second, first] = runs
    root = repository.root
    write_archive(repository, by_id([third, second]), REF)
    git(root, "update-ref", f"{REMOTES}origin/{third.run.id}", first.commit)
    git(root, "update-ref", f"{REMOTES}origin/archive/{OTHER}", first.commit)
    git(root, "update-ref", "-d", RUNS + third.run.id)
    assert RunRefs(repository)[third.run.id] == third.commit
    git(root, "update-ref", RUNS + second.run.id, first.commit)
    assert RunRefs(repository)[second.run.id] == first.commit
    assert RunRefs(repository).commits[second.run.id] == first.commit


def test_what_was_read_once_is_not_read_again(
    runs: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, expected = runs
    write_archive(repository, by_id(expected), REF)
    forget(repository, expected)
    assert ask(repository)[0] == expected
    monkeypatch.delattr(Git, "spawn")  # the look proves that no ref moved; nothing is read
    assert ask(repository)[0] == expected


def unsorted(runs: Mapping[str, str]) -> bytes:
    return b"\n".join(format_lines(runs).splitlines()[::-1]) + b"\n"


def doubled(runs: Mapping[str, str]) -> bytes:
    first = format_lines(runs).splitlines(keepends=True)[0]
    return first + format_lines(runs)


def of_another_oid(runs: Mapping[str, str]) -> bytes:
    return format_lines(dict.fromkeys(list(runs)[:1], "1" * 40))


def too_many(_: Mapping[str, str]) -> bytes:
    return b"".join(b"%s %040x\n" % (run_id(f"a{n:x}").encode(), n) for n in range(MOST + 1))


def a_million(_: Mapping[str, str]) -> bytes:
    return b"aaaaaaaaaaaa 1111111111111111111111111111111111111111\n" * 1_000_000


FILES: list[tuple[Callable[[Mapping[str, str]], bytes], str]] = [
    (unsorted, "not sorted"),
    (doubled, "not sorted"),
    (of_another_oid, "other commits than its parents"),
    (lambda runs: format_lines(dict(list(runs.items())[:1])), "other commits than its parents"),
    (lambda runs: format_lines(runs)[:-1], "malformed line"),
    (lambda runs: format_lines(runs).upper(), "malformed line"),
    (lambda runs: format_lines(runs).replace(b" ", b"/"), "malformed line"),
    (lambda runs: format_lines(runs).replace(b"\n", b"\r\n"), "malformed line"),
    (lambda _: b"", "malformed line"),
    (lambda _: b"\xff\0" * 40, "malformed line"),
    (too_many, "missing or corrupt"),
    (a_million, "missing or corrupt"),
]


@pytest.mark.parametrize(("make", "reason"), FILES)
def test_an_archive_that_lies_is_named_and_hides_no_other(
    runs: tuple[Repository, list[Record]],
    make: Callable[[Mapping[str, str]], bytes],
    reason: str,
) -> None:
    repository, [third, second, first] = runs
    lines = by_id([second, first])
    files = {"runs": make(lines)}
    write_archive(repository, lines, REF, files=files, parents=[second.commit, first.commit])
    write_archive(repository, by_id([third]), ARCHIVE + OTHER)
    forget(repository, [third, second, first])
    found, problems = ask(repository)
    assert found == [third]
    assert len(problems) == 1
    assert problems[0].startswith(f"{REF}: ")
    assert reason in problems[0]
    assert RunRefs(repository).look_up(lines) == {}
    assert RunRefs(repository).places(second.run.id) == []


@pytest.mark.parametrize("kind", ["blob", "tree", "tag", "commit", "missing"])
def test_what_is_no_archive_is_named(runs: tuple[Repository, list[Record]], kind: str) -> None:
    repository, expected = runs
    root = repository.root
    git(root, "tag", "-a", "-m", "x", "v1")
    oids = {"blob": f"{expected[0].commit}:run.json", "tree": "HEAD^{tree}", "tag": "v1"}
    oid = "1" * 40 if kind == "missing" else git(root, "rev-parse", oids.get(kind, "HEAD"))
    path = repository.common_dir / ARCHIVE / NAME
    path.parent.mkdir(parents=True)
    path.write_text(f"{oid}\n")
    found, problems = ask(repository)
    assert found == expected
    assert [problem.partition(":")[0] for problem in problems] == [REF]


def test_a_run_of_two_archives_is_given_where_they_agree(
    runs: tuple[Repository, list[Record]],
) -> None:
    repository, [third, second, first] = runs
    write_archive(repository, by_id([third, second]), REF)
    write_archive(repository, by_id([third, first]), ARCHIVE + OTHER)
    forget(repository, [third, second, first])
    assert ask(repository) == ([third, second, first], [])
    lies = {third.run.id: first.commit}
    write_archive(repository, lies, ARCHIVE + OTHER)
    assert ask(repository) == ([second], [f"{third.run.id}: two archives disagree on it"])
    git(repository.root, "update-ref", RUNS + third.run.id, third.commit)
    assert ask(repository) == ([third, second], [])


def test_a_line_with_the_id_of_another_run_is_named(
    runs: tuple[Repository, list[Record]],
) -> None:
    repository, [third, second, first] = runs
    write_archive(repository, {NAME: second.commit, first.run.id: first.commit}, REF)
    forget(repository, [second, first])
    found, problems = ask(repository)
    assert found == [third, first]
    assert problems == [f"{NAME}: it says that it is run `{second.run.id}`"]


def test_a_removed_archive_takes_its_runs_with_it(runs: tuple[Repository, list[Record]]) -> None:
    repository, [third, second, first] = runs
    write_archive(repository, by_id([second, first]), REF)
    forget(repository, [second, first])
    assert ask(repository)[0] == [third, second, first]
    git(repository.root, "update-ref", "-d", REF)
    assert ask(repository) == ([third], [])


def test_more_archives_than_are_kept_in_memory_are_read(
    runs: tuple[Repository, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, expected = runs
    monkeypatch.setattr("repro.store.archive._KEPT", 1)
    commits = [
        write_archive(repository, by_id([record]), ARCHIVE + run_id(f"x{n}"))
        for n, record in enumerate(expected)
    ]
    for _ in range(2):
        found, failed = read_archives(repository, [*commits, "1" * 40])
        assert [archive.commit for archive in found] == commits
        assert isinstance(failed["1" * 40], DamagedRecordError)
