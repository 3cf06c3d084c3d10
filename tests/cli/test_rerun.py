"""`repro rerun`: the same again in isolation, with a verdict that can be trusted."""

import json
import shutil
import subprocess
import sys
import textwrap
import venv
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, make_repository, write_files
from tests.support.cli import REPRO
from tests.support.restores import everything
from tests.support.warm import repro

PYTHON = sys.executable
LOGGED = """
    import random, sys, repro
    import helper
    run = repro.init(config={"width": 8})
    for step in range(5):
        repro.log({"loss": random.random() * helper.SCALE, "width": run.config.width}, step=step)
"""


def record(root: Path, *words: str, **env: str) -> dict[str, Any]:
    """The run of a command."""
    done = repro("run", "--json", "--", *words, cwd=root, **env)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def verify(root: Path, run: str, *words: str, code: int = 0, **env: str) -> dict[str, Any]:
    """The verdict of a rerun."""
    done = repro("rerun", "--verify", "--json", *words, run, cwd=root, **env)
    assert done.returncode == code, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def show(root: Path, run: str) -> dict[str, Any]:
    done = repro("show", "--json", run, cwd=root)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a script that logs random numbers, entered."""
    files: dict[str, str | bytes] = {
        "train.py": textwrap.dedent(LOGGED),
        "helper.py": "SCALE = 2.0\n",
    }
    root = make_repository(tmp_path / "project", files)
    monkeypatch.chdir(root)
    return root


def test_an_unseeded_script_comes_out_identical_and_nothing_of_the_users_is_touched(project):
    run = record(project, PYTHON, "train.py")
    write_files(project, {"helper.py": "SCALE = 3.0\n", "mine.txt": "x\n"})
    git(project, "add", "helper.py")
    before = {**everything(project), "refs": git(project, "show-ref", "--heads")}

    verdict = verify(project, run["id"])

    assert verdict["verdict"] == "identical"
    assert verdict["rerun_of"] == run["id"]
    assert {**everything(project), "refs": git(project, "show-ref", "--heads")} == before
    new = show(project, verdict["run"])
    assert new["rerun_of"] == run["id"]
    assert new["verdict"]["verdict"] == "identical"
    assert new["identity"] == run["identity"]
    assert new["command"] == run["command"]
    assert len(git(project, "worktree", "list").splitlines()) == 1


def test_without_replay_it_diverges_at_the_first_step_by_randomness(project):
    run = record(project, PYTHON, "train.py")

    verdict = verify(project, run["id"], "--no-replay", code=1)

    assert verdict["verdict"] == "diverged"
    assert (verdict["first"]["metric"], verdict["first"]["step"]) == ("loss", 0)
    assert verdict["causes"][0]["part"] == "randomness"


def test_a_script_that_knows_nothing_of_repro_is_judged_by_its_output(project):
    write_files(project, {"plain.py": "import random\nprint('x', random.random())\n"})
    run = record(project, PYTHON, "plain.py")

    assert verify(project, run["id"])["verdict"] == "identical"
    assert verify(project, run["id"], "--no-replay", code=1)["verdict"] == "diverged"


def test_a_run_of_the_sdk_alone_is_replayed_from_the_states_at_init(project):
    write_files(
        project,
        {
            "alone.py": "import random\nrandom.random()\nimport repro\nrepro.init()\n"
            "repro.log({'a': random.random()}, step=0)\n"
        },
    )
    subprocess.run([PYTHON, "alone.py"], cwd=project, check=True, capture_output=True)

    assert verify(project, "@")["verdict"] == "identical"


def test_a_run_of_the_sdk_alone_without_results_is_incomparable(project):
    write_files(project, {"alone.py": "import repro\nrepro.init()\nprint('on')\n"})
    subprocess.run([PYTHON, "alone.py"], cwd=project, check=True, capture_output=True)

    verdict = verify(project, "@", code=1)

    assert verdict["verdict"] == "incomparable"
    assert "nobody kept its output" in verdict["missing"][0]


def test_a_varied_argument_is_rewritten_and_said(project):
    write_files(project, {"arg.py": "import sys\nprint(sys.argv[1:])\n"})
    run = record(project, PYTHON, "arg.py", "--lr", "0.1", "--epochs=3")

    done = repro("rerun", "-c", "lr=0.5", run["id"], cwd=project)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "['--lr', '0.5', '--epochs=3']\n"
    assert "lr" in done.stderr
    assert "0.1" in done.stderr
    new = show(project, "@")
    assert new["config"] == {"lr": 0.5, "epochs": 3}
    assert new["rerun_of"] == run["id"]


def test_a_varied_entry_that_code_set_reaches_init(project):
    run = record(project, PYTHON, "train.py")

    verdict = verify(project, run["id"], "-c", "width=16", code=1)

    assert verdict["first"] == {"metric": "width", "step": 0, "values": [8.0, 16.0]}
    assert verdict["causes"][0]["part"] == "config"
    assert show(project, verdict["run"])["config"]["width"] == 16


def test_a_varied_entry_that_the_run_does_not_have_is_refused(project):
    run = record(project, PYTHON, "train.py")

    done = repro("rerun", "-c", "widht=16", run["id"], cwd=project)

    assert done.returncode == 129
    assert "widht" in done.stderr
    assert "width" in done.stderr
    assert len(git(project, "for-each-ref", "refs/repro/runs/").splitlines()) == 1


def test_a_varied_entry_that_nothing_reads_is_an_error(project):
    write_files(project, {"deaf.py": "print(1)\n"})
    done = repro("run", "--json", "-c", "depth=3", "--", PYTHON, "deaf.py", cwd=project)
    run = json.loads(done.stdout)

    done = repro("rerun", "-c", "depth=4", run["id"], cwd=project)

    assert done.returncode == 125
    assert "`depth` was varied, but nothing read it" in done.stderr


def test_code_of_the_original_tree_is_never_called_identical(project):
    write_files(
        project,
        {
            "sly.py": f"import sys\nsys.path.insert(0, {str(project)!r})\n"
            "import helper, repro\nrepro.init()\nrepro.log({'a': helper.SCALE}, step=0)\n"
        },
    )
    run = record(project, PYTHON, "sly.py")

    verdict = verify(project, run["id"], code=1)

    assert verdict["verdict"] == "incomparable"
    assert "helper.py" in json.dumps(verdict)


def test_thread_counts_and_the_like_are_those_of_the_run(project):
    write_files(project, {"t.py": "import os\nprint(os.environ.get('OMP_NUM_THREADS'))\n"})
    run = record(project, PYTHON, "t.py", OMP_NUM_THREADS="3")

    done = repro("rerun", "--verify", run["id"], cwd=project, OMP_NUM_THREADS="2")
    assert "identical" in done.stdout
    assert "`OMP_NUM_THREADS` is `3` as in the run" in done.stderr
    done = repro("rerun", "--no-replay", run["id"], cwd=project, OMP_NUM_THREADS="2")
    assert "2\n" in done.stdout


def test_what_a_rerun_took_from_the_original_tree_is_known_for_ever(project):
    write_files(
        project, {"sly.py": f"exec(compile('print(1)', {str(project / 'a.py')!r}, 'exec'))"}
    )
    run = record(project, PYTHON, "sly.py")
    repro("rerun", run["id"], cwd=project)

    assert show(project, "@")["foreign"] == [str(project / "a.py")]
    done = repro("verify", "--json", run["id"], "@", cwd=project)
    assert json.loads(done.stdout)["verdict"] == "incomparable"


def test_code_that_a_run_inside_of_the_rerun_took_is_noticed(project):
    write_files(
        project, {"sly.py": f"exec(compile('print(1)', {str(project / 'a.py')!r}, 'exec'))"}
    )
    run = record(project, *REPRO, "run", "--", PYTHON, "sly.py")

    assert verify(project, run["id"], code=1)["verdict"] == "incomparable"


def test_code_of_another_worktree_is_noticed(project, tmp_path):
    other = tmp_path / "other"
    git(project, "worktree", "add", "-q", str(other))
    write_files(other, {"sly.py": f"exec(compile('print(1)', {str(other / 'a.py')!r}, 'exec'))"})
    run = record(other, PYTHON, "sly.py")

    assert verify(project, run["id"], code=1)["verdict"] == "incomparable"


def test_an_environment_around_the_repository_hides_none_of_its_code(tmp_path):
    venv.create(tmp_path / "env", with_pip=False)
    root = make_repository(tmp_path / "env/a:b", {})
    sly = f"exec(compile('print(1)', {str(root / 'a.py')!r}, 'exec'))"
    write_files(root, {"sly.py": sly})
    run = record(root, str(tmp_path / "env/bin/python"), "sly.py")

    assert verify(root, run["id"], code=1)["verdict"] == "incomparable"


@pytest.mark.parametrize("words", [[PYTHON, "-I"], ["env", "-i", PYTHON], [PYTHON, "-S"]])
def test_a_python_that_hides_its_code_is_never_called_identical(project, words):
    write_files(project, {"plain.py": "print(1)\n"})
    run = record(project, *words, "plain.py")

    verdict = verify(project, run["id"], code=1)

    assert verdict["verdict"] == "incomparable"
    assert "nobody saw which code the rerun took" in verdict["missing"][0]


def test_a_command_that_is_no_python_hides_nothing(project):
    run = record(project, "echo", "python", "-I")

    assert verify(project, run["id"])["verdict"] == "identical"


def test_absolute_paths_into_the_repository_lead_into_the_worktree(project):
    write_files(project, {"where.py": "import sys\nprint(open(sys.argv[1]).read(), end='')\n"})
    run = record(project, PYTHON, str(project / "where.py"), str(project / "helper.py"))
    write_files(project, {"helper.py": "SCALE = 9\n", "where.py": "print('other')\n"})

    assert verify(project, run["id"])["verdict"] == "identical"


def test_an_editable_install_of_the_repository_itself_leads_into_the_worktree(
    tmp_path, monkeypatch
):
    root = make_repository(
        tmp_path / "project",
        {
            "src/thing/__init__.py": "VALUE = 1\n",
            "main.py": "import thing\nprint(thing.VALUE)\n",
            "pyproject.toml": "[project]\nname = 'thing'\nversion = '1'\n",
        },
    )
    env = tmp_path / "env"
    venv.create(env, with_pip=False)
    site = next((env / "lib").glob("python*/site-packages"))
    write_files(
        site,
        {
            "__editable__.thing-1.pth": f"{root / 'src'}\n",
            "thing-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1\n",
            "thing-1.dist-info/RECORD": "__editable__.thing-1.pth,,\n",
            "thing-1.dist-info/direct_url.json": json.dumps(
                {"url": root.as_uri(), "dir_info": {"editable": True}}
            ),
        },
    )
    run = record(root, str(env / "bin/python"), "main.py")
    write_files(root, {"src/thing/__init__.py": "VALUE = 2\n"})

    assert verify(root, run["id"])["verdict"] == "identical"


def test_a_failed_run_that_fails_the_same_way_is_identical(project):
    write_files(project, {"bad.py": "print('on')\nraise SystemExit(3)\n"})
    run = record(project, PYTHON, "bad.py")

    assert verify(project, run["id"])["verdict"] == "identical"
    assert repro("rerun", run["id"], cwd=project).returncode == 3


def test_a_secret_comes_from_the_environment_or_is_asked_for(project):
    write_files(
        project,
        {"key.py": "import sys\nassert sys.argv[2][::-1] == '22retnuh'\nprint('ok')\n"},
    )
    run = record(project, PYTHON, "key.py", "--api-key", "hunter22")
    assert run["command"][-1].startswith("<redacted:")

    done = repro("rerun", "--verify", run["id"], cwd=project)
    assert done.returncode == 1
    assert "API_KEY" in done.stderr

    assert verify(project, run["id"], API_KEY="hunter22")["verdict"] == "identical"
    again = show(project, "@")
    assert "hunter22" not in json.dumps(again)
    assert again["command"] == run["command"]  # the same secret has the same mark


def test_a_command_that_never_ends_is_ended(project):
    slow = "import os, time\nprint(1, flush=True)\ntime.sleep(60 * os.path.isfile('.git'))\n"
    write_files(project, {"slow.py": slow})  # in a worktree `.git` is a file
    run = record(project, PYTHON, "slow.py")

    verdict = verify(project, run["id"], "--timeout", "1", code=1)

    assert verdict["verdict"] != "identical"
    assert verdict["causes"][0]["what"] == "the rerun was ended: it took longer than 1 s"
    assert show(project, "@")["status"] == "killed"


def test_a_rerun_of_a_rerun_that_prints_where_it_is_is_identical(project):
    write_files(project, {"where.py": "import os\nprint(os.getcwd())\n"})
    run = record(project, PYTHON, "where.py")

    first = verify(project, run["id"])
    second = verify(project, first["run"])

    assert (first["verdict"], second["verdict"]) == ("identical", "identical")


def test_a_metric_that_the_run_does_not_have_is_refused_before_anything_is_run(project):
    run = record(project, PYTHON, "train.py")

    done = repro("rerun", "--verify", "--metric", "typo", run["id"], cwd=project)

    assert done.returncode == 129
    assert "has no metric `typo`" in done.stderr
    assert show(project, "@")["id"] == run["id"]


def test_the_spread_is_of_the_chosen_metrics_and_of_none_says_so(project):
    run = record(project, PYTHON, "train.py")

    words = ("--times", "2", "--verify", "--metric", "loss", "--json")
    chosen = json.loads(repro("rerun", *words, run["id"], cwd=project).stdout)

    assert list(chosen["spread"]) == ["loss"]
    silent = record(project, PYTHON, "-c", "print(1)")
    done = repro("rerun", "--times", "2", silent["id"], cwd=project)
    assert done.stdout == "1\n1\n"
    assert "no metric whose spread" in done.stderr


def test_several_times_gives_the_spread(project):
    run = record(project, PYTHON, "train.py")

    done = repro(
        "rerun", "--times", "3", "--no-replay", "--verify", "--json", run["id"], cwd=project
    )

    assert done.returncode == 1
    value = json.loads(done.stdout)
    assert len(value["reruns"]) == 3
    assert "loss" in value["spread"]


@pytest.mark.parametrize("name", ["with space", 'it\'s "quoted"', "-dash", "ünï"])
def test_a_repository_of_any_name(tmp_path, name):
    root = make_repository(
        tmp_path / name, {"train.py": textwrap.dedent(LOGGED), "helper.py": "SCALE = 2.0\n"}
    )
    run = record(root, PYTHON, "train.py")

    assert verify(root, run["id"])["verdict"] == "identical"


def test_a_run_recorded_in_a_submodule(tmp_path, monkeypatch):
    inner = make_repository(tmp_path / "inner", {"train.py": "print(1)\n"})
    outer = make_repository(tmp_path / "outer", {"a.txt": "x\n"})
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    git(outer, "commit", "-qm", "submodule")
    run = record(outer / "sub", PYTHON, "train.py")

    assert verify(outer / "sub", run["id"])["verdict"] == "identical"


def test_what_reads_its_input_gets_ours(project):
    write_files(project, {"ask.py": "import sys\nprint(sys.stdin.read())\n"})
    run = record(project, PYTHON, "ask.py")

    assert verify(project, run["id"])["verdict"] == "identical"


def test_a_lost_run_is_incomparable(project):
    die = "import os\nprint(1, flush=True)\nos.kill(os.getppid(), 9)\n"
    write_files(project, {"die.py": f"import sys\nif sys.argv[1:]:\n  exec({die!r})\n"})
    repro("run", "--", PYTHON, "die.py", "now", cwd=project)
    write_files(project, {"lost.sh": ""})

    done = repro("rerun", "--verify", "@", cwd=project)

    assert done.returncode != 0


def test_a_kept_worktree_is_named(project):
    run = record(project, PYTHON, "train.py")

    done = repro("rerun", "--keep", run["id"], cwd=project)

    [line] = [line for line in done.stderr.splitlines() if "is kept" in line]
    assert Path(line.partition("kept: ")[2], "train.py").is_file()


def test_how_to_compare_needs_something_to_compare(project):
    assert repro("rerun", "--rtol", "0.1", "@", cwd=project).returncode == 129


def with_submodule(tmp_path: Path, *, is_dirty: bool) -> Path:
    """A project whose result comes from a submodule."""
    inner = make_repository(tmp_path / "inner", {"lib.py": "X = 1\n"})
    outer = make_repository(tmp_path / "outer", {"main.py": "from sub.lib import X\nprint(X)\n"})
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    git(outer, "commit", "-qm", "submodule")
    if is_dirty:
        write_files(outer, {"sub/lib.py": "X = 2\n"})
    return outer


@pytest.mark.parametrize("is_dirty", [False, True])
def test_a_submodule_is_there_in_a_rerun_and_in_a_rerun_of_that(tmp_path, is_dirty):
    root = with_submodule(tmp_path, is_dirty=is_dirty)
    run = record(root, PYTHON, "main.py")

    assert verify(root, run["id"])["verdict"] == "identical"
    assert verify(root, "@")["verdict"] == "identical"

    first, again = show(root, run["id"]), show(root, "@")
    assert again["id"] != first["id"]
    for key in ("identity", "snapshot", "omitted", "warnings"):
        assert again[key] == first[key]


def test_an_empty_submodule_is_said_before_the_verdict_and_in_the_record(tmp_path):
    root = with_submodule(tmp_path, is_dirty=False)
    run = record(root, PYTHON, "main.py")
    shutil.rmtree(root / "sub")
    shutil.rmtree(root / ".git/modules/sub")

    done = repro("rerun", "--verify", run["id"], cwd=root)

    assert done.returncode == 1
    assert "warning: the submodule `sub` is empty there" in done.stderr
    [warning] = show(root, "@")["warnings"]
    assert warning.startswith("the submodule `sub` is empty there")


ARGPARSE = """
    import argparse, repro
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    args = parser.parse_args()
    repro.init(config=vars(args))
    repro.log({"lr": args.lr}, step=0)
