"""The journal of a study is one sequence for all who write to it, whoever they are."""

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import open_here
from tests.support.remotes import add_hook, add_origin, make_bare

from repro.core.study import StudyJournal
from repro.errors import ConflictError, DamagedRecordError, NewerFormatError, RemoteError
from repro.store.studies import PAGE

REF = "refs/repro/studies/s"


def journal(
    root: Path, *, remote: str | None = None, monotonic: Callable[[], float] = lambda: 0.0
) -> StudyJournal:
    return StudyJournal(open_here(root), "s", remote=remote, monotonic=monotonic)


def numbers(one: StudyJournal, start: int = 0) -> list[int]:
    return [entry["n"] for entry in one.read(start)]


def test_what_one_appends_the_other_reads(repository: Path) -> None:
    one, other = journal(repository), journal(repository)

    one.append([{"n": 1}])
    other.append([{"n": 2}, {"n": float("inf")}])

    assert numbers(one) == numbers(other) == [1, 2, float("inf")]
    assert numbers(one, 1) == [2, float("inf")]
    assert git(repository, "rev-list", "--count", REF).strip() == "2"
    git(repository, "fsck", "--strict")


def test_pages_fill_and_read_back_from_anywhere(repository: Path) -> None:
    one, other = journal(repository), journal(repository)
    one.append([{"n": n} for n in range(PAGE - 1)])
    assert len(other.read(0)) == PAGE - 1
    one.append([{"n": n} for n in range(PAGE - 1, 2 * PAGE + 5)])
    other.append([{"n": 2 * PAGE + 5}])

    assert numbers(one) == numbers(other) == numbers(journal(repository)) == [*range(2 * PAGE + 6)]
    assert git(repository, "ls-tree", "--name-only", f"{REF}:journal").split() == [
        "0.jsonl",
        "1.jsonl",
        "2.jsonl",
    ]


def test_what_may_wait_goes_with_the_next_or_after_a_second(repository: Path) -> None:
    clock = itertools.count(step=0.4)
    one, other = journal(repository, monotonic=lambda: float(next(clock))), journal(repository)

    one.append([{"n": 1}], may_wait=True)
    one.append([{"n": 2}], may_wait=True)
    assert numbers(one) == [1, 2]
    assert numbers(other) == []
    other.append([{"n": 10}])
    one.append([{"n": 3}], may_wait=True)
    one.append([{"n": 4}], may_wait=True)

    assert numbers(one) == [1, 2, 10, 3, 4] or numbers(one) == [1, 2, 3, 10, 4]
    assert numbers(other) == [10, 1, 2, 3, 4]
    assert sorted(numbers(journal(repository))) == [1, 2, 3, 4, 10]


