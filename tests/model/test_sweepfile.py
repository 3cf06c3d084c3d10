"""A sweep file means what it means to W&B, and says where it is wrong."""

import math
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.spaces import values

from repro.errors import InvalidInputError
from repro.model.space import Beta, Categorical, Constant, IntUniform, Normal, Uniform
from repro.model.sweepcheck import check_spec
from repro.model.sweepfile import parse_sweep_file
from repro.model.sweepspec import EarlyStop, Method, SweepSpec

LOG = {"min": -3, "max": 2}
VALUES = {"min": 1e-5, "max": 0.1}
MINIMAL = {"method": "random", "parameters": {"lr": {"min": 0.0, "max": 1.0}}}


def parse(**changes):
    return parse_sweep_file({**MINIMAL, **changes}, name="sweep.yaml")


def param(**keys):
    return parse(parameters={"lr": keys}).space["lr"]


def test_a_whole_file_is_read():
    spec = parse_sweep_file(
        {
            "program": "train.py",
            "name": "my-sweep",
            "description": "why",
            "project": "p",
            "entity": "e",
            "kind": "sweep",
            "method": "bayes",
            "metric": {"name": "val_loss", "goal": "maximize", "target": 0.1},
            "run_cap": 50,
            "seed": 7,
            "early_terminate": {
                "type": "hyperband", "min_iter": 3, "eta": 3, "s": 2, "max_iter": 27,
                "strict": True,
            },
            "command": ["${env}", "${interpreter}", "${program}", 5, True, "${args}"],
            "parameters": {
                "lr": {"distribution": "log_uniform_values", **VALUES},
                "model": {"parameters": {"width": {"values": [64, 128]}, "depth.n": {"value": 2}}},
                "opt": {"values": ["sgd", "adam"]},
            },
        },
        name="sweep.yaml",
    )  # fmt: skip

    assert spec == SweepSpec(
        method=Method.TPE,
        space={
            "lr": Uniform(1e-5, 0.1, is_log=True),
            "model.width": Categorical((64, 128)),
            "model.depth.n": Constant(2),
            "opt": Categorical(("sgd", "adam")),
        },
        command=("${env}", "${interpreter}", "train.py", "5", "True", "${args}"),
        is_macro=True,
        metric="val_loss",
        goal="maximize",
        target=0.1,
        run_cap=50,
        early=EarlyStop(kind="hyperband", min_iter=3, max_iter=27, eta=3),
        seed=7,
        name="my-sweep",
        note="why",
    )
    assert list(spec.space) == ["lr", "model.width", "model.depth.n", "opt"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"value": None}, Constant(None)),
        ({"distribution": "constant", "value": [1]}, Constant([1])),
        ({"values": [1, "a", None, True]}, Categorical((1, "a", None, True))),
        ({"distribution": "categorical", "values": [{"a": 1}]}, Categorical(({"a": 1},))),
        ({"min": 1, "max": 3}, IntUniform(1, 3)),
        ({"distribution": "int_uniform", "min": 1, "max": 3}, IntUniform(1, 3)),
        ({"min": 1, "max": 3.0}, Uniform(1.0, 3.0)),
        ({"distribution": "uniform", "min": 1, "max": 3}, Uniform(1.0, 3.0)),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 0.1}, Uniform(0.0, 1.0, 0.1)),
        ({"distribution": "q_uniform", "min": 1, "max": 9}, Uniform(1.0, 9.0, 1)),
        ({"distribution": "log_uniform", **LOG}, Uniform(math.exp(-3), math.exp(2), is_log=True)),
        ({"distribution": "log_uniform_values", **VALUES}, Uniform(1e-5, 0.1, is_log=True)),
        ({"distribution": "inv_log_uniform", **LOG},
         Uniform(math.exp(-2), math.exp(3), is_log=True)),
        ({"distribution": "inv_log_uniform_values", **VALUES}, Uniform(1e-5, 0.1, is_log=True)),
        ({"distribution": "q_log_uniform", "min": 0, "max": 5},
         Uniform(1.0, math.exp(5), 1, is_log=True)),
        ({"distribution": "q_log_uniform_values", "min": 32, "max": 256, "q": 8},
         Uniform(32.0, 256.0, 8, is_log=True)),
        ({"distribution": "normal"}, Normal(0.0, 1.0)),
        ({"distribution": "q_normal", "mu": 3, "q": 0.5}, Normal(3.0, 1.0, 0.5)),
        ({"distribution": "log_normal", "sigma": 2}, Normal(0.0, 2.0, is_log=True)),
        ({"distribution": "q_log_normal"}, Normal(0.0, 1.0, 1, is_log=True)),
        ({"distribution": "beta", "a": 2}, Beta(2.0, 1.0)),
        ({"distribution": "q_beta", "q": 0.25}, Beta(1.0, 1.0, 0.25)),
    ],
)  # fmt: skip
def test_every_distribution_is_read(keys, expected):
    assert repr(param(**keys)) == repr(expected)


