"""A command's macros are filled as W&B's agent fills them, and nothing is left out silently."""

import json

import pytest

from repro.errors import InvalidInputError
from repro.model.macros import (
    DEFAULT_COMMAND,
    check_command,
    fill_command,
    names_params,
    needs_json_file,
    with_program,
)

PARAMS = {"lr": 1e-05, "model.width": 64, "amp": True, "bias": False, "opt": "a b", "none": None}


def fill(*words, params=PARAMS, environ=None, json_file=None):
    return fill_command(words, params, environ=environ or {}, json_file=json_file)


def test_the_default_command_is_that_of_wandb():
    words = with_program(DEFAULT_COMMAND, "train.py")

    assert fill(*words, params={"lr": 0.1}) == ("/usr/bin/env", "python", "train.py", "--lr=0.1")


@pytest.mark.parametrize(
    ("macro", "words"),
    [
        ("args", "--lr=1e-05 --model.width=64 --amp=True --bias=False --opt=a| b --none=None"),
        ("args_no_hyphens", "lr=1e-05 model.width=64 amp=True bias=False opt=a| b none=None"),
        ("args_no_boolean_flags", "--lr=1e-05 --model.width=64 --amp --opt=a| b --none=None"),
        ("args_no_equals", "--lr 1e-05 --model.width 64 --amp True --bias False --opt a| b "
         "--none None"),
        ("args_append_hydra", "+lr=1e-05 +model.width=64 +amp=True +bias=False +opt=a| b "
         "+none=None"),
        ("args_override_hydra", "++lr=1e-05 ++model.width=64 ++amp=True ++bias=False ++opt=a| b "
         "++none=None"),
    ],
)  # fmt: skip
def test_all_params_are_said_in_the_form_asked_for(macro, words):
    expected = words.replace("| ", "|").split(" ")

    assert fill("x", f"${{{macro}}}", "y") == ("x", *(w.replace("|", " ") for w in expected), "y")


def test_json_has_the_params_nested():
    [word] = fill("${args_json}")

    assert json.loads(word)["model"] == {"width": 64}
    assert fill("--config", "${args_json_file}", json_file="/x/p.json") == ("--config", "/x/p.json")
    assert needs_json_file(["a", "--config=${args_json_file}"])
    assert not needs_json_file(["$${args_json_file}"])


def test_one_param_is_put_where_its_name_stands():
    assert fill("--lr", "${lr}", "-w${model.width}x${lr}") == ("--lr", "1e-05", "-w64x1e-05")


def test_lists_and_mappings_are_json():
    params = {"layers": [1, 2], "names": ["é"], "m": {"a": None}}

    assert fill("${args}", params=params) == ("--layers=[1, 2]", '--names=["é"]', '--m={"a": null}')


def test_several_words_within_one_are_quoted_for_a_shell():
    assert fill("-c", "python t.py ${args_no_hyphens} > log", params={"a": "x y", "b": 1}) == (
        "-c",
        "python t.py 'a=x y' b=1 > log",
    )


def test_a_value_is_never_read_as_a_macro_again():
    assert fill("${args}", "${a}", params={"a": "${args}"}) == ("--a=${args}", "${args}")
    assert with_program(["${program}"], "${args}.py") == ("$${args}.py",)


def test_a_second_dollar_keeps_the_text():
    assert fill("$${HOME}/x", "$${lr}") == ("${HOME}/x", "${lr}")
    assert not names_params(["$${HOME}", "$HOME", "$(x)"])


def test_variables_are_those_of_the_environment():
    assert fill("${envvar:GPU}/x", environ={"GPU": "3"}) == ("3/x",)
    with pytest.raises(InvalidInputError, match="no such variable") as caught:
        fill("${envvar:GPU}")
    assert "export GPU=" in caught.value.hint


@pytest.mark.parametrize("word", ["${agrs}", "x${ARGS}", "${}", "${l r}"])
def test_an_unknown_macro_is_named(word):
    for act in (lambda: fill(word), lambda: check_command([word], PARAMS)):
        with pytest.raises(InvalidInputError, match="neither a macro nor a param") as caught:
            act()
        assert word.removeprefix("x") in caught.value.message


def test_a_misspelt_macro_is_guessed():
    with pytest.raises(InvalidInputError, match=r"did you mean `..args_no_hyphens.`"):
        check_command(["${args_no_hyphen}"], PARAMS)


@pytest.mark.parametrize("act", [fill, lambda word: check_command([word], ())])
def test_program_without_a_program_is_refused(act):
    with pytest.raises(InvalidInputError, match="no `program` is given"):
        act("${program}")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["python", "train.py"], False),
        (["${env}", "${interpreter}", "${program}", "${envvar:A}"], False),
        (["python", "t.py", "--lr=${lr}"], True),
        (["python", "t.py", "${args}"], True),
        (["${args_json_file}"], True),
    ],
)
def test_a_command_says_where_params_go_if_any_macro_stands_for_some(words, expected):
    assert names_params(words) is expected
