"""Comparing: equal is equal, and every difference has a name."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.records import a_summary, make_record

from repro.model.canonical import Json
from repro.model.diff import (
    Comparison,
    DataChange,
    FileChange,
    describe_package,
    diff_command,
    diff_config,
    diff_environment,
    diff_metrics,
    find_changed_data,
    split_environment,
)
from repro.model.values import ABSENT, Value, is_same

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_a_config_does_not_differ_from_itself(config: dict[str, Json]) -> None:
    assert diff_config(config, config) == {}


@given(st.dictionaries(st.text("ab"), VALUES), st.dictionaries(st.text("ab"), VALUES))
def test_swapping_the_sides_swaps_each_change(a: dict[str, Json], b: dict[str, Json]) -> None:
    forth, back = diff_config(a, b), diff_config(b, a)
    assert set(forth) == set(back)
    assert all(is_same(forth[key][0], back[key][1]) for key in forth)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (1, 1.0, True),
        (True, 1, False),
        (0, False, False),
        (None, ABSENT, False),
        ([1, math.nan], [1, math.nan], True),
        ([1], [1, 2], False),
        ({"a": True}, {"a": 1}, False),
        ("1", 1, False),
    ],
)
def test_what_counts_as_the_same(a: Value, b: Value, same: bool) -> None:
    assert is_same(a, b) is same


def test_changed_added_and_removed_params_are_told_apart() -> None:
    a: dict[str, Json] = {"lr": 0.1, "model": {"width": 3, "depth": 2}, "gone": None}
    b: dict[str, Json] = {"model": {"width": 4, "depth": 2}, "lr": 0.1, "new": {}}
    assert diff_config(a, b) == {
        "model.width": (3, 4),
        "gone": (None, ABSENT),
        "new": (ABSENT, {}),
    }


def test_datasets_differ_by_digest_alone() -> None:
    a: dict[str, Json] = {
        "same": {"path": "s", "digest": "1", "kept": False},
        "old": {"path": "o"},
        "x": {"path": "x", "digest": "1"},
    }
    b: dict[str, Json] = {
        "same": {"path": "t", "digest": "1", "kept": True},
        "new": {"path": "n"},
        "x": {"path": "x", "digest": "2"},
    }
    assert find_changed_data(a, b) == ["old", "x", "new"]


@pytest.mark.parametrize("odd", [None, 3, "text", [], {"digest": None}])
def test_a_dataset_of_another_shape_differs_from_all_but_itself(odd: Json) -> None:
    assert find_changed_data({"x": odd}, {"x": odd}) == []
    assert find_changed_data({"x": odd}, {"x": {"digest": "1"}}) == ["x"]
    assert find_changed_data({"x": odd}, {}) == ["x"]


ENVIRONMENT: dict[str, Json] = {
    "interpreter": {"version": "3.11.7"},
    "packages": {
        "count": 2,
        "digest": "sha256:1",
        "list": [
            {"name": "numpy", "version": "2.0"},
            {
                "name": "mine",
                "version": "1.0",
                "origin": {
                    "path": "libs/mine",
                    "editable": True,
                    "import_roots": ["libs/mine/src"],
                },
            },
        ],
    },
    "hardware": {"cpu": "x", "cores": 2},
    "variables": {"PYTHONHASHSEED": "0", "CUDA_VISIBLE_DEVICES": "1"},
    "seeds": {"numpy": 3},
}


def test_an_environment_is_sorted_into_its_parts() -> None:
    parts = split_environment(ENVIRONMENT)
    assert parts.environment == {
        "interpreter.version": "3.11.7",
        "variables.CUDA_VISIBLE_DEVICES": "1",
        "packages.numpy": "2.0",
        "packages.mine": "1.0 (editable, libs/mine, imported from libs/mine/src)",
    }
    assert parts.hardware == {"cpu": "x", "cores": 2}
    assert parts.randomness == {"numpy": 3, "variables.PYTHONHASHSEED": "0"}


@pytest.mark.parametrize(
    "odd",
    [
        {"packages": [1, 2]},
        {"packages": {"list": 3}},
        {"packages": {"list": [3]}},
        {"hardware": 3},
        {"lockfiles": 3},
        {"lockfiles": [3, {}]},
        {"packages": {"list": [{"origin": {"editable": True, "import_roots": 3}}]}},
        {"seeds": None},
    ],
)
def test_an_environment_of_another_shape_is_no_error(odd: dict[str, Json]) -> None:
    assert split_environment(odd)


def in_place(tree: str, version: str = "0.1", **facts: Json) -> dict[str, Json]:
    origin: Json = {"editable": True, "url": "file:///s", "tree": tree * 40, **facts}
    return {"packages": {"list": [{"name": "sibling", "version": version, "origin": origin}]}}


def differing(a: dict[str, Json], b: dict[str, Json]) -> dict[str, tuple[Value, Value]]:
    return diff_environment(make_record(environment=a), make_record(environment=b))[0]


def test_of_a_package_in_place_only_code_and_version_differ() -> None:
    same = {"url": "file:///elsewhere", "commit": "2", "dirty": True, "remote": None}
    assert differing(in_place("a", commit="1"), in_place("a", **same)) == {}
    assert set(differing(in_place("a"), in_place("b"))) == {"packages.sibling"}


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (
            in_place("a"),
            in_place("b"),
            "editable sibling: other code (aaaaaaaaaaaa → bbbbbbbbbbbb)",
        ),
        (in_place("a"), {}, "removed sibling 0.1 (editable, code aaaaaaaaaaaa)"),
        ({}, in_place("a"), "added sibling 0.1 (editable, code aaaaaaaaaaaa)"),
        (
            in_place("a"),
            in_place("a", "0.2"),
            "sibling 0.1 (editable, code aaaaaaaaaaaa) → 0.2 (editable, code aaaaaaaaaaaa)",
        ),
    ],
)
def test_what_happened_to_a_package_is_said_in_words(
    a: dict[str, Json], b: dict[str, Json], said: str
) -> None:
    [change] = differing(a, b).values()
    assert describe_package("sibling", change) == said


def test_an_upgrade_is_said_in_words() -> None:
    assert describe_package("numpy", ("2.3.1", "2.3.2")) == "numpy 2.3.1 → 2.3.2"


def test_lock_files_differ_by_path_and_digest() -> None:
    def locked(*files: dict[str, Json]) -> dict[str, Json]:
        return {"lockfiles": list(files)}

    a = locked(
        {"path": "uv.lock", "size": 1, "sha256": "a" * 64},
        {"path": "large.txt", "size": 5, "sha256": None},
    )
    b = locked({"path": "uv.lock", "size": 1, "sha256": "b" * 64})
    assert differing(a, b) == {
        "lockfiles.uv.lock": ("a" * 12, "b" * 12),
        "lockfiles.large.txt": (5, ABSENT),
    }


def test_environments_differ_by_package_and_part() -> None:
    packages: Json = {"list": [{"name": "numpy", "version": "2.1"}]}
    changed = {**ENVIRONMENT, "packages": packages, "hardware": {"cpu": "y", "cores": 2}}
    environment, hardware, randomness = diff_environment(
        make_record(environment=ENVIRONMENT), make_record(environment=changed)
    )
    assert environment == {
        "packages.numpy": ("2.0", "2.1"),
        "packages.mine": ("1.0 (editable, libs/mine, imported from libs/mine/src)", ABSENT),
    }
    assert hardware == {"cpu": ("x", "y")}
    assert randomness == {}


def test_results_are_last_values_and_what_the_user_set() -> None:
    a = make_record(metrics={"loss": a_summary(0.5), "nan": a_summary(math.nan)}, summary={"s": 1})
    b = make_record(metrics={"loss": a_summary(0.4), "nan": a_summary(math.nan)}, summary={"s": 2})
    assert diff_metrics(a, b) == {"s": (1, 2), "loss": (0.5, 0.4)}


def test_a_command_differs_by_words_and_folder() -> None:
    a, b = make_record(command=("a", "b c")), make_record(command=("a", "b", "c"))
    assert diff_command(a, a) is None
    assert diff_command(a, b) == (["a", "b c"], ["a", "b", "c"])
    assert diff_command(a, make_record(command=("a", "b c"), cwd="sub")) == (
        ["a", "b c"],
        ["cd", "sub", "&&", "a", "b c"],
    )


def test_a_comparison_differs_if_any_part_does() -> None:
    assert not Comparison().differs
    assert Comparison(code=(FileChange("a", "M"),)).differs
    assert Comparison(metrics={"loss": (1, 2)}).differs
    assert Comparison(data={"train": DataChange(unlisted="why")}).differs
    assert Comparison(command=(["a"], ["b"])).differs
