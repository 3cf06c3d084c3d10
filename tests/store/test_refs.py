"""The refs of runs, as one text that is searched: the same answers as from a list."""

from pathlib import Path

from tests.support import git
from tests.support.records import open_at, run_id

from repro.store.refs import RUNS, RunRefs, list_refs, list_run_refs


def test_a_run_is_found_by_its_whole_id_only(repository: Path) -> None:
    opened = open_at(repository)
    head = git(repository, "rev-parse", "HEAD")
    first, second = run_id("aaaa"), run_id("bbbb")
    for name in (first, second, "no-id", f"deep/{first}", f"{second}z"):
        git(repository, "update-ref", RUNS + name, head)
    refs = list_run_refs(opened.git)
    assert refs.commits == {first: head, second: head}
    assert refs[first] == refs[second] == head
    assert first in refs
    for text in (first[:-1], first + "0", "", "no-id", f"{first}\n", f"deep/{first}", run_id("c")):
        assert text not in refs
        assert refs.get(text) is None
    assert sorted(refs.misnamed) == sorted(["no-id", f"deep/{first}", f"{second}z"])
    assert refs.n_refs == 5
    assert refs.starting("bbbb") == [second]
    assert refs.starting("b.") == []
    assert {RUNS + name for name in [*refs.commits, *refs.misnamed]} == set(
        list_refs(opened.git, RUNS)
    )


def test_without_runs_there_is_nothing() -> None:
    refs = RunRefs(b"")
    assert (refs.commits, refs.misnamed, refs.n_refs, refs.starting("a")) == ({}, [], 0, [])


def test_other_refs_and_other_commits_have_another_digest() -> None:
    one, other = b"1" * 40, b"2" * 40
    texts = [
        b"%b %b%b\n" % (oid, RUNS.encode(), name.encode())
        for oid in (one, other)
        for name in (run_id("aaaa"), run_id("bbbb"))
    ]
    assert len({RunRefs(text).digest for text in texts}) == len(texts)
