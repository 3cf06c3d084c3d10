"""The runs that a run comes from, and those that come from it."""

from tests.support.projects import open_here
from tests.support.records import make_record, open_at, write_runs

from repro.core import lineage
from repro.core.lineage import Lineage, read_lineage
from repro.core.query import resolve_run


def read(repository, records, of):
    """The relatives of `of`, by their ids."""
    write_runs(open_at(repository), records)
    project = open_here(repository)
    found = read_lineage(project, resolve_run(project, of.run.id))
    return {
        "parent": found.parent and found.parent.run.id,
        "origin": found.origin and found.origin.run.id,
        "children": [one.run.id for one in found.children],
        "reruns": [one.run.id for one in found.reruns],
        "previous": found.previous and found.previous.run.id,
    }


def test_relatives_are_on_both_sides_and_the_newest_come_first(repository):
    parent, origin = make_record(), make_record()
    one = make_record(parent=parent.run.id, rerun_of=origin.run.id)
    children = [make_record(parent=one.run.id) for _ in range(2)]
    again = make_record(rerun_of=one.run.id)
    stranger = make_record(parent=parent.run.id)

    assert read(repository, [parent, origin, one, *children, again, stranger], one) == {
        "parent": parent.run.id,
        "origin": origin.run.id,
        "children": [child.run.id for child in reversed(children)],
        "reruns": [again.run.id],
        "previous": origin.run.id,
    }


def test_many_children_do_not_hide_a_parent(repository, monkeypatch):
    monkeypatch.setattr(lineage, "MOST", 2)
    parent = make_record()
    one = make_record(parent=parent.run.id)
    children = [make_record(parent=one.run.id) for _ in range(3)]
    found = read(repository, [parent, one, *children], one)

    assert found["parent"] == parent.run.id
    assert found["children"] == [children[2].run.id, children[1].run.id]


def test_a_run_that_names_itself_or_what_is_not_here_has_no_relatives(repository):
    """A record of somebody else may say so."""
    lost = make_record()
    one = make_record()
    one = make_record(id=one.run.id, parent=one.run.id, rerun_of=lost.run.id)
    write_runs(open_at(repository), [one])
    project = open_here(repository)

    assert read_lineage(project, resolve_run(project, one.run.id)) == Lineage()
