import pytest

from repro.model.causes import UNKNOWN, rank_causes
from repro.model.diff import Comparison, DataChange, FileChange
from repro.model.values import ABSENT

SEEDS = {"seed": (1, 2), "hash_seed": (3, 4), "numpy": (5, 6)}


def ranked(*, is_rerun=False, data_paths=(), **parts):
    causes = rank_causes(Comparison(**parts), is_rerun=is_rerun, data_paths=data_paths)
    return [(cause.part, cause.what) for cause in causes]


def files(*paths):
    return tuple(FileChange(path, "M") for path in paths)


def test_parts_come_in_the_order_in_which_they_are_likely_to_matter():
    found = ranked(
        code=files("train.py"),
        command=(["python", "train.py"], ["python", "other.py"]),
        config={"lr": (0.1, 0.2)},
        data={"train": DataChange(changed=("042/img.jpg",))},
        environment={
            "variables.LANG": ("C", "de"),
            "interpreter.version": ("3.11", "3.12"),
            "packages.zoo": ("1", "2"),
            "packages.pip": ("1", "2"),
            "packages.numpy": ("2.3.1", "2.3.2"),
        },
        hardware={"cpu": ("a", "b")},
        randomness={"flags.torch.deterministic": (True, False), **SEEDS},
    )

    assert found == [
        ("code", "`train.py` modified"),
        ("command", "`python train.py` → `python other.py`"),
        ("config", "`lr`: 0.1 → 0.2"),
        ("data", "`train`: 1 file changed: 042/img.jpg"),
        ("randomness", "`flags.torch.deterministic`: true → false"),
        ("environment", "numpy 2.3.1 → 2.3.2"),
        ("environment", "zoo 1 → 2"),
        ("environment", "pip 1 → 2"),
        ("environment", "`interpreter.version`: 3.11 → 3.12"),
        ("environment", "`variables.LANG`: C → de"),
        ("hardware", "`cpu`: a → b"),
        ("randomness", "`seed`, drawn for each run: 1 → 2"),
    ]


def test_nothing_that_differs_is_said():
    assert rank_causes(Comparison(), is_rerun=True) == (UNKNOWN,)


def test_a_drawn_seed_is_named_where_nothing_else_differs():
    assert ranked(randomness=SEEDS)[0] == ("randomness", "`seed`, drawn for each run: 1 → 2")
    assert ranked(randomness={"numpy": (5, 6)}) == [("randomness", "`numpy`: 5 → 6")]


def test_a_seed_that_a_rerun_did_not_replay_comes_before_the_environment():
    environment = {"packages.numpy": ("1", "2")}
    repeated = ranked(environment=environment, randomness=SEEDS, is_rerun=True)
    apart = ranked(environment=environment, randomness=SEEDS, is_rerun=False)

    assert [part for part, _ in repeated] == ["randomness", "environment"]
    assert [part for part, _ in apart] == ["environment", "randomness"]


def test_a_seed_that_code_set_comes_before_the_environment():
    found = ranked(environment={"packages.numpy": ("1", "2")}, randomness={"set": (1, 2)})

    assert [part for part, _ in found] == ["randomness", "environment"]


def test_files_that_cannot_matter_are_last_of_all():
    found = ranked(
        code=files("README.md", ".gitignore", "docs/x.png", "repro.yaml", "train.py", "table.csv"),
        hardware={"cpu": ("a", "b")},
    )

    assert [what.split("`")[1] for _, what in found] == [
        "train.py", "table.csv", "cpu", "README.md", ".gitignore", "docs/x.png", "repro.yaml",
    ]  # fmt: skip


def test_a_difference_that_cannot_matter_is_no_explanation():
    assert ranked(code=files("README.md"))[0][0] == "unknown"
    assert ranked(environment={"interpreter.prefix": ("/a", "/b")})[0][0] == "unknown"