@pytest.mark.parametrize(
    ("keys", "reason", "hint"),
    [
        ({"mim": 1, "max": 2}, "unknown key `parameters.lr.mim`", "did you mean `min`"),
        ({"zzz": 1}, "unknown key `parameters.lr.zzz`", "`distribution`"),
        ({"distribution": "uniformly"}, "cannot be `uniformly`", "did you mean `uniform`"),
        ({"distribution": "foo"}, "cannot be `foo`", "it is one of"),
        ({"distribution": 3}, "must be text, not a number", "quotes"),
        ({}, "does not say which values", "values"),
        ({"mu": 1}, "does not say which `distribution`", "write it as"),
        ({"min": 1}, "has no `max`", "write it as"),
        ({"min": None, "max": 1}, "has no `min`", "write it as"),
        ({"values": None}, "has no `values`", "write it as"),
        ({"values": 3}, "must be a list, not a number", "[A, B]"),
        ({"values": []}, "no value to choose from", "mend"),
        ({"values": [1, 1.0]}, "occurs twice", "mend"),
        ({"values": [1, float("nan")]}, "not finite", "mend"),
        ({"values": ["a\0"]}, "no program can be given", "mend"),
        ({"values": [1], "value": 1}, "`parameters.lr.values` means nothing", "which"),
        ({"values": [1], "min": 1}, "`parameters.lr.min` means nothing", "which"),
        ({"values": [1, 2], "probabilities": [1]}, "2 values, but 1 prob", "mend"),
        ({"values": [1, 2], "probabilities": [0.1, 0.2]}, "add up to 0.3", "mend"),
        ({"values": [1, 2], "probabilities": [1.5, -0.5]}, "negative", "mend"),
        ({"values": [1, 2], "probabilities": [1e308, 1e308]}, "more than 1", "mend"),
        ({"values": [1, 2], "probabilities": [10**400, 0]}, "more than 1", "mend"),
        ({"values": [1, 2], "probabilities": [float("nan"), 1]}, "no number", "mend"),
        ({"values": [1, 2], "probabilities": ["a", 1]}, "numbers only", "0.3"),
        ({"values": [1, 2], "probabilities": 3}, "must be a list", "[A, B]"),
        ({"min": 2, "max": 1}, "`min` 2 is not below `max` 1", "mend"),
        ({"min": 1, "max": 1}, "one value, not a range", "mend"),
        ({"min": "1e-3", "max": 1}, "must be a number, not text", "without quotes"),
        ({"min": True, "max": 1}, "must be a number, not true or false", "quotes"),
        ({"min": 0.0, "max": float("inf")}, "must be finite", "reached"),
        ({"min": 0.0, "max": 10**400}, "must be finite", "reached"),
        ({"distribution": "int_uniform", "min": 1.5, "max": 2}, "must be a whole number", "dot"),
        ({"min": 1, "max": 3, "q": 2}, "`parameters.lr.q` means nothing", "q_uniform"),
        ({"distribution": "normal", "min": 1}, "`parameters.lr.min` means nothing", "take"),
        ({"distribution": "normal", "sigma": -1}, "`sigma` must be more", "mend"),
        ({"distribution": "log_uniform_values", "min": 0, "max": 1}, "more than 0, not", "mend"),
        ({"distribution": "q_uniform", "min": 0, "max": 1, "q": 0}, "more than 0", "mend"),
        ({"distribution": "q_log_uniform_values", **VALUES}, "no multiple of `q` 1", "mend"),
        ({"distribution": "beta", "a": 0}, "more than 0", "mend"),
        ({"parameters": {"a": {"value": 1}}, "min": 1}, "unknown key `parameters.lr.min`",
         "`parameters`"),
        ({"parameters": [1]}, "`parameters.lr.parameters` must be a mapping", "write"),
        ({"parameters": {"a b": {"value": 1}}}, "`parameters.lr.parameters.a b` is not the name",
         "rename"),
    ],
)  # fmt: skip
def test_a_wrong_param_is_named_with_its_place(keys, reason, hint):
    with pytest.raises(InvalidInputError) as caught:
        param(**keys)

    assert reason in caught.value.message
    assert caught.value.message.startswith("`sweep.yaml`: ")
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "bounds", [{"min": 1e-5, "max": 0.1}, {"min": 16, "max": 256}, {"min": 1e-4, "max": 10}]
)
@pytest.mark.parametrize("kind", ["log_uniform", "inv_log_uniform", "q_log_uniform"])
def test_values_where_exponents_belong_are_noticed(kind, bounds):
    with pytest.raises(InvalidInputError, match="are exponents of e, so") as caught:
        param(distribution=kind, **bounds)

    assert f"`distribution: {kind}_values`" in caught.value.hint


