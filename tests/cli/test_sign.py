"""`repro sign`, and what else shows that a run is signed."""

import json
import sys
from pathlib import Path

import pytest
from tests.support import git
from tests.support.cli import Cli
from tests.support.projects import begin, make_run, open_here
from tests.support.signing import allow_key, use_ssh_key

from repro.store.refs import RUNS


@pytest.fixture
def key(repository: Path, tmp_path: Path) -> Path:
    made = use_ssh_key(repository, tmp_path)
    allow_key(repository, made)
    return made


def test_runs_are_signed_once_and_show_says_by_whom(repository: Path, key: Path, cli: Cli) -> None:
    run = make_run(open_here(repository))
    assert "signature" not in cli("show", "@").out
    assert cli("sign", "@").err == f"run {run.id} is signed\n"
    [told] = json.loads(cli("sign", "@", "@", "--json").out)
    assert (told["run"], told["state"]) == (run.id, "good")
    assert told["signers"] == ["ada@example.org"]
    assert cli("sign", "@").err == f"run {run.id} is signed already\n"
    assert "good, by ada@example.org" in cli("show", "@").out
    shown = json.loads(cli("show", "@", "--json").out)
    assert shown["signature"] == {"state": "good", "signers": ["ada@example.org"]}


def test_a_run_is_signed_at_its_end_where_that_is_set(
    repository: Path, key: Path, cli: Cli
) -> None:
    git(repository, "config", "repro.sign", "true")
    done = cli("run", "--json", "--", sys.executable, "-c", "print(1)")
    run_id = json.loads(done.out)["id"]
    git(repository, "verify-commit", RUNS + run_id)


def test_a_key_that_is_gone_neither_fails_nor_loses_the_run(repository: Path, cli: Cli) -> None:
    git(repository, "config", "gpg.format", "ssh")
    git(repository, "config", "user.signingKey", "/nowhere/key")
    git(repository, "config", "repro.sign", "true")
    done = cli("run", "--", sys.executable, "-c", "raise SystemExit(3)", code=3)
    assert done.err.count("is not signed") == 1
    assert "repro sign " in done.err
    assert json.loads(cli("ls", "--json").out)[0]["exit_code"] == 3


def test_a_run_in_progress_is_not_signed(repository: Path, key: Path, cli: Cli) -> None:
    live = begin(open_here(repository))
    assert "still in progress" in cli("sign", "@", code=129).err
    live.journal.close()


def test_without_a_key_the_reason_and_the_next_command_are_said(repository: Path, cli: Cli) -> None:
    git(repository, "config", "gpg.format", "ssh")
    git(repository, "config", "user.signingKey", "/nowhere/key")
    make_run(open_here(repository))
    done = cli("sign", "@", code=128)
    assert "git cannot sign" in done.err
    assert "user.signingKey" in done.err
