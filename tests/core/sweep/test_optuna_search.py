from collections import Counter
from importlib.util import find_spec

import pytest
from tests.support.searching import MIXED, SIX, hartmann, make_search_spec, mixed_loss, play
from tests.support.sweeps import ask, tell

from repro.core.sweep.optuna_axes import make_axes, size_of
from repro.core.sweep.suggest import make_suggester
from repro.model.space import Categorical, Constant, IntUniform, Uniform
from repro.model.sweep import Dropped, Ledger, TrialState


def test_suggestions_have_the_values_and_types_of_the_space():
    points = play(make_search_spec("tpe", MIXED), mixed_loss, 30).points

    assert {tuple(point) for point in points} == {tuple(MIXED)}
    assert {type(point["lr"]) for point in points} == {float}
    assert all(1e-5 <= point["lr"] <= 1e-1 for point in points)
    assert {type(point["width"]) for point in points} == {int}
    assert {point["depth"] for point in points} <= set(range(11))
    assert {type(point["depth"]) for point in points} == {int}
    assert {point["drop"] for point in points} <= {0.1, 0.2, 0.3, 0.4, 0.5}
    assert {point["gain"] % 0.5 for point in points} == {0.0}
    assert {str(point["opt"]) for point in points} <= {"sgd", "adam", "None", "[1, 2]"}
    assert {str(point["epochs"]) for point in points} == {"{'most': 3}"}


def test_a_choice_is_found_among_others_by_what_it_is():
    space = {"c": Categorical((1, True, "1", [1], None)), "many": Categorical(tuple(range(3000)))}
    choice, many = make_axes(space).values()

    assert [choice.place(value) for value in (1.0, True, "1", [1.0], None, 2)] == [
        0,
        1,
        2,
        3,
        4,
        None,
    ]
    assert (many.place(2999), many.value(2999)) == (2999, 2999)


def test_where_all_points_had_a_trial_one_of_them_comes_again():
    space = {"n": IntUniform(1, 2), "c": Categorical(("a", "b")), "e": Constant(1)}
    points = play(
        make_search_spec("tpe", space), lambda params: 1.0 * (params["n"] == 2), 14
    ).points

    assert size_of(make_axes(space).values()) == 4
    assert size_of(make_axes({**space, "x": Uniform(0.0, 1.0)}).values()) is None
    assert {str(point) for point in points[:8]} >= {str(point) for point in points[8:]}
    assert len({str(point) for point in points}) == 4


def test_it_settles_where_the_values_are_good():
    points = play(make_search_spec("tpe", MIXED), mixed_loss, 60).points

    late = Counter(str(point["opt"]) for point in points[30:])
    assert late.most_common(1)[0][0] == "adam"
    assert abs(sum(point["depth"] for point in points[40:]) / 20 - 5) < 2


def test_trials_that_run_or_wait_keep_others_away_and_a_failed_one_does_not():
    spec = make_search_spec("tpe", {"x": Uniform(0.0, 1.0)})
    ledger = play(spec, lambda params: (params["x"] - 0.5) ** 2, 20).ledger
    one = make_suggester(spec)
    params = one.suggest(ledger)
    names = [f"r{number}" for number in range(20, 30)]
    asked = ledger.extended(ask(n, run, params=params) for n, run in enumerate(names, 20))
    waits = asked.extended(
        Dropped(number=n, run=run, why="", is_lost=True, time=2.0)
        for n, run in enumerate(names, 20)
    )
    failed = asked.extended(
        tell(n, run, None, state=TrialState.FAILED) for n, run in enumerate(names, 20)
    )

    assert one.suggest(asked) == one.suggest(waits) != one.suggest(failed)


def test_another_attempt_and_a_reused_result_count_once():
    spec = make_search_spec("tpe", SIX)
    played = play(spec, hartmann, 12)
    params, value = played.points[-1], played.values[-1]
    ledger = Ledger().extended(played.ledger.entries[:-2])
    again = ledger.extended(
        [
            ask(11, "first", params=params),
            Dropped(number=11, run="first", why="", is_lost=True, time=2.0),
            ask(11, "second", params=params),
            tell(11, "second", value, reused="earlier"),
        ]
    )

    assert make_suggester(spec).suggest(again) == make_suggester(spec).suggest(played.ledger)


def test_few_points_are_all_tried_before_one_is_tried_again():
    space = {"opt": Categorical(("a", "b", "c")), "n": IntUniform(1, 3)}

    points = play(make_search_spec("tpe", space), lambda params: float(params["n"]), 12).points

    assert len({str(point) for point in points[:9]}) >= 8
    assert len(points) == 12  # and then again


def test_values_of_any_size_and_params_of_another_space_are_borne():
    spec = make_search_spec("tpe", MIXED)
    values = [1e308, -1e308, 5e-324, float("inf"), float("nan"), 0.0] * 3
    ledger = play(spec, lambda _: values.pop(), 18).ledger
    strange = [{}, {"lr": "x"}, {**MIXED, "lr": True}, {"depth": 10**400}]
    for number, params in enumerate(strange, 18):
        ledger = ledger.extended([ask(number, "s", params=params), tell(number, "s", -1e9)])

    assert set(make_suggester(spec).suggest(ledger)) == set(MIXED)


def test_pruned_trials_count_by_their_last_value():
    spec = make_search_spec("tpe", {"x": Uniform(0.0, 1.0)})

    def after(last: float) -> object:
        ledger = Ledger()
        for number in range(20):
            x = number / 20
            value = last if number == 10 else abs(x - 0.9)
            ledger = ledger.extended(
                [
                    ask(number, f"r{number}", params={"x": x}),
                    tell(
                        number,
                        f"r{number}",
                        None,
                        state=TrialState.PRUNED,
                        steps=((1, 7.0), (2, value)),
                    ),
                ]
            )
        return make_suggester(spec).suggest(ledger)

    assert after(0.0) != after(9.0)


def test_a_space_of_constants_has_one_point():
    assert play(make_search_spec("tpe", {"a": Constant(1)}), lambda _: 1.0, 2).points == [
        {"a": 1},
        {"a": 1},
    ]


@pytest.mark.skipif(find_spec("torch") is None, reason="a Gaussian process needs PyTorch")
def test_a_gaussian_process_searches_any_space():
    spec = make_search_spec("gp", MIXED)
    played = play(spec, mixed_loss, 14, n_jobs=2)

    assert make_suggester(spec).suggest(played.before[-1]) == played.points[-1]
