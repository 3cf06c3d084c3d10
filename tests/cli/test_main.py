import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import git, make_repository
from tests.support.cli import REPRO, repro
from tests.support.waiting import until

from repro.cli.main import HEADINGS, VERBS
from repro.version import VERSION


def modules_of(*words: str) -> set[str]:
    """The modules that a command line imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "repro", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


def test_help_names_every_verb_and_imports_none_of_them():
    done = repro("--help")

    assert done.returncode == 0
    for verb, (_, line) in VERBS.items():
        assert f"  {verb} " in done.stdout
        assert line in done.stdout
    loaded = modules_of("--help")
    assert not loaded & {place.partition(":")[0] for place, _ in VERBS.values()}
    assert not {name for name in loaded if name.startswith(("repro.core", "repro.store"))}


def test_the_help_has_the_verbs_in_sections_by_what_they_are_for():
    said = repro("--help").stdout

    assert next(iter(HEADINGS)) == next(iter(VERBS))
    for verb, heading in HEADINGS.items():
        assert f"\n{heading}:\n  {verb} " in said


def test_without_a_verb_the_help_is_shown():
    assert repro().stdout == repro("--help").stdout


def test_the_version_is_told_without_loading_the_command_line():
    done = repro("--version")

    assert (done.returncode, done.stdout) == (0, f"repro {VERSION}\n")
    loaded = modules_of("--version")
    assert "click" not in loaded
    assert "repro.cli" not in loaded


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb, cli):
    said = cli(verb, "--help").out

    assert said.startswith(f"Usage: repro {verb} ")
    assert "\\b" not in said


@pytest.mark.parametrize("group", ["hook", "data", "env", "sweep"])
def test_a_verb_that_needs_another_word_and_gets_none_explains_itself(group, cli):
    assert cli(group).out == cli(group, "--help").out


@pytest.mark.parametrize("words", [(), ("run",), ("data", "add")], ids=" ".join)
def test_help_gives_the_help_of_a_verb_as_its_option_does(words, cli):
    assert cli("help", *words).out == cli(*words, "--help").out


@pytest.mark.parametrize("verb", ["ls", "log", "find", "compare", "plot", "report"])
def test_how_many_runs_are_wanted_is_asked_alike_of_every_verb(verb, cli):
    assert "-n, --limit N " in cli(verb, "--help").out


def test_a_choice_that_is_missing_is_told_on_one_line(cli):
    assert cli("completion", code=129).err.splitlines()[0].endswith("bash, zsh, fish")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("ls", "--limit", "x"), "whole number"),
        (("gc", "--grace", "x"), "number"),
        (("gc", "--grace", "nan"), "number"),
    ],
    ids=lambda words: " ".join(words),
)
def test_what_is_no_number_is_told_in_plain_words(words, name, cli):
    assert f"'{words[-1]}' is not a valid {name}\n" in cli(*words, code=129).err


def test_an_unknown_verb_gets_the_nearest_one_named():
    done = repro("sttus")

    assert done.returncode == 129
    assert done.stdout == ""
    assert done.stderr == ("repro: `sttus` is not a repro command\nhint: did you mean `status`?\n")


@pytest.mark.parametrize(
    "words",
    [
        ["status", "--nonsense"],
        ["diff"],
        ["ls", "--limit", "many"],
        ["-C"],
        ["completion", "tcsh"],
    ],
)
def test_a_wrong_command_line_ends_in_129_and_says_where_help_is(words):
    done = repro(*words)

    assert done.returncode == 129
    assert done.stderr.startswith("repro: ")
    assert "--help` explains" in done.stderr.splitlines()[1]
    assert "Traceback" not in done.stderr


def test_outside_of_a_repository_there_is_one_clear_error():
    done = repro("status")

    assert done.returncode == 128
    assert done.stdout == ""
    first, hint = done.stderr.splitlines()
    assert first.startswith("repro: ")
    assert hint.startswith("hint: ")
    assert "git init" in hint


def test_in_a_folder_that_is_gone_there_is_one_clear_error(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"rmdir {gone} && exec {sys.executable} -m repro ls"

    done = subprocess.run(
        ["sh", "-c", script], cwd=gone, capture_output=True, text=True, check=False
    )

    assert done.returncode == 128
    assert done.stderr.splitlines()[0] == "repro: the current folder does not exist any more"


def test_with_json_an_error_is_one_json_line():
    done = repro("ls", "--json")

    assert done.returncode == 128
    error = json.loads(done.stderr)
    assert error["error"] == "not-a-repository"
    assert set(error) == {"error", "message", "hint"}


def test_json_behind_the_command_of_a_run_is_not_for_us():
    assert repro("run", "--", "tool", "--json").stderr.startswith("repro: ")


def test_where_run_itself_fails_it_ends_in_125():
    assert repro("run", "--", "true").returncode == 125
    assert repro("-C", "/", "run", "--", "true").returncode == 125
    assert repro("run").returncode == 129


def test_an_ambiguous_name_lists_its_candidates(repository):
    head = git(repository, "rev-parse", "HEAD")
    ids = ["k3f900000000", "k3f911111111"]
    for run_id in ids:
        git(repository, "update-ref", f"refs/repro/runs/{run_id}", head)

    done = repro("show", "k3f9")
    as_json = repro("show", "k3f9", "--json")

    assert (done.returncode, as_json.returncode) == (128, 128)
    assert [f"    {run_id}" for run_id in ids] == done.stderr.splitlines()[1:3]
    assert json.loads(as_json.stderr)["candidates"] == ids


def test_what_an_error_quotes_cannot_play_tricks_on_the_terminal(repository):
    done = repro("show", "\x1b[31mred\x07")

    assert done.returncode == 128
    assert "\x1b" not in done.stderr
    assert "\\x1b[31mred\\x07" in done.stderr


def test_a_verb_runs_as_if_started_in_another_folder(tmp_path):
    root = make_repository(tmp_path / "elsewhere")

    done = repro("-C", str(root), "status", "--json")

    assert json.loads(done.stdout)["root"] == str(root)
    assert repro("-C", str(tmp_path / "none"), "status").returncode == 129


def test_a_reader_that_goes_away_ends_it_with_141_and_no_word():
    process = subprocess.Popen(
        [*REPRO, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()

    assert process.wait() == 141
    assert said == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_behind_the_output_is_one_line():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*REPRO, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert done.returncode == 128
    first, hint = done.stderr.splitlines()
    assert first == "repro: cannot write all of it: no space left on the disk"
    assert hint.startswith("hint: ")


def test_closed_output_is_no_reason_to_fail(repository):
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m repro status >&-"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_an_interrupt_ends_it_with_130(repository, tmp_path):
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\necho > started\nexec sleep 60\n")
    slow.chmod(0o755)
    process = subprocess.Popen(
        [*REPRO, "status"],
        env={**os.environ, "PATH": f"{slow.parent}:{os.environ['PATH']}"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until((repository / "started").exists, "git")
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate()[1]

    assert process.returncode == 130
    assert "Traceback" not in said


def test_a_bug_of_ours_keeps_its_traceback_and_asks_for_a_report(repository):
    done = repro("status", REPRO_NOW="not a number")

    assert done.returncode == 128
    assert "Traceback" in done.stderr
    assert "please report it" in done.stderr.splitlines()[-1]


def test_a_locale_without_our_characters_is_no_reason_to_fail(repository):
    done = repro("status", LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")

    assert done.returncode == 0


def test_git_finds_it_as_a_command_of_its_own(repository):
    tools = Path(sys.executable).parent
    if not shutil.which("git-repro", path=str(tools)):
        pytest.skip("repro is not installed beside this Python")
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}

    done = subprocess.run(
        ["git", "repro", "status", "--json"], env=env, capture_output=True, check=False
    )

    assert json.loads(done.stdout)["root"] == str(repository)


def test_an_alias_of_git_does_not_lead_it_to_another_repository(repository, tmp_path):
    other = make_repository(tmp_path / "other")

    done = repro("status", "--json", GIT_DIR=str(other / ".git"), GIT_INDEX_FILE=str(other / "x"))

    assert json.loads(done.stdout)["root"] == str(repository)


def test_the_clock_and_the_ids_of_a_test_are_its_own(tmp_path):
    ids = set()
    for name in ("a", "b"):
        root = make_repository(tmp_path / name)
        done = repro(
            "-C", str(root), "run", "--json", "--", "true", REPRO_NOW="1764000000", REPRO_SEED="7"
        )
        run = json.loads(done.stdout)
        assert run["created"] == "2025-11-24T16:00:00.000000Z"
        ids.add(run["id"])

    assert len(ids) == 1


def test_an_interrupt_while_the_command_line_is_loaded_is_quiet(tmp_path):
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    words = [sys.executable, "-m", "repro", "ls"]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}

    done = subprocess.run(words, env=environ, capture_output=True, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
