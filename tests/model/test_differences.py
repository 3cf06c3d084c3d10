"""The conditions in which one run differs from another, counted as a person counts them."""

import math
from typing import Any

import pytest
from tests.support.records import make_record

from repro.model.diff import DataChange, FileChange
from repro.model.differences import (
    deciding_values,
    diff_params,
    distance,
    known_config,
    list_differences,
)
from repro.model.run import Record


def lines(a: Record, b: Record, *files: str, **more: Any) -> list[str]:
    code = [FileChange(path, "M") for path in files]
    return [one.what for one in list_differences(a, b, code, **more)]


def packages(**versions: str) -> dict[str, Any]:
    listed = [{"name": name, "version": version} for name, version in versions.items()]
    return {"packages": {"list": listed}}


def test_equal_conditions_have_no_difference() -> None:
    a = make_record(config={"lr": 0.1, "nan": math.nan})
    assert lines(a, make_record(config={"lr": 0.1, "nan": math.nan})) == []


def test_each_param_is_one_difference_with_both_values() -> None:
    a = make_record(config={"lr": 0.1, "model": {"width": 3}, "old": True})
    b = make_record(config={"lr": 0.2, "model": {"width": 3}, "new": None})
    found = list_differences(a, b, ())
    assert [one.what for one in found] == [
        "lr: 0.1 → 0.2",
        "old: true → absent",
        "new: absent → null",
    ]
    assert [one.part for one in found] == ["config"] * 3
    assert found[0].values == (0.1, 0.2)


def test_values_that_look_alike_in_a_table_are_told_apart() -> None:
    a, b = make_record(config={"lr": 0.1}), make_record(config={"lr": 0.1000001})
    assert lines(a, b) == ["lr: 0.1 → 0.1000001"]


def test_one_is_one_point_zero_but_true_is_not() -> None:
    a = make_record(config={"n": 1, "flag": True})
    assert lines(a, make_record(config={"n": 1.0, "flag": 1})) == ["flag: true → 1"]


def test_the_code_is_one_difference_that_names_three_files() -> None:
    a, b = make_record(), make_record()
    assert lines(a, b, "train.py") == ["code: 1 file (train.py)"]
    assert lines(a, b, "a", "b", "c", "d") == ["code: 4 files (a, b, c, …)"]


def test_options_that_set_params_are_no_second_difference() -> None:
    a = make_record(command=("python", "train.py", "--lr", "0.1"), config={"lr": 0.1})
    b = make_record(command=("python", "train.py", "--lr", "0.2"), config={"lr": 0.2})
    assert lines(a, b) == ["lr: 0.1 → 0.2"]
    c = make_record(command=("python", "other.py", "--lr", "0.2"), config={"lr": 0.2})
    assert lines(a, c) == [
        "lr: 0.1 → 0.2",
        "command: python train.py --lr 0.1 → python other.py --lr 0.2",
    ]


def test_a_command_in_other_words_for_the_same_params_is_a_difference() -> None:
    a = make_record(command=("python", "train.py", "--lr", "0.1"), config={"lr": 0.1})
    b = make_record(command=("python", "train.py", "--lr=0.1"), config={"lr": 0.1})
    assert lines(a, b) == ["command: python train.py --lr 0.1 → python train.py --lr=0.1"]


def test_a_command_elsewhere_is_another_one() -> None:
    a, b = make_record(config={"lr": 1}), make_record(config={"lr": 2}, cwd="sub")
    assert lines(a, b)[1] == "command: python train.py → cd sub && python train.py"


def test_a_file_of_the_config_is_no_second_difference() -> None:
    a, b = make_record(config={"lr": 1}), make_record(config={"lr": 2})
    assert lines(a, b, "params.yaml", config_files=["params.yaml"]) == ["lr: 1 → 2"]
    same = make_record(config={"lr": 1})
    assert lines(a, same, "params.yaml", config_files=["params.yaml"]) == [
        "code: 1 file (params.yaml)"
    ]


