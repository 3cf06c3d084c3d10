"""`repro tag`, `repro note`, `repro rename`."""

import json
import time
from pathlib import Path

import pytest
from tests.support import git
from tests.support.cli import Cli
from tests.support.projects import begin, end, make_run, open_here
from tests.support.secrets import make_secret


def test_tags_come_and_go(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository), name="x")
    assert cli("tag", "x", "good", "v2").err == f"run {run.id[:6]} has the tags `good`, `v2` now\n"
    assert cli("tag", "x").out == "good\nv2\n"
    assert cli("tag", "-d", "x", "good", "--json").out == '[\n  "v2"\n]\n'
    assert cli("tag", "-d", "x", "v2").err == f"run {run.id[:6]} has no tags now\n"
    assert cli("tag", "x").out == ""


def test_plain_git_reads_a_run_before_and_after_a_tag(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository), config={"lr": 0.1})
    ref = f"refs/repro/runs/{run.id}"
    before = git(repository, "show", f"{ref}:config.yaml")
    code = git(repository, "rev-parse", f"{ref}^")
    cli("tag", "@", "good")
    assert before == git(repository, "show", f"{ref}:config.yaml")
    assert code == git(repository, "rev-parse", f"{ref}^")
    assert json.loads(git(repository, "show", f"{ref}:run.json"))["tags"] == ["good"]


def test_a_note_is_written_printed_and_removed(repository: Path, cli: Cli) -> None:
    make_run(open_here(repository))
    cli("note", "@", "first\nsecond \x1b[2J")
    assert cli("note", "@").out == "first\nsecond \\x1b[2J\n"
    cli("note", "@", "")
    assert cli("note", "@").out == ""


def test_a_run_gets_another_name(repository: Path, cli: Cli) -> None:
    run = make_run(open_here(repository), name="old")
    assert cli("rename", "old", "new").err == f"run {run.id[:6]} is called `new` now\n"
    said = cli("show", "old", code=128).err
    assert f"no run `old`: run {run.id[:6]}, which was called so, is `new`\n" in said
    assert "was called" not in cli("show", "older", code=128).err
    cli("show", "new")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["tag", "nothing", "x"], 128),
        (["tag", "@", ""], 128),
        (["tag", "-d", "@"], 129),
        (["tag", "-d", "@", "absent"], 128),
        (["rename", "@", "a\nb"], 128),
        (["rename", "@"], 129),
        (["note"], 129),
    ],
)
def test_a_wrong_request_is_one_error(
    repository: Path, cli: Cli, words: list[str], code: int
) -> None:
    make_run(open_here(repository))
    assert "hint" in cli(*words, code=code).err


def test_a_run_in_progress_is_tagged_noted_and_renamed_but_not_removed(
    repository: Path, cli: Cli
) -> None:
    live = begin(open_here(repository, time.time), name="old")
    cli("tag", "old", "good", "bad")
    cli("tag", "-d", "old", "bad")
    cli("note", "old", "so far\nso good")
    cli("rename", "old", "new")

    assert cli("tag", "new").out == "good\n"
    [listed] = json.loads(cli("ls", "--where", "tag = good", "--json").out)
    assert (listed["name"], listed["note"], listed["status"]) == (
        "new",
        "so far\nso good",
        "running",
    )
    assert "in progress" in cli("rm", "new", code=129).err

    end(live, repository)
    sealed = json.loads(git(repository, "show", f"refs/repro/runs/{live.id}:run.json"))
    assert (sealed["name"], sealed["tags"], sealed["note"]) == (
        "new",
        ["good"],
        "so far\nso good",
    )


@pytest.mark.parametrize(
    ("verb", "where"), [("note", "the note"), ("tag", "a tag"), ("rename", "the name")]
)
def test_a_secret_that_is_taken_out_is_said(
    repository: Path, cli: Cli, verb: str, where: str
) -> None:
    make_run(open_here(repository))
    secret = make_secret("github")
    ended = cli(verb, "@", f"key {secret}")
    warning = f"repro: warning: what looks like a secret was taken out of {where}\n"
    assert ended.err.startswith(warning)
    assert secret not in ended.out + ended.err
    assert "secret" not in cli(verb, "@", "plain").err
