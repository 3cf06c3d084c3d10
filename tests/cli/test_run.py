import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import REPRO
from tests.support.secrets import make_secret
from tests.support.waiting import until
from tests.support.warm import repro

RUNS = "refs/repro/runs/"


def recorded(root: Path) -> list[dict]:
    refs = git(root, "for-each-ref", "--format=%(refname)", RUNS).split()
    return [json.loads(git(root, "show", f"{ref}:run.json")) for ref in refs]


def test_a_command_becomes_a_run(repository):
    done = repro("run", "--", sys.executable, "train.py", "--lr", "0.1")

    assert done.returncode == 0
    assert done.stdout == "hello\n"
    [run] = recorded(repository)
    assert run["status"] == "finished"
    assert run["command"] == [sys.executable, "train.py", "--lr", "0.1"]
    said = (
        r"repro: recorded run (\w{6,}) \(finished in \d+\.\d s\) · repro show \1\n"
        r"repro: reproducible: yes\n"
    )
    match = re.fullmatch(said, done.stderr)
    assert match
    assert run["id"].startswith(match[1])
    ref = RUNS + run["id"]
    assert git(repository, "show", f"{ref}:output.log") == "hello"
    assert git(repository, "rev-parse", f"{ref}^") == git(repository, "rev-parse", "HEAD")
    assert list((repository / ".git/repro/live").iterdir()) == []


def test_what_the_user_says_is_recorded(repository):
    done = repro(
        "run", "-n", "first", "-t", "a", "--tag", "b", "-c", "lr=0.1", "-c", "model.width=64",
        "--note", "why not", "--", "true",
    )  # fmt: skip

    assert done.returncode == 0
    [run] = recorded(repository)
    assert (run["name"], run["tags"], run["note"]) == ("first", ["a", "b"], "why not")
    config = git(repository, "show", f"{RUNS}{run['id']}:config.yaml")
    assert "lr: 0.1" in config
    assert "width: 64" in config


def test_options_behind_the_command_are_its_own(repository):
    done = repro("run", "echo", "-n", "--json", "-c")

    assert done.stdout == "--json -c"
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -TERM $$"], 143),
        (["no-such-program"], 127),
        (["./train.py"], 126),
    ],
)
def test_the_exit_code_is_the_commands_own(repository, words, code):
    assert repro("run", "--", *words).returncode == code


def test_a_failed_command_says_how_it_failed(repository):
    assert "(failed with exit code 7 after " in repro("run", "--", "sh", "-c", "exit 7").stderr
    assert "(killed by SIGKILL after " in repro("run", "--", "sh", "-c", "kill -9 $$").stderr


def test_a_command_that_does_not_exist_is_no_run(repository):
    done = repro("run", "--", "no-such-program")

    first, hint = done.stderr.splitlines()
    assert first == "repro: `no-such-program` is not found on the PATH"
    assert hint.startswith("hint: ")
    assert git(repository, "for-each-ref", "refs/repro") == ""


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run"], 129, "repro: no command to run\nhint: `repro run -- python train.py`\n"),
        (["run", "--"], 129, "repro: no command to run\nhint: `repro run -- python train.py`\n"),
        (["run", "-c", "lr", "--", "true"], 129, "repro: "),
        (["run", "--nope", "--", "true"], 129, "repro: no such option"),
        (["run", "-n", "a\x1b[2J", "--", "true"], 125, "repro: the name "),
        (["run", "-t", "", "--", "true"], 125, "repro: a tag cannot be empty"),
    ],
)
def test_wrong_use_is_one_error_and_no_run(repository, words, code, message):
    done = repro(*words)

    assert done.returncode == code
    assert done.stderr.startswith(message)
    assert "\x1b" not in done.stderr
    assert git(repository, "for-each-ref", "refs/repro") == ""


def test_outside_a_repository_repro_itself_fails(tmp_path):
    done = repro("run", "--", "true", cwd=tmp_path)

    assert done.returncode == 125
    assert "is not in a git repository" in done.stderr


def test_json_is_alone_on_stdout(repository):
    done = repro("run", "--json", "-c", "lr=1", "--", "sh", "-c", "echo out; exit 3")

    value = json.loads(done.stdout)
    assert done.returncode == 3
    assert (value["status"], value["exit_code"], value["config"]) == ("failed", 3, {"lr": 1})
    assert done.stderr.startswith("out\nrepro: recorded run ")


