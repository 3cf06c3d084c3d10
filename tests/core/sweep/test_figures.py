"""What the trials of a sweep show together is computed from its ledger alone."""

import pytest
from tests.support.sweeps import ask, make_spec, tell

from repro.core.sweep.describe import full_sweep_json, sweep_json
from repro.core.sweep.figures import (
    best_so_far,
    parallel_coordinates,
    ranked_trials,
    varied_keys,
)
from repro.core.sweep.standing import Standing, count_wanted, find_standing
from repro.core.sweep.weighing import weigh_trials
from repro.model.space import Categorical, Constant, IntUniform, Normal, Uniform
from repro.model.sweep import (
    Agent,
    Dropped,
    Ledger,
    Resumed,
    Stopped,
    Sweep,
    SweepAt,
    TrialState,
)
from repro.model.sweepspec import Method
from repro.store.process import host_name, this_process

SPACE = {
    "lr": Uniform(1e-5, 0.1, is_log=True),
    "opt": Categorical(("sgd", "adam")),
    "width": IntUniform(1, 64),
    "epochs": Constant(3),
}
NOW = 1_000.0


def sweep_at(*entries, **spec) -> SweepAt:
    given = {"method": Method.RANDOM, "space": SPACE, "metric": "loss", "run_cap": 4, **spec}
    sweep = Sweep(
        id="sweepsweep00", base="0" * 40, created="2026-11-24T20:05:01.250000Z", user="Ada",
        host="here", spec=make_spec(**given),
    )  # fmt: skip
    return SweepAt(sweep=sweep, commit="1" * 40, ledger=Ledger().extended(entries))


def trial(number: int, value: float | None, lr: float, opt: str = "sgd", **told):
    params = {"lr": lr, "opt": opt, "width": 8 + number, "epochs": 3}
    run = f"run{number}".ljust(12, "0")
    return ask(number, run, params=params), tell(number, run, value, **told)


def three(**spec) -> SweepAt:
    return sweep_at(
        *trial(0, 0.5, 0.1),
        *trial(1, 0.2, 0.01, "adam"),
        *trial(2, None, 0.02, state=TrialState.FAILED),
        *trial(3, 0.3, 0.001),
        **spec,
    )


def test_the_best_trial_comes_first_by_the_goal_of_the_sweep() -> None:
    assert [one.number for one in ranked_trials(three())] == [1, 3, 0]
    assert [one.number for one in ranked_trials(three(goal="maximize"))] == [0, 3, 1]


def test_of_equal_trials_the_earlier_is_better() -> None:
    at = sweep_at(*trial(0, 0.5, 0.1), *trial(1, 0.5, 0.01))

    assert [one.number for one in ranked_trials(at)] == [0, 1]


def test_a_pruned_trial_is_never_best() -> None:
    at = sweep_at(*trial(0, 0.5, 0.1), *trial(1, 0.1, 0.01, state=TrialState.PRUNED))

    assert [one.number for one in ranked_trials(at)] == [0]


def test_what_does_not_vary_is_no_axis_and_no_cause() -> None:
    assert varied_keys(three()) == ["lr", "opt", "width"]
    fixed = {"lr": Categorical((0.1,)), "opt": Categorical(("a", "b"))}
    assert varied_keys(sweep_at(space=fixed)) == ["opt"]


def test_a_line_of_parallel_coordinates_is_a_trial_that_is_over() -> None:
    found = parallel_coordinates(three())

    assert [(axis.key, axis.kind) for axis in found.axes] == [
        ("lr", "log"), ("opt", "category"), ("width", "linear"), ("loss", "linear"),
    ]  # fmt: skip
    assert (found.axes[0].low, found.axes[0].high) == (0.001, 0.1)
    assert found.axes[1].values == ("sgd", "adam")
    assert [line.values for line in found.lines] == [
        (0.1, "sgd", 8, 0.5), (0.01, "adam", 9, 0.2), (0.02, "sgd", 10, None),
        (0.001, "sgd", 11, 0.3),
    ]  # fmt: skip


def test_the_best_so_far_only_gets_better() -> None:
    assert [one.best for one in best_so_far(three())] == [0.5, 0.2, 0.2]
    assert [one.best for one in best_so_far(three(goal="maximize"))] == [0.5, 0.5, 0.5]