def test_code_comes_before_tests_and_other_files():
    found = ranked(code=files("a.csv", "tests/test_a.py", "z.py"))

    assert [what.split("`")[1] for _, what in found] == ["z.py", "tests/test_a.py", "a.csv"]


def test_a_file_of_the_config_stands_behind_what_it_changed():
    found = ranked(code=files("params.yaml", "repro.yaml"), config={"lr": (0.1, 0.2)})

    assert [part for part, _ in found] == ["config", "code", "code"]
    assert ranked(code=files("params.yaml")) == [("code", "`params.yaml` modified")]


def test_files_of_a_dataset_that_git_has_too_stand_behind_the_dataset():
    found = ranked(
        code=files("data/train/1.csv", "repro.lock"),
        data={"train": DataChange(changed=("1.csv",))},
        data_paths=["data/train"],
    )

    assert [part for part, _ in found] == ["data", "code", "code"]


def test_lock_files_stand_behind_the_packages():
    found = ranked(
        code=files("requirements.txt", "uv.lock"), environment={"packages.numpy": ("1", "2")}
    )

    assert [part for part, _ in found] == ["environment", "code", "code"]
    assert ranked(code=files("requirements.txt"))[0][0] == "code"


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ("python a.py --lr 0.1", "python a.py --lr 0.2", ["config", "command"]),
        ("python a.py", "python a.py --lr=0.2", ["config", "command"]),
        ("python a.py lr=0.1", "python a.py lr=0.2", ["config", "command"]),
        ("/v1/bin/python a.py --lr 1", "/v2/bin/python a.py --lr 2", ["config", "command"]),
        ("python a.py --lr 0.1", "python b.py --lr 0.2", ["command", "config"]),
        ("python a.py x --lr 0.1", "python a.py y --lr 0.2", ["command", "config"]),
    ],
)
def test_options_stand_behind_the_params_that_they_set(before, after, parts):
    found = ranked(command=(before.split(), after.split()), config={"lr": (0.1, 0.2)})

    assert [part for part, _ in found] == parts


def test_another_folder_of_the_interpreter_hardly_matters():
    found = ranked(
        command=(["/v1/bin/python", "a.py"], ["/v2/bin/python", "a.py"]),
        environment={"packages.x": ("1", "2"), "interpreter.prefix": ("/v1", "/v2")},
    )

    assert found == [
        ("environment", "x 1 → 2"),
        ("environment", "`/v1/bin/python a.py` → `/v2/bin/python a.py`"),
        ("environment", "`interpreter.prefix`: /v1 → /v2"),
    ]


def test_values_that_look_alike_are_told_apart():
    assert ranked(config={"lr": (0.1, 0.1000000001)})[0][1] == "`lr`: 0.1 → 0.1000000001"


def test_what_one_side_lacks_is_absent():
    assert ranked(config={"lr": (ABSENT, 0.1)})[0][1] == "`lr`: absent → 0.1"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (DataChange(added=("a", "b"), removed=("c",)), "2 files added: a, b; 1 file removed: c"),
        (DataChange(changed=tuple("abcde")), "5 files changed: a, b, c, …"),
        (DataChange(unlisted="no\npage"), "differs; file by file unknown: no\\npage"),
        (DataChange(), "differs"),
    ],
)
def test_files_of_a_dataset_are_counted_and_the_first_named(change, what):
    assert ranked(data={"t": change}) == [("data", f"`t`: {what}")]


def test_much_is_cut_and_counted():
    found = ranked(
        code=files(*(f"{n}.py" for n in range(50))),
        config={f"k{n}": (1, 2) for n in range(50)},
        environment={f"packages.p{n}": ("1", "2") for n in range(50)},
    )

    assert len(found) == 63
    assert ("code", "30 more files differ") in found
    assert ("config", "30 more entries differ") in found
    assert ("environment", "30 more packages differ") in found


def test_names_from_elsewhere_are_escaped():
    [(_, what)] = ranked(code=files("a\x1b\n.py"))

    assert what == "`a\\x1b\\n.py` modified"
