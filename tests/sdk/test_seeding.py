"""`repro.seed()`, and what `repro.init()` does about generators."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.random
import pytest

from repro.core.randomness import replay_randomness
from repro.model.run import Record
from repro.sdk import seeding
from repro.sdk.generators import give_states, take_states
from tests.sdk.scripts import record, records, run
from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.randomness import record_run

NUMBERS = "print(random.random(), np.random.rand(), np.random.default_rng().random())\n"
ALONE = "import random, numpy as np, numpy.random\nimport repro\nrepro.init()\n" + NUMBERS


@pytest.fixture(autouse=True)
def _left_as_it_was(monkeypatch: pytest.MonkeyPatch):
    """What a test seeds in this process is of no other test."""
    before = random.getstate(), np.random.get_state()
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    yield
    if seeding._own is not None:
        seeding._own.remove()
        seeding._own = None
    seeding._chosen = None
    random.setstate(before[0])
    np.random.set_state(before[1])
    os.environ.pop("PYTHONHASHSEED", None)


def replay(root: Path, found: Record, program: str) -> str:
    """What the program prints with the random numbers of a recorded run."""
    plan = replay_randomness(found)
    assert plan is not None
    return record_run(root, (sys.executable, program), plan)[1]


def test_a_seed_is_that_of_every_generator_that_is_loaded(sdk: ModuleType) -> None:
    assert sdk.seed(np.int64(1234)) == 1234
    given = random.random(), np.random.rand()

    random.seed(1234)
    np.random.seed(1234)
    assert given == (random.random(), np.random.rand())
    assert os.environ["PYTHONHASHSEED"] == "1234"


def test_generators_that_are_loaded_later_get_the_seed_too(repository: Path) -> None:
    write_files(repository, {"torch.py": "SEEDS = []\ndef manual_seed(s): SEEDS.append(s)\n"})
    code = """
    sys.path.insert(0, ".")
    repro.seed(5)
    import torch, numpy.random as r
    print(torch.SEEDS, r.rand() == r.RandomState(5).rand())
    repro.seed(5)
    a = r.default_rng().random(), r.default_rng().random()
    repro.seed(5)
    print(a == (r.default_rng().random(), r.default_rng().random()), a[0] != a[1])
    """

    assert run(repository, code).stdout == "[5] True\nTrue True\n"


def test_a_seed_needs_no_run_and_no_repository(tmp_path: Path) -> None:
    assert run(tmp_path, "print(repro.seed(7))").stdout == "7\n"


@pytest.mark.parametrize("wrong", [-1, 1 << 63])
def test_a_seed_out_of_range_is_refused(sdk: ModuleType, wrong: int) -> None:
    with pytest.raises(ValueError, match="a seed is from 0"):
        sdk.seed(wrong)


@pytest.mark.parametrize("wrong", ["5", 1.0, None])
def test_a_seed_that_is_no_integer_is_refused(sdk: ModuleType, wrong: object) -> None:
    with pytest.raises(TypeError):
        sdk.seed(wrong)


def test_seeds_before_and_after_init_are_recorded(sdk: ModuleType, repository: Path) -> None:
    sdk.seed(3)
    sdk.init()
    sdk.seed(4)
    sdk.finish()

    assert record(repository).randomness["set"] == [3, 4]


def test_init_takes_no_sequence_back_that_a_seed_began(sdk: ModuleType, repository: Path) -> None:
    sdk.seed(3)
    before = np.random.default_rng().random()
    sdk.init()

    assert np.random.default_rng().random() != before


def test_a_run_of_its_own_records_states_flags_and_its_seed(repository: Path) -> None:
    run(repository, "import numpy.random\nrepro.init()", OMP_NUM_THREADS="3")
    found = record(repository)

    assert found.randomness["bootstrap"] is False
    assert 0 <= found.randomness["seed"] < 1 << 63
    assert found.randomness["flags"]["variables"]["OMP_NUM_THREADS"] == "3"
    assert found.randomness["states"].keys() == {"numpy", "python"} == found.generators.keys()
    assert len(found.generators["numpy"]["words"]) == 624


def test_unseeded_generators_differ_from_run_to_run(repository: Path) -> None:
    code = "import numpy.random as r\nrepro.init()\nprint(r.default_rng().random())"

    assert run(repository, code).stdout != run(repository, code).stdout


def test_a_run_leaves_nothing_in_place_when_it_ends(sdk: ModuleType, repository: Path) -> None:
    bits = sys.modules["numpy.random.bit_generator"]
    before, finders = bits.randbits, list(sys.meta_path)
    sdk.init()
    during = bits.randbits
    sdk.finish()

    assert during != before
    assert bits.randbits == before
    assert sys.meta_path == finders


def test_a_run_of_its_own_is_replayed_from_its_states(repository: Path) -> None:
    write_files(repository, {"alone.py": ALONE})
    once = subprocess.run(
        [sys.executable, "alone.py"], capture_output=True, text=True, check=True
    ).stdout
    [found] = records(repository)

    assert replay(repository, found, "alone.py") == once
    assert replay(repository, found, "alone.py") == once
    again = next(one for one in records(repository) if one.run.id != found.run.id)
    assert (again.randomness["replayed"], again.randomness["bootstrap"]) == (True, True)
    assert again.randomness["seed"] == found.randomness["seed"]


def test_numbers_drawn_before_init_do_not_shift_those_after_it(repository: Path) -> None:
    draw = "for _ in range(n): np.random.default_rng()\n"
    early = ALONE.replace("import repro\n", "import repro\n" + draw)
    write_files(repository, {"alone.py": "n = 0\n" + early})
    once = subprocess.run(
        [sys.executable, "alone.py"], capture_output=True, text=True, check=True
    ).stdout
    [found] = records(repository)
    write_files(repository, {"alone.py": "n = 3\n" + early})

    assert replay(repository, found, "alone.py") == once


def test_states_that_nobody_could_have_are_refused_with_a_warning(
    sdk: ModuleType, repository: Path
) -> None:
    good = take_states()
    odd = [
        {"python": 5, "numpy": {"words": [1], "position": 0, "has_gauss": 0, "gauss": 0.0}},
        {"python": {"version": 3, "words": [1, 2], "gauss": None}, "numpy": []},
        {"python": {"version": 3, "words": ["x"] * 625, "gauss": None}, "numpy": {}},
        {"torch": "AAAA", "os": 5},
    ]

    for states in odd:
        assert sorted(give_states(states)) == sorted(states)
    assert give_states(good) == []
    assert take_states() == good


def output(root: Path, run_id: str) -> str:
    return git(root, "show", f"refs/repro/runs/{run_id}:output.log")


def test_under_repro_run_only_digests_are_recorded(repository: Path, cli: Cli) -> None:
    write_files(repository, {"train.py": ALONE})
    cli("run", "--", sys.executable, "train.py")
    found = record(repository)

    assert found.generators == {}
    assert found.randomness["states"].keys() == {"numpy", "python"}
    assert found.randomness["generators"].keys() == {"numpy", "python"}


def test_without_the_bootstrap_nothing_is_seeded_but_all_is_recorded(
    repository: Path, cli: Cli
) -> None:
    write_files(repository, {"train.py": ALONE})
    for _ in range(2):
        cli("run", "--no-bootstrap", "--", sys.executable, "train.py")
    newest, older = records(repository)

    assert output(repository, newest.run.id) != output(repository, older.run.id)
    assert newest.randomness["seed"] is None
    assert sorted(newest.generators) == ["numpy", "python"]


def test_a_seed_in_code_wins_under_repro_run(repository: Path, cli: Cli) -> None:
    code = "import repro, random, numpy as np, numpy.random\nrepro.seed(3)\nrepro.init()\n"
    write_files(repository, {"train.py": code + NUMBERS})
    for _ in range(2):
        cli("run", "--", sys.executable, "train.py")
    newest, older = records(repository)

    assert output(repository, newest.run.id) == output(repository, older.run.id) != ""
    assert newest.randomness["set"] == [3]


def test_a_disabled_run_leaves_generators_alone(sdk: ModuleType) -> None:
    before = sys.modules["numpy.random.bit_generator"].randbits
    sdk.init(mode="disabled")

    assert sys.modules["numpy.random.bit_generator"].randbits == before


def test_a_replay_that_is_no_state_is_passed_over(repository: Path, cli: Cli) -> None:
    code = "import repro, random, numpy.random\nrepro.init()\nprint('fine')\n"
    write_files(
        repository,
        {
            "train.py": "import os\nfrom pathlib import Path\n"
            "Path(os.environ['REPRO_LIVE_DIR'], 'replay.json').write_text('[1, ')\n" + code
        },
    )
    cli("run", "--", sys.executable, "train.py")

    assert output(repository, record(repository).run.id) == "fine"


def test_the_environment_of_a_run_does_not_change_with_its_seed(repository: Path, cli: Cli) -> None:
    for _ in range(2):
        cli("run", "--", sys.executable, "train.py")
    refs = git(repository, "for-each-ref", "--format=%(refname)", "refs/repro/runs").split()
    blobs = {git(repository, "rev-parse", f"{ref}:environment.json") for ref in refs}
    runs = [json.loads(git(repository, "show", f"{ref}:run.json")) for ref in refs]

    assert len(blobs) == 1
    assert len({one["identity"] for one in runs}) == 1
    assert len({git(repository, "rev-parse", f"{ref}:randomness.json") for ref in refs}) == 2