def test_an_error_with_json_is_json(repository):
    done = repro("run", "--json", "--", "no-such-program")

    assert (done.returncode, done.stdout) == (127, "")
    assert json.loads(done.stderr)["error"] == "command"


def test_files_that_are_left_out_are_named_at_the_start_and_at_the_end(repository):
    write_files(repository, {"repro.yaml": "snapshot: {max_file: 1KiB}\n"})
    write_files(repository, {f"big{i}": b"x" * 2048 for i in range(7)})

    done = repro("run", "--", "sh", "-c", "echo now >&2")

    start, _, end = done.stderr.partition("now\n")
    warning = "repro: warning: `big0` is not in the record (2.0 KiB, too large)\n"
    assert start.startswith(warning)
    assert start.endswith("repro: warning: … and 2 more are not in the record\n")
    assert warning in end


def test_a_file_with_a_secret_is_named_once(repository):
    write_files(repository, {"params.yaml": f"key: {make_secret('github')}\n"})
    assert repro("run", "--", "true").stderr.count("`params.yaml` is") == 1


def test_faults_of_a_metrics_file_are_said_and_fail_nothing(repository):
    write_files(repository, {"repro.yaml": "metrics: [m.json]\n"})

    done = repro("run", "--", "sh", "-c", "echo '{' > m.json")

    assert done.returncode == 0
    assert "repro: warning: `m.json` line " in done.stderr


def test_told_to_end_the_run_is_sealed_as_killed(repository, tmp_path):
    words = ["run", "--", "sh", "-c", f"echo before; touch {tmp_path}/up; exec sleep 60"]
    process = subprocess.Popen([*REPRO, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until((tmp_path / "up").exists, "the command")
    process.terminate()
    out, err = process.communicate(timeout=60)

    assert process.returncode == 143
    assert out == b"before\n"
    assert b"(killed by SIGTERM after" in err
    [run] = recorded(repository)
    assert (run["status"], run["signal"]) == ("killed", "SIGTERM")


def test_a_whole_group_told_to_end_still_seals_the_run(repository, tmp_path):
    words = ["run", "--", "sh", "-c", f"touch {tmp_path}/up; exec sleep 60"]
    process = subprocess.Popen([*REPRO, *words], stderr=subprocess.PIPE, start_new_session=True)
    until((tmp_path / "up").exists, "the command")
    for number in [signal.SIGTERM, signal.SIGINT, signal.SIGTERM]:
        os.killpg(process.pid, number)
    process.communicate(timeout=60)

    [run] = recorded(repository)
    assert run["status"] == "killed"
    assert list((repository / ".git/repro/live").iterdir()) == []


def test_a_disk_that_fails_while_sealing_keeps_the_live_folder(repository):
    packs, gone = repository / ".git/objects/pack", repository / ".git/objects/gone"
    done = repro("run", "--", "sh", "-c", f"mv {packs} {gone}; touch {packs}")

    assert done.returncode == 125
    assert "has ended, but is not sealed yet; the next command tries again" in done.stderr
    assert len(list((repository / ".git/repro/live").iterdir())) == 1
    packs.unlink()
    gone.rename(packs)
    assert repro("run", "--", "true").returncode == 0
    assert [run["status"] for run in recorded(repository)] == ["finished", "finished"]


@pytest.mark.parametrize("gone", [".git/repro/live", ".git/repro", ".git", "$PWD"])
def test_a_command_that_deletes_its_own_record_gets_one_error(repository, gone):
    done = repro("run", "--", "sh", "-c", f'until rm -rf "{gone}"; do :; done')

    assert done.returncode == 125
    assert "Traceback" not in done.stderr
    assert "gone" in done.stderr or "not a git repository" in done.stderr
    assert "tries again" not in done.stderr


def test_a_run_inside_a_run_is_its_child(repository):
    done = repro("run", "--", *REPRO, "run", "-n", "inner", "--", "true")

    assert done.returncode == 0
    runs = {run["name"]: run for run in recorded(repository)}
    assert runs["inner"]["parent"] == runs[None]["id"]
