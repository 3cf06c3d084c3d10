import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import write_files
from tests.support.projects import begin, make_run, open_here
from tests.support.randomness import a_plan, play, record_run
from tests.support.records import make_record

import repro
from repro.core.diff import compare_runs
from repro.core.query import full_json, resolve_run
from repro.core.randomness import child_environment, draw_randomness, replay_randomness
from repro.core.record import seal_run
from repro.model.randomness import RandomPlan, derive_hash_seed

FOLDER = str(Path(repro.__file__).parent / "bootstrap")


def with_environ(project, **variables):
    return replace(project, environ={"PATH": os.environ["PATH"], **variables})


def test_each_run_draws_a_seed_of_its_own(repository):
    project = with_environ(open_here(repository))
    plans = {draw_randomness(project).seed for _ in range(20)}

    assert len(plans) == 20
    assert all(0 <= seed < 1 << 63 for seed in plans)


def test_the_seed_is_of_the_entropy_that_the_project_gives(repository):
    project = replace(with_environ(open_here(repository)), entropy=lambda n: b"\xff" * n)

    assert draw_randomness(project).seed == (1 << 63) - 1


def test_a_hash_seed_of_the_user_stays(repository):
    project = open_here(repository)
    for given, hash_seed in (("7", 7), ("random", None)):
        plan = draw_randomness(with_environ(project, PYTHONHASHSEED=given))
        environ = child_environment(plan, {"PYTHONHASHSEED": given})
        assert (plan.hash_seed, environ["PYTHONHASHSEED"]) == (hash_seed, given)


def test_a_replayed_hash_seed_wins_over_that_of_the_user(repository):
    plan = replay_randomness(make_record(randomness=a_plan(5).to_json()))

    child = child_environment(plan, {"PYTHONHASHSEED": "1"})
    assert child["PYTHONHASHSEED"] == str(derive_hash_seed(5))


def test_a_command_that_is_left_alone_has_the_environment_of_the_user(repository):
    project = with_environ(open_here(repository), PYTHONPATH="/mine")
    plan = draw_randomness(project, bootstrap=False)

    assert child_environment(plan, project.environ) == dict(project.environ)
    assert child_environment(None, project.environ) == dict(project.environ)
    assert plan.to_json() == {
        "seed": None, "hash_seed": None, "replayed": False, "bootstrap": False
    }  # fmt: skip


def test_the_path_of_the_user_is_kept_behind_ours():
    child = child_environment(a_plan(5), {"PYTHONPATH": "/a:/b", "X": "y"})

    assert child["PYTHONPATH"] == f"{FOLDER}:/a:/b"
    assert child["X"] == "y"
    assert child_environment(a_plan(5), {})["PYTHONPATH"] == FOLDER


def test_a_run_inside_of_a_run_has_seeds_of_its_own(repository):
    outer = child_environment(a_plan(5), {"PYTHONPATH": "/mine", "PATH": os.environ["PATH"]})
    project = with_environ(open_here(repository), **outer)
    inner = draw_randomness(project)
    child = child_environment(inner, outer)

    assert inner.seed != 5
    assert inner.hash_seed == derive_hash_seed(inner.seed)
    assert child["PYTHONPATH"] == f"{FOLDER}:/mine"
    assert child["REPRO_RANDOM"].startswith(f"{inner.seed};")
    assert child["PYTHONHASHSEED"] == str(inner.hash_seed)


def test_a_run_inside_of_a_run_that_is_left_alone_is_left_alone():
    user = {"PYTHONPATH": "/mine"}
    outer = child_environment(a_plan(5), user)

    assert child_environment(None, outer) == user
    assert child_environment(None, child_environment(a_plan(5), {})) == {}


def test_odd_variables_of_a_run_around_it_are_taken_out():
    for odd in ("", "x", "9" * 5000, ";;;", "-1;"):
        assert child_environment(None, {"REPRO_RANDOM": odd, "PYTHONHASHSEED": "5"}) == {
            "PYTHONHASHSEED": "5"
        }


def test_old_records_have_nothing_to_replay():
    assert replay_randomness(make_record()) is None
    assert replay_randomness(make_record(randomness={"seed": "x"})) is None


def test_states_are_handed_to_init_and_are_no_part_of_the_record(repository):
    project = open_here(repository)
    states = {"python": {"words": [1]}}
    live = begin(project, randomness=a_plan(5, states=states))

    assert (live.dir / "replay.json").exists()
    live.journal.close()
    seal_run(project, live.dir)
    assert resolve_run(project, live.id).generators == {}


def test_a_drawn_seed_that_differs_is_a_difference(repository):
    project = open_here(repository)
    runs = [make_run(project, randomness=RandomPlan(seed=n, hash_seed=9)) for n in (1, 2, 2)]
    a, b, c = (resolve_run(project, run.id) for run in runs)

    assert full_json(a)["randomness"]["seed"] == 1
    assert compare_runs(project, a, b).randomness == {"seed": (1, 2)}
    assert compare_runs(project, b, c).randomness == {}
    assert a.run.identity == b.run.identity


NUMPY = """
import numpy as np
rng = np.random.default_rng()
x, w = np.random.randn(64, 4), rng.normal(size=4)
for step in range(3):
    w -= 0.1 * x.T @ (x @ w - 1) / 64
    print(step, repr(float(((x @ w - 1) ** 2).mean())), {"a", "b", "c"})
"""
TORCH = """
import torch
net, x = torch.nn.Linear(4, 1), torch.randn(64, 4)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(3):
    loss = ((net(x) - 1) ** 2).mean()
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    print(step, repr(loss.item()))
"""


@pytest.mark.parametrize("code", [NUMPY, TORCH], ids=["numpy", "torch"])
def test_a_recorded_run_without_a_seed_in_it_is_replayed_number_by_number(repository, code):
    if "torch" in code:
        pytest.importorskip("torch")
    write_files(repository, {"train.py": code})
    words = (sys.executable, "train.py")
    project = open_here(repository)
    first, printed = record_run(repository, words, draw_randomness(project))

    replayed, again = record_run(repository, words, replay_randomness(first))
    fresh, other = record_run(repository, words, draw_randomness(project))
    comparison = compare_runs(project, first, fresh).randomness

    assert again == printed
    assert other != printed
    assert compare_runs(project, first, replayed).randomness == {}
    assert "seed" in comparison
    assert replayed.randomness["replayed"] is True


def test_code_of_another_tree_is_reported_while_the_run_is_in_progress(repository, tmp_path):
    write_files(tmp_path / "old", {"helper.py": "x = 1\n"})
    write_files(repository, {"train.py": "import helper\n"})
    old = str(tmp_path / "old")
    played = play(repository, "import helper", environ={"REPRO_FOREIGN": old, "PYTHONPATH": old})

    assert played.reports.foreign == (f"{old}/helper.py",)
