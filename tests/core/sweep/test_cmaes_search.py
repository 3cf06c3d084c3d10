from tests.support.searching import MIXED, SIX, make_search_spec, mixed_loss, play, units
from tests.support.sweeps import ask, tell

from repro.core.sweep.suggest import make_suggester
from repro.model.space import Categorical, Uniform
from repro.model.sweep import Dropped, Ledger, TrialState

TWO = {"x": Uniform(0.0, 1.0), "y": Uniform(-5.0, 5.0)}


def bowl(params):
    return (params["x"] - 0.2) ** 2 + (params["y"] - 3) ** 2


def test_it_closes_in_on_the_best_place():
    points = play(make_search_spec("cmaes", TWO), bowl, 100).points

    assert sum(map(bowl, points[-12:])) < sum(map(bowl, points[:12])) / 20


def test_suggestions_have_the_values_and_types_of_the_space():
    points = play(make_search_spec("cmaes", MIXED), mixed_loss, 40).points

    assert {tuple(point) for point in points} == {tuple(MIXED)}
    assert {type(point["width"]) for point in points} == {int}
    assert {point["drop"] for point in points} <= {0.1, 0.2, 0.3, 0.4, 0.5}
    assert {str(point["opt"]) for point in points} == {"sgd", "adam", "None", "[1, 2]"}


def told_there(n: int, **params: float) -> Ledger:
    """A ledger of trials with the same params, and all but the same value."""
    ledger = Ledger()
    for number in range(n):
        run = f"r{number}"
        told = tell(number, run, 1.0 + number % 3 / 1e15)
        ledger = ledger.extended([ask(number, run, params=params), told])
    return ledger


def test_the_params_of_the_ledger_count_not_those_that_were_suggested():
    point = make_suggester(make_search_spec("cmaes", TWO)).suggest(told_there(48, x=0.9, y=-4.0))

    assert abs(point["x"] - 0.9) < 0.1
    assert abs(point["y"] + 4) < 1


def test_a_bell_that_has_shrunk_to_a_point_is_laid_out_anew_elsewhere():
    one = make_suggester(make_search_spec("cmaes", TWO))
    points = [one.suggest(told_there(n, x=0.9, y=-4.0)) for n in range(96, 150, 6)]

    far = [abs(point["x"] - 0.9) > 0.1 for point in points]
    assert far[:3] == [False] * 3
    assert any(far)


def test_entries_that_do_not_count_and_failed_trials_move_nothing():
    spec = make_search_spec("cmaes", SIX)
    played = play(spec, lambda params: sum(units(params)), 30)
    noise = []
    for n, entry in enumerate(played.ledger.entries):
        noise.append(entry)
        if n % 2:  # after each result, one more of the same trial, and one of an attempt unknown
            number = n // 2
            noise += [
                tell(number, f"run{number}", 1e9),
                tell(number, "unknown", -1e9),
                tell(99, "unknown", -1e9),
                Dropped(number=number, run="unknown", why="", is_lost=True, time=2.0),
            ]
    one = make_suggester(spec)
    after = Ledger().extended(noise)
    failed = played.ledger.extended([ask(30, "f", params=played.points[0])])
    lost = [tell(30, "f", None, state=TrialState.FAILED)]

    assert one.suggest(after) == one.suggest(played.ledger)
    assert one.suggest(failed.extended(lost)) == one.suggest(failed)


def test_what_was_suggested_before_changes_nothing():
    spec = make_search_spec("cmaes", TWO)
    played = play(spec, bowl, 40, n_jobs=3)
    other = play(make_search_spec("cmaes", TWO), lambda params: -bowl(params), 25).ledger
    again = make_suggester(spec)

    for number in (39, 7, 38, 20, 21):  # back and forth, with the ledger of a fork between
        assert again.suggest(played.before[number]) == played.points[number]
        assert again.suggest(other) == make_suggester(spec).suggest(other)


def test_a_pruned_trial_counts_by_its_last_value():
    spec = make_search_spec("cmaes", TWO)

    def after(value: float) -> object:
        ledger = Ledger()
        for number in range(6):
            params = {"x": number / 6, "y": 0.0}
            steps = ((1, 0.5), (2, value * number))
            told = tell(number, f"r{number}", None, state=TrialState.PRUNED, steps=steps)
            ledger = ledger.extended([ask(number, f"r{number}", params=params), told])
        return make_suggester(spec).suggest(ledger)

    assert after(1.0)["x"] < after(-1.0)["x"]


def test_what_is_no_number_is_drawn_at_random():
    space = {"x": Uniform(0.0, 1.0), "opt": Categorical(("a", "b"))}

    points = play(make_search_spec("cmaes", space), lambda p: p["opt"] == "a", 40).points

    assert 8 < sum(point["opt"] == "a" for point in points) < 32
