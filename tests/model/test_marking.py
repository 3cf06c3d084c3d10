import hashlib
import hmac

import pytest
from tests.support.secrets import SHAPED, make_secret

from repro.model.marking import MARK, UNKEYED, Marker, is_marked, without_keys
from repro.model.secrets import list_secrets, redact_argv, redact_config, redact_text

HERE, THERE = Marker(b"a key of this clone"), Marker(b"a key of another one")


def test_equal_secrets_have_equal_marks_in_a_clone_and_others_elsewhere():
    marks = {HERE.mark("hunter2"), HERE.mark("hunter3"), THERE.mark("hunter2")}
    assert len(marks) == 3
    assert HERE.mark("hunter2") in marks
    assert all(len(mark) == len("<redacted:01234567>") for mark in marks)


def test_without_a_key_a_mark_tells_nothing():
    assert UNKEYED.mark("hunter2") == UNKEYED.mark("hunter3") == "<redacted>"


def test_a_mark_never_shows_its_key():
    assert "clone" not in repr(HERE)


@pytest.mark.parametrize(
    "argv",
    [
        ["--api-key", "x", "--token=y", "API_KEY=z", "wandb", "login", "k"],
        ["sh", "-c", "T_TOKEN=x python t.py --password 'y z' https://u:p@h/x?sig=abc"],
        ["curl", "-H", "Authorization: Bearer abcdefgh.1234"],
    ],
)
def test_what_was_taken_out_once_is_not_marked_anew(argv):
    once = redact_argv(argv, HERE)
    assert redact_argv(once, HERE) == once != tuple(argv)


def test_a_config_that_was_redacted_stays_as_it_is():
    config = redact_config({"api_key": "x", "db": {"password": 5, "url": "http://u:p@h"}}, HERE)
    assert redact_config(config, HERE) == config
    assert is_marked(str(config["api_key"]))


def test_a_bare_mark_of_an_older_record_stays_bare():
    assert redact_config({"api_key": "<redacted>"}, HERE) == {"api_key": "<redacted>"}


def test_quotes_around_a_secret_do_not_count():
    plain = redact_argv(["--password", "abc"], HERE)[1]
    assert redact_argv(["sh", "-c", "x --password 'abc'"], HERE)[2] == f"x --password {plain}"


def test_without_keys_marks_are_as_in_every_clone():
    value = {"a": [HERE.mark("x"), f"--k={HERE.mark('y')}"], "b": 1, "c": None}
    assert without_keys(value) == {"a": ["<redacted>", "--k=<redacted>"], "b": 1, "c": None}


def test_the_secrets_of_a_command_are_listed():
    argv = ["--api-key", "x", "https://ada:pass@h/x", "TOKEN=y"]
    assert list_secrets(argv) == ["x", "pass", "y"]


def test_a_text_with_a_mark_is_known_by_it():
    assert is_marked(f"a {HERE.mark('x')} b")
    assert is_marked("a <redacted> b")
    assert not is_marked("a <redacted:x> b")
    assert MARK not in redact_text("plain", HERE)


@pytest.mark.parametrize("kind", SHAPED)
def test_what_a_push_would_stop_at_is_marked_in_every_text(kind):
    secret = make_secret(kind)
    last = secret.splitlines()[-1]
    assert last not in redact_text(f"a note on {secret}", HERE)
    assert last not in str(redact_argv(["python", "t.py", secret], HERE))
    assert last not in str(redact_config({"a": {"b": [f"use {secret} now"]}}, HERE))


def test_a_password_that_a_text_names_is_marked():
    password = make_secret("password")
    assert password not in redact_text(f'log in with db_password = "{password}"', HERE)


def test_without_a_key_a_fingerprint_is_of_this_process_only():
    assert UNKEYED.fingerprint(b"hunter2") == UNKEYED.fingerprint(b"hunter2")
    guessed = hmac.new(b"", b"hunter2", hashlib.sha256).hexdigest()
    assert not guessed.startswith(UNKEYED.fingerprint(b"hunter2"))
