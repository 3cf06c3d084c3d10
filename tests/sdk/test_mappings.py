"""Config and summary are dicts whose every change is recorded, once."""

import copy
import json
import pickle
from argparse import Namespace
from dataclasses import dataclass
from typing import Any

import pytest

from repro.model.config import merge_config
from repro.sdk.mappings import Config, Summary


@dataclass
class Options:
    lr: float = 0.5


def open_config(values: dict[str, Any] | None = None) -> tuple[Config, list[dict[str, Any]]]:
    recorded: list[dict[str, Any]] = []
    return Config(values or {}, recorded.append), recorded


def test_items_and_attributes_are_the_same_entries() -> None:
    config, recorded = open_config({"model": {"width": 3}})

    config.lr = 0.5
    config["model"]["depth"] = 4
    config.model.act = "relu"

    assert config == {"model": {"width": 3, "depth": 4, "act": "relu"}, "lr": 0.5}
    assert recorded == [{"lr": 0.5}, {"model": {"depth": 4}}, {"model": {"act": "relu"}}]
    assert config.model.width == config["model"]["width"] == 3


def test_what_is_recorded_merges_into_what_is_seen() -> None:
    config, recorded = open_config({"opt": {"lr": 1, "kind": "sgd"}, "n": 1})

    config.update({"opt": {"lr": 2}, "new": {"a": {"b": 1}}})
    config["n"] = {"was": "number"}
    config.new = 3
    config.setdefault("n", 9)
    config.setdefault("more", [1, 2])
    config |= {"last": None}

    assert merge_config({"opt": {"lr": 1, "kind": "sgd"}, "n": 1}, *recorded) == config.as_dict()
    assert config.as_dict() == {
        "opt": {"lr": 2, "kind": "sgd"},
        "n": {"was": "number"},
        "new": 3,
        "more": [1, 2],
        "last": None,
    }


@pytest.mark.parametrize("given", [Namespace(lr=0.5), Options(), {"lr": 0.5}, [("lr", 0.5)]])
def test_update_takes_what_holds_names_and_values(given: object) -> None:
    config, recorded = open_config()

    config.update(given, allow_val_change=True)

    assert recorded == [{"lr": 0.5}]


def test_update_refuses_what_has_no_names() -> None:
    config, _ = open_config()

    with pytest.raises(TypeError):
        config.update(3)


def test_an_entry_that_is_not_there_is_named() -> None:
    config, _ = open_config()

    with pytest.raises(AttributeError, match="the config of this run has no `lr`"):
        _ = config.lr
    with pytest.raises(KeyError):
        _ = config["lr"]
    assert config.get("lr", 3) == 3


def test_nothing_can_be_removed() -> None:
    config, _ = open_config({"lr": 1})

    for attempt in (
        lambda: config.pop("lr"),
        config.clear,
        config.popitem,
        lambda: config.__delitem__("lr"),
    ):
        with pytest.raises(TypeError, match="not removed"):
            attempt()
    assert config == {"lr": 1}


def test_a_config_is_a_dict_for_those_who_want_one() -> None:
    config, _ = open_config({"model": {"width": 3}})

    assert json.dumps(config) == '{"model": {"width": 3}}'
    assert dict(**config.model) == {"width": 3}
    assert isinstance(config.model, dict)


def test_a_copy_records_nothing() -> None:
    config, recorded = open_config({"model": {"width": 3}})

    for other in (pickle.loads(pickle.dumps(config)), copy.deepcopy(config)):
        other.model.width = 9
        assert other.model.width == 9

    assert recorded == []
    assert config.model.width == 3


def test_a_summary_falls_back_on_the_last_value_of_a_metric() -> None:
    recorded: list[dict[str, Any]] = []
    summary = Summary({}, recorded.append, {"loss": 0.5}.get)

    summary["best"] = 1
    summary.note = "good"

    assert (summary["loss"], summary.loss, summary.get("loss"), summary.get("none", 7)) == (
        0.5,
        0.5,
        0.5,
        7,
    )
    assert recorded == [{"best": 1}, {"note": "good"}]
    with pytest.raises(KeyError):
        summary["none"]
