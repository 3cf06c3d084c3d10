"""Tags, notes, names and the trash, from the page."""

import time

from tests.support.projects import begin, end, make_run, open_here
from tests.support.web import OWN

from repro.core.query import list_runs, resolve_run

JSON = {"content-type": "application/json"}


def test_many_runs_are_tagged_and_untagged_at_once(repository, browse):
    project = open_here(repository)
    runs = [make_run(project, tags=("old",)).id for _ in range(3)]
    wish = {"runs": runs, "add": ["good", "v2"], "remove": ["old", "never"]}
    answer = browse(repository).post("/curate/tags", json=wish, headers=OWN)

    assert answer.json() == {"done": runs, "problems": []}
    assert {resolve_run(project, run).run.tags for run in runs} == {("good", "v2")}


def test_a_note_and_a_name_are_changed(repository, browse):
    project = open_here(repository)
    run = make_run(project, name="a").id
    client = browse(repository)
    client.post("/curate/note", json={"runs": [run], "note": "why\nso?"}, headers=OWN)
    client.post("/curate/name", json={"runs": [run], "name": "b"}, headers=OWN)

    found = resolve_run(project, run).run
    assert (found.note, found.name) == ("why\nso?", "b")


def test_what_is_thrown_away_comes_back(repository, browse):
    project = open_here(repository)
    run = make_run(project).id
    client = browse(repository)

    assert client.post("/curate/trash", json={"runs": [run]}, headers=OWN).json()["done"] == [run]
    assert list_runs(project).total == 0
    assert client.post("/curate/restore", json={"runs": [run]}, headers=OWN).json()["done"] == [run]
    assert list_runs(project).total == 1


def test_a_run_that_cannot_be_changed_keeps_no_other_from_it(repository, browse):
    project = open_here(repository)
    done, running = make_run(project).id, begin(project)
    wish = {"runs": [running.id, done]}
    answer = browse(repository).post("/curate/trash", json=wish, headers=OWN).json()
    end(running, repository)

    assert answer["done"] == [done]
    [problem] = answer["problems"]
    assert problem["run"] == running.id
    assert "in progress" in problem["message"]


def test_a_run_in_progress_is_changed_like_any_other(repository, browse):
    project = open_here(repository, time.time)
    running = begin(project, tags=("first",))
    client = browse(repository)
    changes = {"tags": {"add": ["x"], "remove": ["first"]}, "note": {"note": "n"}}
    for what, change in {**changes, "name": {"name": "so far"}}.items():
        answer = client.post(f"/curate/{what}", json={"runs": [running.id], **change}, headers=OWN)
        assert answer.json()["done"] == [running.id]
    pages = client.get("/").text, client.get(f"/runs/{running.id}").text
    end(running, repository)

    for html in pages:
        assert 'data-edit="name" data-text="so far"' in html
        assert 'data-edit="note" data-text="n"' in html
    found = resolve_run(project, running.id).run
    assert (found.tags, found.note, found.name) == (("x",), "n", "so far")


def test_what_is_no_wish_is_refused_whole(repository, browse):
    run = make_run(open_here(repository)).id
    client = browse(repository)
    for wish in (
        {},
        [],
        {"runs": []},
        {"runs": ["../x"]},
        {"runs": [run], "add": "x"},
        {"runs": [run], "add": ["\x1b[31m"]},
        {"runs": [run] * 2000},
    ):
        answer = client.post("/curate/tags", json=wish, headers=OWN)
        assert answer.status_code in (400, 409), wish
    answer = client.post("/curate/tags", content=b"{", headers={**OWN, **JSON})
    assert answer.status_code == 400
    assert resolve_run(open_here(repository), run).run.tags == ()


def test_read_only_means_it(repository, browse):
    run = make_run(open_here(repository)).id
    client = browse(repository, is_read_only=True)
    answer = client.post("/curate/trash", json={"runs": [run]}, headers=OWN)

    assert answer.status_code == 403
    assert "--read-only" in answer.text
    assert list_runs(open_here(repository)).total == 1
