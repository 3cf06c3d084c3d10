import pytest

from repro.model.needs import (
    list_editables,
    list_left_out,
    list_redacted,
    packages_of,
    replay_variables,
)
from repro.model.secrets import redact_argv


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (("python", "train.py"), []),
        (("python", "--api-key", "k"), ["--api-key"]),
        (("python", "--api-key=k"), ["--api-key"]),
        (("env", "HF_TOKEN=k", "python"), ["HF_TOKEN"]),
        (("wandb", "login", "k" * 40), ["argument 2"]),
        (("curl", "https://u:p@example.org/?a=b"), ["argument 1"]),
        (("sh", "-c", "X_TOKEN=k python t.py"), ["X_TOKEN"]),
        (("a", "--token", "k", "--token", "l"), ["--token"]),
    ],
)
def test_what_was_redacted_is_named_as_the_user_would_give_it(command, names):
    assert list(list_redacted(redact_argv(command))) == names


def test_each_name_has_the_variables_that_give_it_back():
    found = list_redacted(redact_argv(("python", "--api-key", "k")))

    assert found == {"--api-key": ("REPRO_SECRET_API_KEY", "API_KEY")}


def test_what_is_left_out_of_an_editable_package_is_told_but_for_secrets():
    reasons = {"a.bin": "too large", ".env": "looks secret", "b.ckpt": "excluded"}
    omitted = [{"path": path, "reason": reason} for path, reason in reasons.items()]
    package = {"name": "x", "origin": {"url": "file:///x", "editable": True, "omitted": omitted}}
    environment = {"packages": {"list": [package]}}

    assert list_editables(environment) == {"x": "file:///x"}
    assert list_left_out(environment, "x") == ["a.bin"]


@pytest.mark.parametrize("packages", [None, 3, {}, {"list": 3}, {"list": [3, {}, {"name": 3}]}])
def test_what_is_no_list_of_packages_has_none(packages):
    assert packages_of({"packages": packages}) == {}


def test_variables_that_decide_what_is_computed_are_as_in_the_run():
    recorded = {
        "variables": {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "3", "LD_PRELOAD": "x"}
    }
    environ = {"OMP_NUM_THREADS": "8", "TF_DETERMINISTIC_OPS": "1", "HOME": "/root"}

    changed, notes = replay_variables(recorded, environ)

    assert changed == {"OMP_NUM_THREADS": "1", "HOME": "/root"}
    assert notes == [
        "`OMP_NUM_THREADS` is `1` as in the run; in your environment it is `8`",
        "`TF_DETERMINISTIC_OPS` is not set as in the run; in your environment it is `1`",
    ]


@pytest.mark.parametrize("value", ["<redacted>", 1, ["a"], "a\0b"])
def test_variables_that_no_environment_can_have_are_left_alone(value):
    environ = {"XLA_FLAGS": "mine"}

    assert replay_variables({"variables": {"XLA_FLAGS": value}}, environ) == (environ, [])
    assert replay_variables({}, environ) == (environ, [])
