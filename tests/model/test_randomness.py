import pytest

from repro.bootstrap._repro_generators import derive
from repro.model.launchers import is_launched
from repro.model.randomness import (
    ProcessReport,
    RandomPlan,
    compared_randomness,
    derive_hash_seed,
    describe_randomness,
    parse_hash_seed,
    read_plan,
)


def a_process(key: str = "0", **changes) -> ProcessReport:
    values = {"python": "3.11.2", "started": 1.0, "generators": {"python": 5}, "flags": {}}
    return ProcessReport(key=key, **{**values, **changes})


def test_a_derived_seed_is_what_the_format_says():
    assert derive(42, "0", "numpy", 32) == 2681947705
    assert derive(42, "0", "python", 63) == 1727542354233298265
    assert derive_hash_seed(42) == 2287748231


def test_seeds_differ_by_run_process_and_generator_and_fill_their_bits():
    seeds = {derive(s, k, n, 63) for s in range(5) for k in ("0", "0/x") for n in ("a", "b")}

    assert len(seeds) == 20
    assert max(seeds) >> 62 == 1
    assert derive(1, "0", "a", 600).bit_length() > 590
    assert 0 <= derive_hash_seed(5) < 1 << 32


def test_a_recorded_plan_is_replayed_with_the_same_seeds():
    plan = RandomPlan(seed=5, hash_seed=7)

    again = read_plan(plan.to_json(), {"python": {}})

    assert again == RandomPlan(seed=5, hash_seed=7, replayed=True, states={"python": {}})


@pytest.mark.parametrize("seed", [None, "5", True, -1, 1 << 63, 5.0])
def test_what_was_never_drawn_cannot_be_replayed(seed):
    assert read_plan({"seed": seed}, {}) is None
    assert read_plan({"seed": 5, "hash_seed": seed or "x"}, {}).hash_seed is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("4294967295", 4294967295), ("4294967296", None), ("random", None), (None, None),
     ("", None), ("-1", None), ("\u00b2", None), ("9" * 5000, None)],
)  # fmt: skip
def test_a_hash_seed_is_read_as_python_reads_it(text, value):
    assert parse_hash_seed(text) == value


def test_the_first_process_speaks_for_the_run():
    flags = {"torch": {"deterministic": True}}
    facts = describe_randomness(
        RandomPlan(seed=1, hash_seed=2).to_json(),
        [a_process(flags=flags), a_process("0/rank-1", generators={"python": 6})],
        {"flags": {"variables": {"PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "1"}}, "set": [3]},
    )

    assert facts == {
        "seed": 1,
        "hash_seed": 2,
        "bootstrap": True,
        "replayed": False,
        "set": [3],
        "flags": {**flags, "variables": {"OMP_NUM_THREADS": "1"}},
        "generators": {"python": 5},
        "processes": {
            "0": {"interpreter": "3.11.2", "python": 5},
            "0/rank-1": {"interpreter": "3.11.2", "python": 6},
        },
    }


def test_of_nothing_nothing_is_said():
    assert describe_randomness({}, [], {}) == {}


def test_a_comparison_is_of_seeds_and_flags_and_not_of_how_they_came():
    drawn = describe_randomness(RandomPlan(seed=1).to_json(), [a_process()], {})
    replayed = describe_randomness(RandomPlan(seed=1, replayed=True).to_json(), [a_process()], {})

    assert compared_randomness(drawn) == compared_randomness(replayed)
    assert compared_randomness(drawn) == {"seed": 1, "hash_seed": None, "python": 5}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python train.py", False),
        ("uv run python train.py", True),
        ("uv run train", True),
        ("env A=1 nice -n 5 python x.py", True),
        ("A=1 python x.py", False),
        ("torchrun --nproc-per-node 2 train.py", True),
        ("sh -c x", False),
        ("nohup sh run.sh", False),
        ("./run.sh", False),
        ("", False),
    ],
)
def test_a_launcher_before_one_program_is_told_from_a_shell(line, expected):
    assert is_launched(line.split()) is expected
