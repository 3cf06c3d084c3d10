import random
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest
from tests.support.searching import MIXED, hartmann, make_search_spec, mixed_loss, play
from tests.support.sweeps import ask

from repro.core.sweep.suggest import make_suggester
from repro.errors import InvalidInputError
from repro.model.space import Categorical, Constant, IntUniform
from repro.model.sweep import Ledger, Stopped
from repro.model.sweepspec import EarlyStop

GRID = {"lr": Categorical((0.1, 0.2)), "n": IntUniform(1, 3), "opt": Constant("sgd")}
ROOT = Path(__file__).parents[3]
METHODS = ["grid", "random", "tpe", "cmaes"]

# What another process, on another day, suggests from the same seed and the same ledger.
ELSEWHERE = """
from tests.support.searching import MIXED, make_search_spec, mixed_loss, play
for method in ("random", "tpe", "cmaes"):
    print(play(make_search_spec(method, MIXED, seed=5), mixed_loss, 20, n_jobs=2).points[-1])
"""


def outside(code: str) -> str:
    """What a process of its own prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_grid_tries_each_point_once_then_has_no_more():
    points = play(make_search_spec("grid", GRID), lambda _: 1.0, 10).points

    assert [(point["lr"], point["n"]) for point in points] == [
        (0.1, 1),
        (0.1, 2),
        (0.1, 3),
        (0.2, 1),
        (0.2, 2),
        (0.2, 3),
    ]


def test_random_params_differ_by_the_number_of_the_trial_and_by_the_seed():
    first = play(make_search_spec("random", MIXED, seed=1), mixed_loss, 5).points
    other = play(make_search_spec("random", MIXED, seed=2), mixed_loss, 5).points

    assert len({str(point) for point in [*first, *other]}) == 10


@pytest.mark.parametrize("method", METHODS)
def test_a_suggestion_follows_from_seed_and_ledger_cut_anywhere(method):
    space = GRID if method == "grid" else MIXED
    spec = make_search_spec(method, space, seed=3)
    played = play(spec, mixed_loss if space is MIXED else lambda _: 1.0, 24, n_jobs=3)
    # In another order, by one who has seen other ledgers before.
    one = make_suggester(spec)
    places = list(range(len(played.points)))
    random.Random(0).shuffle(places)

    assert len(places) == (6 if method == "grid" else 24)
    assert {n: one.suggest(played.before[n]) for n in places} == dict(enumerate(played.points))
    assert make_suggester(spec).suggest(played.before[-1]) == played.points[-1]


@pytest.mark.parametrize("method", METHODS)
def test_what_is_no_trial_changes_no_suggestion(method):
    spec = make_search_spec(method, GRID if method == "grid" else MIXED)
    ledger = play(spec, lambda _: 1.0, 5).ledger

    more = ledger.extended([Stopped(why="^C", time=3.0), ask(2, "again", params={})])

    assert make_suggester(spec).suggest(more) == make_suggester(spec).suggest(ledger)


def test_another_process_suggests_the_same():
    here = [
        play(make_search_spec(method, MIXED, seed=5), mixed_loss, 20, n_jobs=2).points[-1]
        for method in ("random", "tpe", "cmaes")
    ]
    assert outside(ELSEWHERE) == "".join(f"{point}\n" for point in here)


@pytest.mark.parametrize("method", ["tpe", "cmaes"])
def test_learning_beats_chance(method):
    def median_best(name: str) -> float:
        return median(
            play(make_search_spec(name, seed=seed), hartmann, 50).best() for seed in range(3)
        )

    assert median_best(method) < median_best("random") - 0.3


@pytest.mark.parametrize("method", ["tpe", "cmaes"])
def test_maximize_is_minimize_of_what_is_negative(method):
    least = play(make_search_spec(method, seed=4), hartmann, 20)
    most = play(
        make_search_spec(method, seed=4, goal="maximize"), lambda params: -hartmann(params), 20
    )

    assert most.points == least.points


@pytest.mark.parametrize(
    ("spec", "library", "hint"),
    [
        (make_search_spec("tpe"), "optuna", "`pip install 'git-repro[sweep]'`"),
        (make_search_spec("cmaes"), "cmaes", "`pip install 'git-repro[sweep]'`"),
        (
            make_search_spec("random", early=EarlyStop(kind="median")),
            "optuna",
            "`pip install 'git-repro[sweep]'`",
        ),
        (make_search_spec("gp"), "scipy", "`pip install torch scipy`"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(monkeypatch, spec, library, hint):
    for name in [name for name in sys.modules if name.startswith("repro.core.sweep.optuna_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "repro.core.sweep.cmaes_search", raising=False)
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(InvalidInputError, match=library) as caught:
        make_suggester(spec)
    assert hint in caught.value.hint


def test_grid_and_random_load_no_engine():
    code = (
        "import sys; from tests.support.searching import *\n"
        "play(make_search_spec('random'), hartmann, 2)\n"
        "print({'optuna', 'cmaes', 'numpy'} & set(sys.modules))"
    )

    assert outside(code) == "set()\n"


def test_nothing_is_pruned_where_that_was_not_asked_for():
    trial = play(make_search_spec("random"), hartmann, 2).ledger.progress.trials[0]

    assert not make_suggester(make_search_spec("random")).should_prune(
        Ledger(), trial, [(1, 1.0), (2, 9.0)]
    )
