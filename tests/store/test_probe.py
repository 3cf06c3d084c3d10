"""A program asked for facts never holds us up and never fails us."""

import os
import time
from pathlib import Path

import pytest

from repro.store.probe import Answer, ask_program


def ask(*argv: str, timeout_s: float = 10.0, **variables: str) -> Answer:
    environ = {**os.environ, **variables}
    return ask_program(argv, environ=environ, cwd=Path("/"), timeout_s=timeout_s)


def test_what_it_printed_is_the_answer():
    assert Answer(b"hello\n") == ask("echo", "hello")


def test_it_gets_no_input():
    assert Answer(b"") == ask("cat")


def test_a_failure_says_code_and_reason():
    answer = ask("sh", "-c", "echo first >&2; echo because >&2; exit 4")

    assert Answer(b"", "ended with exit code 4: because") == answer


@pytest.mark.parametrize("argv", [("/absent/program",), ("/",), ("echo", "a\0b")])
def test_what_cannot_be_run_is_an_answer(argv):
    assert "cannot be run" in str(ask(*argv).error)


def test_it_is_killed_with_its_children_when_time_is_up():
    before = time.monotonic()

    answer = ask("sh", "-c", "sleep 60 & sleep 60", timeout_s=0.2)

    assert Answer(b"", "no answer within 0.2 s") == answer
    assert time.monotonic() - before < 20
