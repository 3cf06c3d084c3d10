"""Sweeps as pages."""

import re

import pytest
from tests.support.projects import open_here
from tests.support.sweeps import ask, make_sweep, tell

from repro.core.sweep.book import LocalBook
from repro.model.space import Categorical
from repro.model.sweep import Entry, Stopped, TrialState

HOSTILE = "<script>alert(1)</script>"
RUNS = ("aaaaaaaa0000", "bbbbbbbb0000", "cccccccc0000")


@pytest.fixture
def sweep(repository):
    """A sweep of three learning rates, of which one failed and one is 0.25 good."""
    project = open_here(repository)
    space = {"lr": Categorical((0.1, 0.2, 0.3)), "opt": Categorical((HOSTILE,))}
    at = make_sweep(project, space=space, metric="loss", name="tune", note=HOSTILE)
    entries: list[Entry] = [
        ask(0, RUNS[0], params={"lr": 0.1, "opt": HOSTILE}), tell(0, RUNS[0], 0.5),
        ask(1, RUNS[1], params={"lr": 0.2, "opt": HOSTILE}),
        tell(1, RUNS[1], None, state=TrialState.FAILED, why=f"exit code 1 {HOSTILE}"),
        ask(2, RUNS[2], params={"lr": 0.3, "opt": HOSTILE}), tell(2, RUNS[2], 0.25),
    ]  # fmt: skip
    return LocalBook(project, at.sweep.id).write(lambda _: entries)


def text_of(answer):
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_a_repository_without_sweeps_says_how_to_start_one(repository, browse):
    assert "repro sweep -p" in text_of(browse(repository).get("/sweeps"))


def test_the_list_says_how_far_and_how_good_each_is(repository, browse, sweep):
    found = browse(repository).get("/sweeps")

    assert re.search(r"tune finished .*3/3 1 failed 0.25", text_of(found))
    assert f'href="/sweeps/{sweep.sweep.id}"' in found.text
    assert HOSTILE not in found.text


def test_a_sweep_is_shown_by_name_or_id_its_best_trial_first(repository, browse, sweep):
    client = browse(repository)

    for name in ("tune", "@", sweep.sweep.id):
        found = client.get(f"/sweeps/{name}")
        rows = re.findall(r"<tr data-run.*?</tr>", found.text, re.DOTALL)
        assert [re.search(r'data-run="(\w+)"', row)[1] for row in rows] == [
            RUNS[2], RUNS[0], RUNS[1],
        ]  # fmt: skip
    assert HOSTILE not in found.text
    assert "exit code 1" in found.text
    assert "repro sweep best" in found.text
    assert "sweep+%3D+%27" in found.text


def test_how_to_go_on_is_said_of_a_sweep_that_was_stopped(repository, browse, sweep):
    project = open_here(repository)
    other = make_sweep(project, name="other")
    entry = Stopped(why="enough", time=3.0)
    LocalBook(project, other.sweep.id).write(lambda _: [entry])
    client = browse(repository)

    found = client.get("/sweeps/other").text

    assert "repro sweep resume" in found
    assert "enough" in found
    assert "repro sweep best" not in found  # no trial is the best one
    assert "repro sweep resume" not in client.get("/sweeps/tune").text


def test_the_best_so_far_and_the_trials_among_params_are_json(repository, browse, sweep):
    client = browse(repository)

    told = client.get(f"/api/sweeps/{sweep.sweep.id}").json()
    assert told["history"] == [
        {"trial": 0, "value": 0.5, "best": 0.5},
        {"trial": 2, "value": 0.25, "best": 0.25},
    ]
    axes = client.get("/api/coordinates", params={"sweep": "tune"}).json()["axes"]
    assert [axis["id"] for axis in axes] == ["config.lr", "metrics.loss"]


@pytest.mark.parametrize("name", ["nobody", "..%2F..%2Fetc", "%3Cscript%3E", "%00"])
def test_a_name_of_no_sweep_is_said(repository, browse, name):
    make_sweep(open_here(repository))
    for path in (f"/sweeps/{name}", f"/api/sweeps/{name}"):
        found = browse(repository).get(path)
        assert found.status_code == 404
        assert "<script>" not in found.text


@pytest.mark.parametrize("block", ["head", "trials", "importance"])
def test_a_block_asked_for_alone_is_one_element_with_its_name(repository, browse, sweep, block):
    found = browse(repository).get("/sweeps/tune", headers={"X-Fragment": block}).text

    assert re.match(rf'\s*<\w+ id="{block}"', found)