"""


def test_a_param_that_nothing_read_is_recorded_as_it_was(project):
    write_files(project, {"parsed.py": textwrap.dedent(ARGPARSE)})
    run = record(project, PYTHON, "parsed.py")

    done = repro("rerun", "-c", "lr=0.5", run["id"], cwd=project)

    assert done.returncode == 125
    assert "-c lr=0.5 -- --lr 0.5`" in done.stderr
    new = show(project, "@")
    assert new["config"] == {"lr": 0.1}
    assert new["warnings"] == ["nothing read `lr`: it was not varied"]
    assert new["identity"] is None


def test_words_behind_the_dashes_are_appended_to_the_command(project):
    write_files(project, {"parsed.py": textwrap.dedent(ARGPARSE)})
    run = record(project, PYTHON, "parsed.py")

    done = repro("rerun", run["id"], "-c", "lr=0.5", "--", "--lr", "0.5", cwd=project)

    assert done.returncode == 0, done.stderr
    assert "appended to the command: --lr 0.5" in done.stderr
    new = show(project, "@")
    assert new["command"] == [*run["command"], "--lr", "0.5"]
    assert new["config"] == {"lr": 0.5}
    assert new["metrics"]["lr"]["last"] == 0.5
    assert new["warnings"] == []


def test_words_are_appended_behind_the_dashes_alone(project):
    run = record(project, PYTHON, "helper.py")

    done = repro("rerun", run["id"], "more", cwd=project)

    assert done.returncode == 129
    assert "more" in done.stderr


def test_what_is_said_to_run_is_what_runs_and_only_once_it_can(project):
    write_files(project, {"key.py": "print('used')\n"})
    run = record(project, PYTHON, str(project / "key.py"), "--api-key", "sk-hunter22hunter22")

    refused = repro("rerun", run["id"], cwd=project)
    done = repro("rerun", run["id"], cwd=project, REPRO_SECRET_API_KEY="sk-hunter22hunter22")

    assert refused.returncode == 1
    assert "running" not in refused.stderr
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stderr.splitlines() if "running" in line]
    assert f"{project}/key.py" not in line
    assert "<redacted:" in line
    assert "reproducible:" not in done.stderr


def test_a_time_limit_that_is_no_number_is_refused_in_plain_words(project):
    done = repro("rerun", "--timeout", "abc", "@", cwd=project)

    assert done.returncode == 129
    assert "'abc' is not a valid number" in done.stderr
