"""Tags, notes and names: every step moves forward, nothing else of the record changes."""

import threading
from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import make_run, open_here
from tests.support.records import make_record, write_run

from repro.core.curate import rename_run, set_note, tag_run, untag_run
from repro.core.query import resolve_run
from repro.errors import InvalidInputError, ReproError
from repro.store.refs import RUNS


def test_an_amended_run_has_the_code_and_the_run_before_as_parents(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project, {"loss": 0.5}, config={"lr": 0.1})
    ref = RUNS + run.id
    before = git(repository, "rev-parse", ref)
    tag_run(project, resolve_run(project, "@"), ["good"])
    assert [run.snapshot, before] == git(repository, "rev-parse", f"{ref}^1", f"{ref}^2").split()
    git(repository, "merge-base", "--is-ancestor", before, ref)
    assert (
        git(repository, "log", "-1", "--format=%(trailers)", ref).split("\n")[0]
        == f"Repro-Run: {run.id}"
    )


def test_only_run_json_changes(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project, {"loss": 0.5})
    ref = RUNS + run.id
    before = git(repository, "rev-parse", ref)
    set_note(project, resolve_run(project, "@"), "a\nnote")
    assert git(repository, "diff", "--name-only", before, ref) == "run.json"
    git(repository, "fsck", "--strict", "--connectivity-only")


def test_tags_are_added_once_and_in_order_and_taken_off(repository: Path) -> None:
    project = open_here(repository)
    make_run(project, tags=("a",))
    tag_run(project, resolve_run(project, "@"), ["c", "b", "a", "c"])
    assert resolve_run(project, "@").run.tags == ("a", "c", "b")
    untag_run(project, resolve_run(project, "@"), ["a", "b"])
    assert resolve_run(project, "@").run.tags == ("c",)


def test_names_and_notes_are_replaced(repository: Path) -> None:
    project = open_here(repository)
    make_run(project, name="old", note="old")
    rename_run(project, resolve_run(project, "old"), "--new é")
    set_note(project, resolve_run(project, "--new é"), "")
    run = resolve_run(project, "@").run
    assert (run.name, run.note) == ("--new é", None)


def test_what_changes_nothing_writes_nothing(repository: Path) -> None:
    project = open_here(repository)
    run = make_run(project, tags=("a",))
    before = git(repository, "rev-parse", RUNS + run.id)
    tag_run(project, resolve_run(project, "@"), ["a"])
    assert before == git(repository, "rev-parse", RUNS + run.id)


def test_keys_of_a_newer_repro_survive(repository: Path) -> None:
    project = open_here(repository)
    record = write_run(project.repository, make_record(extra={"colour": "red"}))
    tag_run(project, record, ["a"])
    assert resolve_run(project, record.run.id).run.extra == {"colour": "red"}


def test_a_tag_that_it_lacks_is_not_taken_off(repository: Path) -> None:
    project = open_here(repository)
    make_run(project, tags=("a",))
    with pytest.raises(InvalidInputError, match="has no tag `b`"):
        untag_run(project, resolve_run(project, "@"), ["a", "b"])
    assert resolve_run(project, "@").run.tags == ("a",)


def test_a_run_has_no_more_than_a_thousand_tags_those_taken_off_included(repository: Path) -> None:
    project = open_here(repository)
    make_run(project, tags=tuple(f"t{number}" for number in range(999)))
    untag_run(project, resolve_run(project, "@"), ["t0"])
    tag_run(project, resolve_run(project, "@"), ["last"])
    tag_run(project, resolve_run(project, "@"), ["last", "t1"])
    with pytest.raises(InvalidInputError, match="more than 1,000 tags"):
        tag_run(project, resolve_run(project, "@"), ["one more"])
    untag_run(project, resolve_run(project, "@"), ["last"])
    assert len(resolve_run(project, "@").run.tags) == 998


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "a\x1b[2J", "\u202e", "\udcff", "x" * 256])
def test_a_name_that_no_table_can_show_is_refused(repository: Path, text: str) -> None:
    project = open_here(repository)
    make_run(project, name="old")
    with pytest.raises(InvalidInputError):
        rename_run(project, resolve_run(project, "@"), text)
    with pytest.raises(InvalidInputError):
        tag_run(project, resolve_run(project, "@"), ["good", text])
    assert resolve_run(project, "@").run.name == "old"


def test_many_at_once_lose_no_tag(repository: Path) -> None:
    project = open_here(repository)
    make_run(project)
    record = resolve_run(project, "@")
    failed: list[ReproError] = []

    def tag(number: int) -> None:
        try:
            tag_run(open_here(repository), record, [f"t{number}"])
        except ReproError as error:
            failed.append(error)

    threads = [threading.Thread(target=tag, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {f"t{number}" for number in range(6)} == set(resolve_run(project, "@").run.tags)