def test_threads_that_append_at_once_lose_nothing(repository: Path) -> None:
    both = [journal(repository) for _ in range(2)]

    def write(place: int) -> None:
        for n in range(5):
            both[place].append([{"n": 10 * place + n}])

    threads = [threading.Thread(target=write, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(numbers(journal(repository))) == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]
    assert numbers(both[0]) == numbers(both[1])


@pytest.fixture
def two(repository: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two clones of one bare repository."""
    bare = make_bare(tmp_path / "bare")
    add_origin(repository, bare)
    git(tmp_path, "clone", "-q", "-b", "main", str(bare), "other")
    return repository, tmp_path / "other"


def test_hosts_share_a_study_by_a_remote(two: tuple[Path, Path]) -> None:
    here, there = two
    one, other = journal(here, remote="origin"), journal(there, remote="origin")

    one.append([{"n": 1}])
    other.append([{"n": 2}])
    one.append([{"n": 3}])

    assert numbers(journal(there, remote="origin")) == numbers(one) == [1, 2, 3]
    assert git(here, "ls-remote", "origin", REF) != ""


def test_what_was_begun_here_goes_to_the_remote_that_is_named_later(two: tuple[Path, Path]) -> None:
    here, there = two
    journal(here).append([{"n": 1}])
    journal(here, remote="origin").append([{"n": 2}])

    assert numbers(journal(there, remote="origin")) == [1, 2]


def test_a_study_that_went_two_ways_is_no_study(two: tuple[Path, Path]) -> None:
    here, there = two
    journal(here).append([{"n": 1}])
    journal(there, remote="origin").append([{"n": 2}])

    with pytest.raises(ConflictError, match="went two ways"):
        journal(here, remote="origin")


def test_a_remote_that_is_gone_is_named_when_something_must_be_written(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    clock = itertools.count(step=10)
    one = journal(two[0], remote="origin", monotonic=lambda: float(next(clock)))
    one.append([{"n": 1}])
    (tmp_path / "bare").rename(tmp_path / "away")

    assert numbers(one) == [1]
    with pytest.raises(RemoteError, match="origin"):
        one.append([{"n": 2}])
    (tmp_path / "away").rename(tmp_path / "bare")
    one.append([{"n": 3}])
    assert numbers(journal(two[1], remote="origin")) == [1, 3]


def test_what_the_remote_took_before_the_connection_was_lost_counts(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    mark = tmp_path / "cut"
    script = f"test -e {mark} || {{ touch {mark}; kill -9 $PPID; }}"  # the answer never comes
    add_hook(tmp_path / "bare", "post-receive", script)
    one = journal(two[0], remote="origin")

    one.append([{"n": 1}])
    assert mark.exists()
    one.append([{"n": 2}])

    assert numbers(one) == numbers(journal(two[1], remote="origin")) == [1, 2]


def tamper(root: Path, path: str, content: str | None) -> None:
    """Make the journal one in which a file is another, or missing."""
    change = f"D {path}\n"
    if content is not None:
        change = f"M 100644 inline {path}\ndata {len(content)}\n{content}\n"
    who = "Ada <ada@example.org> 0 +0000"
    commit = f"commit {REF}\ncommitter {who}\ndata 0\nfrom {REF}^0\n{change}"
    git(root, "fast-import", "--quiet", stdin=commit.encode())


@pytest.mark.parametrize(
    ("path", "content", "says"),
    [
        ("journal/0.jsonl", '{"n": 1}\n', "page 0 is cut short: 1 of 2 entries"),
        ("journal/0.jsonl", '{"n": 1}\n{"n": 2', "page 0 is cut short"),
        ("journal/0.jsonl", '{"n": 1}\n[2]\n', "page 0 has a line that is no entry"),
        ("journal/0.jsonl", None, "`journal/0.jsonl` is missing"),
        ("journal/7.jsonl", "{}\n", "is no page of it"),
        ("study.json", '{"format": 1, "entries": -1}', "neither its format nor its size"),
        ("study.json", None, "`study.json` is missing"),
    ],
)
def test_a_damaged_journal_is_one_clear_error(
    repository: Path, path: str, content: str | None, says: str
) -> None:
    one = journal(repository)
    one.append([{"n": 1}, {"n": 2}])
    tamper(repository, path, content)

    with pytest.raises(DamagedRecordError, match=says) as error:
        journal(repository)
    assert REF in (error.value.hint or "")
    with pytest.raises(DamagedRecordError):
        one.append([{"n": 3}])


def test_a_journal_of_a_newer_format_is_refused(repository: Path) -> None:
    journal(repository).append([{"n": 1}])
    tamper(repository, "study.json", '{"format": 2, "entries": 1}')

    with pytest.raises(NewerFormatError, match="format 2"):
        journal(repository)


def test_what_a_remote_has_is_looked_at_before_it_counts(two: tuple[Path, Path]) -> None:
    here, there = two
    journal(there, remote="origin").append([{"n": 1}])
    tamper(there, "journal/0.jsonl", None)
    git(there, "push", "-q", "-f", "origin", f"{REF}:{REF}")

    with pytest.raises(DamagedRecordError):
        journal(here, remote="origin")
    assert git(here, "for-each-ref", REF) == ""