def test_params_are_weighed_by_the_ledger_without_any_run() -> None:
    entries = [entry for n in range(8) for entry in trial(n, n / 10, 10.0 ** -(8 - n))]
    influences = weigh_trials(sweep_at(*entries, run_cap=8)).influences

    assert {one.key: one.strength for one in influences}["lr"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("method", "space", "cap", "resumed", "wanted"),
    [
        (Method.RANDOM, SPACE, 4, None, 4),
        (Method.RANDOM, SPACE, None, None, None),
        (Method.RANDOM, SPACE, 4, 7, 7),
        (Method.GRID, {"a": Categorical((1, 2)), "b": Categorical((1, 2, 3))}, None, None, 6),
        (Method.GRID, {"a": Categorical((1, 2))}, 5, None, 2),
        (Method.GRID, {"a": Categorical((1, 2, 3))}, 2, None, 2),
    ],
)
def test_a_sweep_wants_as_many_trials_as_its_cap_and_its_grid_allow(
    method, space, cap, resumed, wanted
) -> None:
    entries = [] if resumed is None else [Resumed(time=1.0, run_cap=resumed)]

    assert count_wanted(sweep_at(*entries, method=method, space=space, run_cap=cap)) == wanted


def test_how_a_sweep_stands_follows_from_who_works_on_it() -> None:
    alive = Agent("annaannaanna", host_name(), this_process().as_json())
    gone = Agent("annaannaanna", host_name(), {**this_process().as_json(), "start": "0"})
    far = Agent("annaannaanna", "elsewhere")
    stopped = Stopped(why="enough", time=2.0)

    def standing(*entries, now=NOW, **spec):
        return find_standing(sweep_at(*entries, **spec), now=now)

    assert standing() is Standing.NEW
    assert standing(ask(0, "run000000000", agent=alive)) is Standing.RUNNING
    assert standing(ask(0, "run000000000", agent=gone)) is Standing.INTERRUPTED
    assert standing(ask(0, "run000000000", agent=far, time=900.0)) is Standing.RUNNING
    assert standing(ask(0, "run000000000", agent=far, time=100.0)) is Standing.INTERRUPTED
    assert standing(*trial(0, 0.1, 0.1), stopped) is Standing.STOPPED
    failed = trial(0, 0.1, None, state=TrialState.FAILED)
    assert standing(*failed) is Standing.FAILED
    assert standing(*failed, run_cap=1) is Standing.FAILED
    assert standing(*failed, ask(1, "run100000000", agent=gone)) is Standing.INTERRUPTED
    assert standing(*failed, *trial(1, 0.1, 0.1), run_cap=2) is Standing.FINISHED
    assert standing(*trial(0, 0.1, 0.1), target=0.2) is Standing.FINISHED
    assert standing(*trial(0, 0.1, 0.1), target=0.01) is Standing.INTERRUPTED
    assert standing(*trial(0, 0.1, 0.1), stopped, run_cap=1) is Standing.FINISHED


def test_the_json_of_a_sweep_counts_its_trials_and_names_the_best() -> None:
    dropped = Dropped(number=4, run="run400000000", why="x", is_lost=True, time=3.0)
    more = [ask(4, "run400000000"), dropped]
    shown = sweep_json(sweep_at(*three().ledger.entries, *more), now=NOW)

    assert shown["trials"] == {
        "finished": 3, "failed": 1, "pruned": 0, "running": 0, "waiting": 1,
    }  # fmt: skip
    assert shown["best"] == {"trial": 1, "run": "run100000000", "value": 0.2}
    assert (shown["status"], shown["run_cap"], shown["method"]) == ("finished", 4, "random")


def test_the_full_json_has_trials_figures_and_importance() -> None:
    shown = full_sweep_json(three(), now=NOW)

    assert shown["counts"]["finished"] == 3
    assert [one["params"]["lr"] for one in shown["trials"]] == [0.1, 0.01, 0.02, 0.001]
    assert len(shown["parallel_coordinates"]["lines"]) == 4
    assert shown["history"][-1] == {"trial": 3, "value": 0.3, "best": 0.2}
    assert {one["param"] for one in shown["importance"]["params"]} == {"lr", "opt", "width"}
    assert full_sweep_json(three(metric=None), now=NOW)["importance"] is None


def test_a_normal_on_a_log_scale_has_a_log_axis() -> None:
    at = sweep_at(space={"lr": Normal(0.0, 1.0, is_log=True)})

    assert parallel_coordinates(at).axes[0].kind == "log"
    assert parallel_coordinates(at).axes[0].low is None


def test_a_number_that_fits_no_axis_is_left_out_of_its_ends() -> None:
    params = {"width": 10**400}
    at = sweep_at(
        ask(0, "run000000000", params=params), tell(0, "run000000000"),
        *trial(1, 0.2, 0.1), space={"width": IntUniform(1, 64)},
    )  # fmt: skip

    axis = parallel_coordinates(at).axes[0]
    assert (axis.low, axis.high) == (9.0, 9.0)
    assert weigh_trials(at).n_runs == 2
