import pytest
from tests.support.records import make_record

from repro.model.causes import rank_causes
from repro.model.diff import Comparison, diff_drawn, diff_environment
from repro.model.randomness import derive_hash_seed
from repro.model.values import ABSENT

STATES = {"python": "sha256:a", "numpy": "sha256:b"}
OTHER_STATES = {"python": "sha256:c", "numpy": "sha256:d"}


def drawn(seed, **facts):
    return {
        "seed": seed,
        "hash_seed": derive_hash_seed(seed),
        "replayed": False,
        "bootstrap": True,
        "generators": {"python": seed + 1, "numpy": seed + 2},
        **facts,
    }


def differing(a, b):
    return diff_environment(make_record(randomness=a), make_record(randomness=b))[2]


def compared(a, b):
    before, after = make_record(randomness=a), make_record(randomness=b)
    return Comparison(randomness=differing(a, b), drawn=diff_drawn(before, after))


def test_drawn_seeds_are_one_entry_whatever_follows_from_them():
    a, b = drawn(1, states=STATES), drawn(9, states=OTHER_STATES)

    assert differing(a, b) == {"seed": (1, 9)}
    assert not compared(a, b).differs


def test_programs_that_chose_the_same_seed_do_not_differ():
    same = {"set": [42], "flags": {"variables": {"PYTHONHASHSEED": "42"}}, "states": STATES}

    assert differing(drawn(1, **same), drawn(9, **same)) == {}
    assert not compared(drawn(1, **same), drawn(9, **same)).differs
    assert differing(drawn(1, **same), drawn(9, **same, generators={"python": 42})) == {}


def test_programs_that_seeded_themselves_alike_do_not_differ():
    assert differing(drawn(1, states=STATES), drawn(9, states=STATES)) == {}


def test_another_number_for_seed_is_a_difference():
    a = drawn(1, set=[42], flags={"variables": {"PYTHONHASHSEED": "42"}}, states=STATES)
    b = drawn(1, set=[43], flags={"variables": {"PYTHONHASHSEED": "43"}}, states=OTHER_STATES)

    assert differing(a, b) == {"set": ([42], [43])}
    assert compared(a, b).differs
    assert compared(a, drawn(9, states=OTHER_STATES)).differs


def test_a_hash_seed_that_the_user_set_is_a_difference():
    assert differing(drawn(1), {**drawn(9), "hash_seed": 0}) == {
        "seed": (1, 9),
        "hash_seed": (derive_hash_seed(1), 0),
    }
    assert compared(drawn(1), {**drawn(9), "hash_seed": 0}).differs


def test_a_command_that_was_left_alone_differs_from_one_that_was_seeded():
    assert compared(drawn(1), {"seed": None, "hash_seed": None, "bootstrap": False}).differs


@pytest.mark.parametrize("seed", [1, 9])
def test_a_rerun_that_died_before_init_differs_in_no_condition_but_its_seed(seed):
    flags = {"torch": {"deterministic": True}, "variables": {"OMP_NUM_THREADS": "1"}}
    a = drawn(1, states=STATES, flags=flags, set=[42])
    b = {key: value for key, value in drawn(seed).items() if key != "generators"}

    assert differing(a, b) == ({} if seed == 1 else {"seed": (1, 9)})


def test_what_differs_with_the_same_seed_is_named():
    a = drawn(1, states=STATES, flags={"torch": {"deterministic": True}})
    b = drawn(1, states=OTHER_STATES, flags={"torch": {"deterministic": False}})

    assert differing(a, b) == {
        "states.python": ("sha256:a", "sha256:c"),
        "states.numpy": ("sha256:b", "sha256:d"),
        "flags.torch.deterministic": (True, False),
    }


def test_flags_of_a_package_that_one_side_never_loaded_are_none_and_a_variable_counts():
    flags = {"torch": {"deterministic": True}, "variables": {"OMP_NUM_THREADS": "1"}}

    assert differing(drawn(1, flags=flags), drawn(1)) == {
        "flags.variables.OMP_NUM_THREADS": ("1", ABSENT)
    }
    partly = {**flags, "torch": {"other": 1}}
    assert "flags.torch.deterministic" in differing(drawn(1, flags=flags), drawn(1, flags=partly))


def test_a_drawn_seed_is_a_cause_even_where_the_programs_chose_the_same():
    same = {"set": [42], "states": STATES}

    causes = rank_causes(compared(drawn(1, **same), drawn(9, **same)), is_rerun=True)

    assert [cause.what for cause in causes] == ["`seed`, drawn for each run: 1 → 9"]