def test_what_exponents_mean_is_told_to_the_digit_that_shows_it():
    with pytest.raises(InvalidInputError, match=r"1e-06 and 0\.001 mean 1\.000001 and 1\.001"):
        param(distribution="log_uniform", min=1e-6, max=1e-3)


def test_an_exponent_beyond_all_numbers_is_refused():
    with pytest.raises(InvalidInputError, match="exponents of e"):
        param(distribution="log_uniform", min=-1e9, max=0)


@pytest.mark.parametrize(
    ("changes", "reason", "hint"),
    [
        ({"methd": 1}, "unknown key `methd`", "did you mean `method`"),
        ({"a\x1bb": 1}, r"unknown key `a\x1bb`", "the keys are"),
        ({"metrics": []}, "`metrics` is not supported", "one metric"),
        ({"scheduler": {}}, "`scheduler` is not supported", "method"),
        ({"controller": {}}, "`controller` is not supported", "repro always"),
        ({"job": "x"}, "`job` is not supported", "program"),
        ({"image_uri": "x"}, "`image_uri` is not supported", "program"),
        ({"method": "bayesian"}, "cannot be `bayesian`", "`bayes`"),
        ({"method": "custom"}, "cannot be `custom`", "one of"),
        ({"kind": "job"}, "`kind` cannot be `job`", "sweep"),
        ({"parameters": None}, "no `parameters`", "add them"),
        ({"parameters": []}, "`parameters` must be a mapping, not a list", "write"),
        ({"parameters": {"lr": 0.1}}, "`parameters.lr` must be a mapping", "{value: X}"),
        ({"parameters": {"lr": [1, 2]}}, "`parameters.lr` must be a mapping", "{values: [A, B]}"),
        ({"parameters": {"": {"value": 1}}}, "not the name of a param", "rename"),
        ({"parameters": {"a": {"parameters": {"b": {"value": 1}}}, "a.b": {"value": 2}}},
         "`parameters.a.b` is there twice", "keep one"),
        ({"metric": "loss"}, "`metric` must be a mapping, not text", "name: val_loss"),
        ({"metric": {}}, "`metric` has no `name`", "logs it"),
        ({"metric": {"name": "l", "goal": "min"}}, "`metric.goal` cannot be `min`", "minimize"),
        ({"metric": {"name": "l", "gaol": "x"}}, "unknown key `metric.gaol`", "`goal`"),
        ({"metric": {"name": "l", "impute": "worst"}}, "`metric.impute` is not supported", "take"),
        ({"metric": {"name": "l", "target": float("nan")}}, "must be finite", "reached"),
        ({"metric": {"name": " "}}, "`metric.name` is empty", "fill"),
        ({"metric": {"name": 3}}, "`metric.name` must be text", "quotes"),
        ({"run_cap": 5.0}, "`run_cap` must be a whole number, not 5.0", "dot"),
        ({"run_cap": "5"}, "`run_cap` must be a whole number, not text", "quotes"),
        ({"run_cap": True}, "`run_cap` must be a whole number", "quotes"),
        ({"name": 3}, "`name` must be text", "quotes"),
        ({"program": ["a"]}, "`program` must be text", "quotes"),
        ({"command": "python train.py"}, "`command` must be a list, not text", "[A, B]"),
        ({"command": []}, "`command` is empty", "interpreter"),
        ({"command": ["a", None]}, "must be a list of words", "quotes"),
        ({"command": ["a\0"]}, "no program can be given", "interpreter"),
        ({"parameters": {"a": {"value": [[[[[[[[[[1]]]]]]]]]]}}}, "deeper than 8", "mend"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_place(changes, reason, hint):
    with pytest.raises(InvalidInputError) as caught:
        parse(**changes)

    assert reason in caught.value.message
    assert caught.value.message.startswith("`sweep.yaml`: ")
    assert caught.value.message.isprintable()
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("changes", "reason", "hint"),
    [
        ({"parameters": {}}, "there is no param", "name the params"),
        ({"parameters": {"a": {"value": 1}, "a.b": {"value": 1}}}, "`a` is a param, and a section",
         "leave out"),
        ({"method": "bayes"}, "the method `tpe` needs to know which metric counts", "metric:"),
        ({"method": "cmaes"}, "needs to know which metric", "--metric"),
        ({"early_terminate": {"type": "median"}}, "stopping trials early needs to know", "metric"),
        ({"run_cap": 0}, "a sweep of 0 trials", "from 1"),
        ({"run_cap": 10**9}, "a sweep of 1,000,000,000 trials", "from 1"),
        ({"seed": -1}, "the seed -1 is out of range", "from 0"),
        ({"command": ["${agrs}"]}, "a param; did you mean `${args}`", "$${agrs}"),
        ({"command": ["${program}"]}, "no `program` is given", "program: train.py"),
        ({"method": "grid"}, "every value of `lr`, which is continuous", "q_uniform"),
        ({"method": "grid", "parameters": {"a": {"min": 1, "max": 10**7}}},
         "the grid has 10,000,000 points", "run_cap"),
        ({"method": "grid", "parameters": {f"p{n}": {"min": 0, "max": 999} for n in range(99)}},
         "more than 1,000,000,000,000,000 points", "run_cap"),
        ({"method": "grid", "parameters": {"a": {"values": [1, 2], "probabilities": [0.5, 0.5]}}},
         "probabilities mean nothing", "random"),
        ({"parameters": {f"p{n}": {"value": 1} for n in range(1001)}}, "1,001 params", "name"),
        ({"parameters": {"a": {"value": "x" * 70_000}}}, "take up to 70,", "leave out"),
    ],
)  # fmt: skip
def test_a_file_that_asks_for_what_cannot_be_done_is_refused(changes, reason, hint):
    with pytest.raises(InvalidInputError) as caught:
        check_spec(parse(**changes))

    assert reason in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("value", [None, [], "x", 3])
def test_a_file_that_holds_no_mapping_is_refused(value):
    with pytest.raises(InvalidInputError, match="the file must be a mapping"):
        parse_sweep_file(value, name="sweep.yaml")


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["a", "b.c", "method"]), values, max_size=3), values)
def test_whatever_stands_in_a_file_the_answer_is_a_spec_or_an_error_for_people(space, command):
    with suppress(InvalidInputError):
        parse(parameters={**space, "lr": {"value": command}}, command=command)


