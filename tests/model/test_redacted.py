"""Secrets that a record lacks come back from the environment, each from a named variable."""

import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.redacted import Redacted, fill_redacted, find_redacted
from repro.model.secrets import redact_argv


def words_of(line):
    """The words that the shell gives to the program `t` of a line."""
    line = line.replace(" t ", " printf '%s\\0' t ", 1)
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


def variables(argv):
    return [found.variables for found in find_redacted(redact_argv(argv))]


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        (["t", "--api-key", "K"], [("REPRO_SECRET_API_KEY", "API_KEY")]),
        (["t", "--db.password=K"], [("REPRO_SECRET_DB_PASSWORD", "DB_PASSWORD")]),
        (["env", "HF_TOKEN=K", "t"], [("REPRO_SECRET_HF_TOKEN", "HF_TOKEN")]),
        (["t", "https://me:k@git.example.com:80/x"], [("REPRO_SECRET_GIT_EXAMPLE_COM",)]),
        (["t", "https://h/x?a=1&token=k"], [("REPRO_SECRET_TOKEN", "TOKEN")]),
        (["wandb", "login", "k"], [("REPRO_SECRET_WANDB",)]),
        (["/bin/wandb", "login", "--relogin", "k"], [("REPRO_SECRET_WANDB",)]),
        (["t", f"sk-{'a' * 30}"], [("REPRO_SECRET_ARG_1",)]),
        (["t", "-H", "X-Api-Key: k"], [("REPRO_SECRET_X_API_KEY", "X_API_KEY")]),
        (["t", "Bearer abcdefghijk"], [("REPRO_SECRET_ARG_1",)]),
        (
            ["t", f"sk-{'a' * 30},sk-{'b' * 30}"],
            [("REPRO_SECRET_ARG_1",), ("REPRO_SECRET_ARG_1_2",)],
        ),
        (
            ["sh", "-c", "A_TOKEN='x y' t --password k"],
            [("REPRO_SECRET_A_TOKEN", "A_TOKEN"), ("REPRO_SECRET_PASSWORD", "PASSWORD")],
        ),
        (["t", "--lr", "0.1"], []),
    ],
)
def test_each_secret_names_the_variables_that_give_it_back(argv, names):
    assert variables(argv) == names


def test_a_secret_says_where_it_was_and_what_it_belongs_to():
    assert find_redacted(["t", "--api-key", "<redacted>"]) == [
        Redacted(2, "--api-key", ("REPRO_SECRET_API_KEY", "API_KEY"))
    ]


def test_the_variable_made_for_it_wins_over_the_plain_one():
    argv = ["t", "--api-key=<redacted>"]
    environ = {"API_KEY": "other", "REPRO_SECRET_API_KEY": "mine"}

    assert fill_redacted(argv, environ) == (("t", "--api-key=mine"), ())
    assert fill_redacted(argv, {"API_KEY": "other"}) == (("t", "--api-key=other"), ())


def test_what_is_not_set_stays_and_is_named():
    argv = ["t", "--api-key=<redacted>", "--token", "<redacted>"]

    filled, missing = fill_redacted(argv, {"TOKEN": "t", "API_KEY": ""})

    assert filled == ("t", "--api-key=<redacted>", "--token", "t")
    assert [one.variables for one in missing] == [("REPRO_SECRET_API_KEY", "API_KEY")]


@given(st.text("ab '\"$`\\;&|*()-é<>", min_size=1, max_size=12))
def test_in_a_line_of_shell_a_secret_is_one_word_whatever_it_is(secret):
    argv = ["sh", "-c", 'A_KEY=<redacted> t --token <redacted> "B_TOKEN=<redacted>"']

    filled, _ = fill_redacted(argv, {"TOKEN": secret, "A_KEY": secret, "B_TOKEN": secret})

    assert words_of(filled[2]) == ["t", "--token", secret, f"B_TOKEN={secret}"]


def test_a_hostile_command_takes_no_time():
    started = time.process_time()

    for argv in (
        ["sh", "-c", "a=<redacted>" * 10_000],
        ["wandb", "login", *["<redacted>"] * 50_000],
    ):
        filled, missing = fill_redacted(argv, {"A": "x", "REPRO_SECRET_WANDB": "'"})
        assert (len(filled), len(find_redacted(filled))) == (len(argv), len(missing))

    assert time.process_time() - started < 20


def test_a_command_that_was_filled_is_recorded_as_before():
    argv = ("t", "--api-key", "<redacted>", "https://<redacted>@h.io/x", "DB_PASS=<redacted>")
    environ = {"API_KEY": "k", "REPRO_SECRET_H_IO": "u:p", "DB_PASS": "x"}

    filled, missing = fill_redacted(argv, environ)

    assert (missing, redact_argv(filled)) == ((), argv)