def test_each_dataset_is_one_difference() -> None:
    a = make_record(data={"train": {"digest": "xxh3:aaaa"}, "test": {"digest": "xxh3:cccc"}})
    b = make_record(data={"train": {"digest": "xxh3:bbbb"}})
    assert lines(a, b, "repro.lock") == ["data train: aaaa → bbbb", "data test: cccc → absent"]
    change = DataChange(changed=("x.csv",), added=("a", "b", "c", "d"))
    assert lines(a, b, data={"train": change})[0] == (
        "data train: 1 file changed (x.csv), 4 files added (a, b, c, …)"
    )


def test_all_packages_are_one_difference() -> None:
    a = make_record(environment=packages(numpy="2.1", torch="2.9"))
    one = make_record(environment=packages(numpy="2.2", torch="2.9"))
    assert lines(a, one) == ["packages: numpy 2.1 → 2.2"]
    more = make_record(environment=packages(numpy="2.2"))
    assert lines(a, more) == ["packages (2): numpy 2.1 → 2.2, removed torch 2.9"]


def test_of_the_environment_only_what_decides_counts() -> None:
    a = make_record(
        environment={"interpreter": {"version": "3.11.2", "prefix": "/a"}, "hardware": {"cpu": "x"}}
    )
    b = make_record(
        environment={"interpreter": {"version": "3.12.0", "prefix": "/b"}, "hardware": {"cpu": "y"}}
    )
    assert lines(a, b) == ["environment: interpreter.version: 3.11.2 → 3.12.0"]
    assert deciding_values(a.environment) == {"interpreter.version": "3.11.2"}


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "TF_DETERMINISTIC_OPS"])
def test_a_variable_that_the_user_set_otherwise_is_a_difference(name: str) -> None:
    a, b = ({"variables": {name: value}} for value in "12")
    found = lines(make_record(environment=a), make_record(environment=b))
    assert found == [f"environment: variables.{name}: 1 → 2"]


def test_nothing_of_a_record_reaches_the_terminal_raw() -> None:
    evil = "\x1b[2J"
    a = make_record(config={evil: evil}, data={evil: {"digest": f"x:{evil}"}})
    b = make_record(
        config={evil: f"{evil}2"},
        command=(evil,),
        data={evil: {"digest": f"x:{evil}2"}},
        environment={
            "packages": {"list": [{"name": evil, "version": evil}, 7]},
            "interpreter": {"version": evil},
        },
    )
    assert all(line.isprintable() for line in lines(a, b, evil))
    assert len(lines(a, b, evil)) == 6


@pytest.mark.parametrize("odd", [None, 7, "x", [], [1], {"packages": 7}, {"list": {}}])
def test_an_environment_of_any_shape_is_compared(odd: Any) -> None:
    environment = {"packages": odd, "interpreter": odd, "variables": odd, "platform": odd}
    list_differences(make_record(environment=environment), make_record(), ())
    deciding_values(environment)


def test_what_only_code_sets_would_be_set_again() -> None:
    a = make_record(
        command=("python", "train.py", "--lr", "0.1"),
        config={"lr": 0.1, "seed": 3, "epochs": 9},
        assigned={"seed": 3},
    )
    assert known_config(a, {"lr": 0.2}) == {"lr": 0.2, "epochs": 9}


def test_params_asked_for_are_compared_alone() -> None:
    found = diff_params({"lr": 0.1, "model.width": 3}, {"lr": 0.2, "model": {"depth": 4}})
    assert [one.what for one in found] == ["lr: 0.1 → 0.2", "model.width: 3 → absent"]
    assert diff_params({"lr": 1}, {"lr": 1.0, "other": 2}) == ()


@pytest.mark.parametrize(
    ("asked", "value", "apart"),
    [(0.1, 0.1, 0.0), (1, 3, 0.5), (1, -1, 1.0), (1, "x", 1.0), (1, math.nan, 1.0), (0, 0.0, 0.0)],
)
def test_numbers_are_as_far_apart_as_their_difference_is_of_their_sum(
    asked: Any, value: Any, apart: float
) -> None:
    assert distance(diff_params({"k": asked}, {"k": value})) == apart


@pytest.mark.parametrize("value", [10**400, math.inf, -math.inf, True, [1], {"a": 1}])
def test_any_two_values_have_a_distance(value: Any) -> None:
    assert 0 <= distance(diff_params({"k": 0.5}, {"k": value})) <= 1