def test_a_hundred_levels_of_params_are_refused():
    nested = {"value": 1}
    for _ in range(100):
        nested = {"parameters": {"a": nested}}

    with pytest.raises(InvalidInputError, match="nested deeper than 32"):
        parse(parameters={"a": nested})


def test_the_line_of_what_is_wrong_is_told():
    lines = {("parameters",): 2, ("parameters", "lr"): 3, ("parameters", "lr", "mim"): 4}
    value = {"parameters": {"lr": {"mim": 1}}}

    with pytest.raises(InvalidInputError, match=r"^`sweep\.yaml` line 4: unknown key"):
        parse_sweep_file(value, name="sweep.yaml", lines=lines)
    value["parameters"]["lr"] = {"values": []}
    with pytest.raises(InvalidInputError, match=r"^`sweep\.yaml` line 3: `parameters\.lr`"):
        parse_sweep_file(value, name="sweep.yaml", lines=lines)


EARLY = {"metric": {"name": "loss"}}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"min_iter": 3}, EarlyStop(kind="hyperband", min_iter=3)),
        ({"max_iter": 27, "s": 2}, EarlyStop(kind="hyperband", min_iter=3, max_iter=27)),
        ({"max_iter": 27, "s": 9}, EarlyStop(kind="hyperband", min_iter=1, max_iter=27)),
        ({"max_iter": 10, "s": 3.0, "eta": 2.0},
         EarlyStop(kind="hyperband", min_iter=1, max_iter=10, eta=2)),
        ({"max_iter": 27}, EarlyStop(kind="hyperband", max_iter=27)),
        ({"min_iter": 3, "s": 2}, EarlyStop(kind="hyperband", min_iter=3)),
        ({"type": "median"}, EarlyStop(kind="median")),
        ({"type": "median", "min_iter": 2, "n_startup": 9},
         EarlyStop(kind="median", min_iter=2, n_startup=9)),
    ],
)  # fmt: skip
def test_early_stopping_is_read(keys, expected):
    assert parse(**EARLY, early_terminate={"type": "hyperband", **keys}).early == expected


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"type": None}, "has no `type`"),
        ({"type": "asha"}, "cannot be `asha`"),
        ({}, "needs `min_iter`, or `max_iter` with `s`"),
        ({"s": 2}, "`s` counts back from `max_iter`"),
        ({"s": -1, "min_iter": 3}, "`early_terminate.s` must be 1 or more"),
        ({"s": 2, "max_iter": 27, "min_iter": 4}, "`s` and `max_iter` stop trials from 3 on"),
        ({"min_iter": 0}, "of 1 or more"),
        ({"min_iter": 9, "max_iter": 3}, "`max_iter` 3 is less than `min_iter` 9"),
        ({"min_iter": 3, "eta": 1}, "`eta` of 2 or more"),
        ({"min_iter": 3, "eta": 2.5}, "must be a whole number, not 2.5"),
        ({"min_iter": 3, "strict": False}, "can only be true"),
        ({"min_iter": 3, "n_startup": 3}, "unknown key `early_terminate.n_startup`"),
        ({"type": "median", "eta": 3}, "unknown key `early_terminate.eta`"),
    ],
)
def test_wrong_early_stopping_is_refused(keys, reason):
    with pytest.raises(InvalidInputError) as caught:
        check_spec(parse(**EARLY, early_terminate={"type": "hyperband", **keys}))

    assert reason in caught.value.message


def test_a_program_alone_runs_as_wandb_runs_it():
    spec = parse(program="train.py")

    assert spec.command == ("${env}", "${interpreter}", "train.py", "${args}")
    assert spec.is_macro


def test_a_command_without_macros_gets_nothing_added():
    assert parse(command=["python", "t.py"]).is_macro


def test_a_file_may_leave_command_and_method_open():
    spec = parse_sweep_file({"parameters": {"lr": {"values": [1, 2]}}}, name="sweep.yaml")

    assert spec.command == ()
    assert not spec.is_macro
    assert spec.method is Method.GRID
    assert parse(method=None).method is Method.RANDOM


def test_what_the_command_line_will_add_may_be_absent():
    assert parse(method="tpe").metric is None


def test_a_large_grid_with_a_cap_is_fine():
    check_spec(parse(method="grid", parameters={"a": {"min": 1, "max": 10**15}}, run_cap=5))
