"""Where the params of a trial go."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support import write_files
from tests.support.records import make_record
from tests.support.sweeps import make_spec

from repro.core.sweep.params import place_params
from repro.core.vary import Variation
from repro.errors import InvalidInputError
from repro.model.canonical import Json
from repro.model.marking import BARE
from repro.model.varied import trial_variables
from repro.store.settings import read_settings


def place(
    root: Path,
    command: str,
    params: dict[str, Json],
    config: dict[str, Json] | None = None,
    **spec: Any,
) -> Variation:
    """Where they go with a command of some words, by what lies at `root`."""
    words = tuple(command.split())
    return place_params(
        root, read_settings(root), make_record(command=words, config=config or {}),
        make_spec(command=words, **spec), params, {"HOME": "/home/ada"},
    )  # fmt: skip


def test_a_macro_takes_params_and_none_is_added(tmp_path: Path) -> None:
    params: dict[str, Json] = {"lr": 0.1, "model.width": 3, "opt": "1"}
    placed = place(tmp_path, "python t.py ${args} ${envvar:HOME}", params, is_macro=True)
    assert placed.argv == (
        "python", "t.py", "--lr=0.1", "--model.width=3", "--opt=1", "/home/ada",
    )  # fmt: skip
    assert placed.overrides == params
    assert place(tmp_path, "python t.py", params, is_macro=True).argv == ("python", "t.py")
    placed = place(tmp_path, "python t.py ${args_json_file}", {"a.b": 1}, is_macro=True)
    assert placed.argv[-1] == "sweep-params.json"
    assert json.loads(placed.edits["sweep-params.json"]) == {"a": {"b": 1}}
    (tmp_path / "sweep-params.json").touch()  # of the user's code
    placed = place(tmp_path, "python t.py ${args_json_file}", {"a.b": 1}, is_macro=True)
    assert placed.argv[-1] == "sweep-params-2.json"


@pytest.mark.parametrize(
    ("command", "params", "placed"),
    [
        ("t.py --lr 1 --bs=2", {"bs": 3, "lr": 0.5}, "t.py --lr 0.5 --bs=3"),
        ("t.py lr=1 opt=adam", {"opt": "1", "lr": 2}, "t.py lr=2 opt=1"),
        ("t.py --opt sgd", {"opt": "true"}, "t.py --opt true"),
        ("t.py --no-amp", {"amp": True}, "t.py --amp"),
        ("t.py ${args} --bs=2", {"bs": 3}, "t.py --bs=3"),
        ("t.py --lr=${lr} --bs=2", {"lr": 1, "bs": 3}, "t.py --lr=1 --bs=3"),
        ("t.py --lr=1", {"lr": 2, "new": True}, "t.py --lr=2 --new=True"),
    ],
)
def test_a_param_that_the_command_gives_is_changed_where_it_stands(
    tmp_path: Path, command: str, params: dict[str, Json], placed: str
) -> None:
    is_macro = "${" in command
    assert " ".join(place(tmp_path, command, params, is_macro=is_macro).argv) == placed


def test_a_param_of_a_params_file_is_changed_there_with_its_type(tmp_path: Path) -> None:
    write_files(tmp_path, {
        "repro.yaml": "config: [a.yaml, b.json]\n",
        "a.yaml": "lr: 1 # why\nopt: sgd\n", "b.json": '{"lr": 2}',
    })  # fmt: skip
    placed = place(tmp_path, "t.py", {"lr": 0.5, "opt": "1", "new": 1})
    assert placed.argv == ("t.py", "--new=1")
    assert placed.edits == {
        "a.yaml": b"lr: 1 # why\nopt: \"1\"\n", "b.json": b'{"lr": 0.5}',
    }  # fmt: skip


def test_what_cannot_take_a_value_is_one_clear_error(tmp_path: Path) -> None:
    config: dict[str, Json] = {"model": {"width": 3}, "key": BARE}
    with pytest.raises(InvalidInputError, match="`model` is a section of the config"):
        place(tmp_path, "t.py", {"model": 1}, config)
    with pytest.raises(InvalidInputError, match="`key` was recorded without its value"):
        place(tmp_path, "t.py", {"key": "new"}, config)
    write_files(tmp_path, {"repro.yaml": "config: [gone.yaml]\n"})
    with pytest.raises(InvalidInputError, match=r"no params file `gone.yaml` in the run's code"):
        place(tmp_path, "t.py", {"lr": 1})


def test_variables_say_all_params_but_secrets() -> None:
    variables = trial_variables({"a.b": 1, "opt": "1", "key": BARE})
    assert json.loads(variables["REPRO_CONFIG"]) == {"a": {"b": 1}, "opt": "1"}
    assert json.loads(variables["REPRO_VARIED"]) == {"a.b": 1, "opt": "1"}
