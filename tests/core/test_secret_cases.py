"""The ways in which trackers leaked secrets: none of them leaves the machine by accident."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, write_files
from tests.support.cli import repro
from tests.support.projects import make_run, open_here
from tests.support.secrets import make_secret

from repro.core.leaks import find_leaks
from repro.core.query import resolve_run

RUNS = "refs/repro/runs/"
TOKEN, WANDB = make_secret("hugging face"), make_secret("wandb")
PASSWORD = make_secret("password", 3)


def objects_of(root: Path) -> bytes:
    """Every object that a push of all runs would send, one behind the other."""
    refs = git(root, "for-each-ref", "--format=%(refname)", RUNS).split()
    listed = git(root, "rev-list", "--objects", *refs)
    oids = "".join(line.split()[0] + "\n" for line in listed.splitlines())
    done = subprocess.run(
        ["git", "cat-file", "--batch"],
        cwd=root,
        input=oids.encode(),
        capture_output=True,
        check=True,
    )
    return done.stdout


def recorded(root: Path) -> Any:
    [ref] = git(root, "for-each-ref", "--format=%(refname)", RUNS).split()
    record: Any = json.loads(git(root, "show", f"{ref}:run.json"))
    return record


def leaks_of(root: Path) -> list[str]:
    project = open_here(root)
    tips = git(root, "for-each-ref", "--format=%(objectname)", RUNS).split()
    return [leak.path for leak in find_leaks(project, tips, [])]


def assert_absent(root: Path, *secrets: str) -> None:
    held = objects_of(root)
    assert [secret for secret in secrets if secret.encode() in held] == []


def test_show_3_none_of_five_secrets_is_in_any_object_and_the_run_is_usable(repository):
    aws, key = make_secret("aws secret"), make_secret("openai")
    printed, url_password = make_secret("gitlab"), make_secret("password", 5)
    write_files(
        repository,
        {
            ".env": f"OPENAI_API_KEY={key}\n",
            "params.yaml": f"lr: 0.1\naws_secret_access_key: {aws}\n",
            "repro.yaml": "config: [params.yaml]\n",
            "train.py": "import os\nprint('using', os.environ['CI_NOTE'], flush=True)\n",
        },
    )
    git(repository, "add", "train.py", "repro.yaml")
    git(repository, "commit", "-qm", "code")
    git(repository, "remote", "add", "origin", f"https://ada:{url_password}@git.lab.org/x.git")
    words = ("run", "--", sys.executable, "train.py", "--api-key", key)
    done = repro(*words, CI_NOTE=printed)
    assert (done.returncode, done.stdout) == (0, f"using {printed}\n")
    assert_absent(repository, aws, key, printed, url_password, printed[6:])
    assert leaks_of(repository) == []

    run = recorded(repository)
    left = {one["path"]: one["reason"] for one in run["omitted"]}
    assert left == {".env": "looks secret", "params.yaml": "holds a secret"}
    assert repro("show", run["id"], "--output").stdout.startswith("using <redacted:")
    done = repro("diff", run["id"])
    assert (done.returncode, "api" in done.stdout) == (0, False)
    beside = repository.parent / "beside"
    assert repro("checkout", "-w", str(beside), run["id"]).returncode == 0
    assert (beside / "train.py").exists()


def test_g01_an_untracked_env_file_is_left_out(repository):
    (repository / ".env").write_text(f"TOKEN={TOKEN}\n")
    make_run(open_here(repository))
    assert_absent(repository, TOKEN)


def test_g02_a_tracked_env_file_stops_a_push(repository):
    (repository / ".env").write_text("DEBUG=1\n")
    git(repository, "add", "-f", ".env")
    git(repository, "commit", "-qm", "oh")
    make_run(open_here(repository))
    assert leaks_of(repository) == [".env"]


@pytest.mark.parametrize(
    "path",
    [
        "id_ed25519", "a.pem", ".netrc", ".pypirc", ".aws/credentials", "kubeconfig",
        "service-account-1.json", ".git-credentials", "a.kdbx", ".ssh/config",
    ],
)  # fmt: skip
def test_g03_files_of_keys_are_left_out_by_name(repository, path):
    write_files(repository, {path: "whatever 1234\n"})
    run = make_run(open_here(repository))
    assert [(one.path, one.reason) for one in run.omitted] == [(path, "looks secret")]


def test_g04_a_key_in_the_output_of_a_notebook_is_left_out(repository):
    cell = {"cells": [{"outputs": [{"text": [f"token: \x1b[32m{TOKEN}\n"]}], "source": ["x\n"]}]}
    (repository / "a.ipynb").write_text(json.dumps(cell))
    run = make_run(open_here(repository, time.time))
    assert [one.path for one in run.omitted] == ["a.ipynb"]
    assert_absent(repository, TOKEN)


@pytest.mark.parametrize(
    ("words", "secret"),
    [
        (["true", "--api-key", TOKEN], TOKEN),
        (["true", f"--hub_token={PASSWORD}"], PASSWORD),
        (["env", f"WANDB_API_KEY={WANDB}", "true"], WANDB),
        (["true", "wandb", "login", WANDB], WANDB),
        (["sh", "-c", f"true --password {PASSWORD}"], PASSWORD),
    ],
)
def test_g05_secrets_in_the_command_are_marked(repository, words, secret):
    assert repro("run", "--", *words).returncode == 0
    assert_absent(repository, secret)
    assert "<redacted:" in " ".join(recorded(repository)["command"])


def test_g06_variables_are_recorded_only_where_they_are_known_to_be_harmless(repository):
    secrets = {"AWS_SECRET_ACCESS_KEY": WANDB, "DATABASE_URL": PASSWORD, "UNKNOWN_THING": TOKEN}
    assert repro("run", "--", "true", **secrets).returncode == 0
    assert_absent(repository, *secrets.values(), "UNKNOWN_THING", "DATABASE_URL")


def test_g07_the_password_in_a_remote_url_is_in_no_record(repository):
    git(repository, "remote", "add", "origin", f"https://ada:{PASSWORD}@git.lab.org/x.git")
    make_run(open_here(repository))
    assert_absent(repository, PASSWORD)


def test_g08_secrets_in_a_config_are_marked_by_their_key(repository):
    config = {"db": {"password": PASSWORD}, "api_tokens": [WANDB], "lr": 0.1}
    make_run(open_here(repository), config=config)
    assert_absent(repository, PASSWORD, WANDB)


@pytest.mark.parametrize(
    "code",
    [
        "print('key', KEY)",
        "import sys; sys.stderr.write(KEY)",
        # in two writes of one line
        "import sys; sys.stdout.write(KEY[:9]); sys.stdout.flush(); print(KEY[9:])",
    ],
)
def test_g09_a_secret_that_is_printed_is_marked_in_the_log(repository, code):
    program = f"import os; KEY = os.environ['MY_NOTE']; {code}"
    assert repro("run", "--", sys.executable, "-c", program, MY_NOTE=TOKEN).returncode == 0
    assert_absent(repository, TOKEN)


def test_g09_a_secret_without_a_shape_is_known_by_the_variable_or_option_it_came_from(repository):
    program = "import os, sys; print(os.environ['DB_PASSWORD'] + '|' + sys.argv[2])"
    words = ("run", "--", sys.executable, "-c", program, "--api-key", WANDB)
    done = repro(*words, DB_PASSWORD=PASSWORD)
    assert done.stdout == f"{PASSWORD}|{WANDB}\n"
    assert_absent(repository, PASSWORD, WANDB)


def test_g09_the_log_of_a_run_in_progress_is_for_the_user_alone(repository):
    look = (
        "import glob, os; [log] = glob.glob('.git/repro/live/*/output.log');"
        "print(os.stat(log).st_mode & 0o777)"
    )
    assert repro("run", "--", sys.executable, "-c", look).stdout == f"{0o600}\n"


def test_g10_a_secret_in_an_uncommitted_edit_is_not_recorded(repository):
    write_files(repository, {"train.py": "x = 1\n"})
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "code")
    write_files(repository, {"train.py": f"KEY = '{TOKEN}'\n"})
    make_run(open_here(repository, time.time))
    assert_absent(repository, TOKEN)


def test_g11_the_url_of_an_index_is_recorded_without_credentials(repository):
    url = f"https://ada:{PASSWORD}@pkg.lab.org/simple"
    words = ("run", "--", sys.executable, "-c", "pass")
    assert repro(*words, PIP_INDEX_URL=url).returncode == 0
    assert_absent(repository, PASSWORD)


def test_g13_a_large_file_is_left_out_by_its_size(repository):
    with (repository / "data.bin").open("wb") as file:
        file.truncate(3 << 30)
    run = make_run(open_here(repository))
    assert [(one.path, one.size, one.reason) for one in run.omitted] == [
        ("data.bin", 3 << 30, "too large")
    ]


def test_g14_a_link_is_stored_as_a_link(repository, tmp_path):
    (tmp_path / "note").write_text(f"token {TOKEN}\n")
    (repository / "key").symlink_to(tmp_path / "note")
    make_run(open_here(repository, time.time))
    assert_absent(repository, TOKEN)


def test_g15_a_secret_in_a_repository_inside_is_left_out(repository):
    write_files(repository, {"lib/a.py": f"KEY = '{TOKEN}'\n", "lib/b.py": "x = 1\n"})
    git(repository / "lib", "init", "-q")
    make_run(open_here(repository, time.time))
    assert_absent(repository, TOKEN)


def test_g17_a_file_that_is_ignored_now_is_searched_where_a_commit_has_it(repository):
    write_files(repository, {"local.py": f"KEY = '{TOKEN}'\n"})
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "oh")
    write_files(repository, {".gitignore": "local.py\n"})
    git(repository, "rm", "-q", "--cached", "local.py")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "ignored")
    make_run(open_here(repository))
    assert leaks_of(repository) == ["local.py"]


def test_g18_a_secret_in_a_name_tag_or_note_is_marked_and_in_a_metric_name_stops_a_push(repository):
    project = open_here(repository)
    make_run(project, name=f"a {TOKEN}", tags=(TOKEN,), note=f"used {TOKEN}")
    assert_absent(repository, TOKEN)
    assert leaks_of(repository) == []
    make_run(project, {f"loss {TOKEN}": 0.1})
    assert set(leaks_of(repository)) == {"metrics.json", "metrics/0.csv"}


def test_g18_a_secret_in_a_tag_note_or_name_given_later_is_marked(repository):
    run = make_run(open_here(repository))
    for verb in ("tag", "note", "rename"):
        assert repro(verb, run.id, TOKEN).returncode == 0
    assert_absent(repository, TOKEN)


def test_g19_nothing_of_the_private_folder_is_in_a_snapshot(repository):
    make_run(open_here(repository))
    make_run(open_here(repository))
    key = (repository / ".git/repro/key").read_bytes()
    assert key not in objects_of(repository)
    assert key.hex().encode() not in objects_of(repository)


def test_g20_the_settings_of_git_are_never_recorded(repository):
    git(repository, "config", "http.extraHeader", f"Authorization: Bearer {WANDB}")
    make_run(open_here(repository))
    assert_absent(repository, WANDB)


def test_diff_shows_that_a_secret_differs_and_that_it_does_not(repository):
    runs = []
    for secret in (WANDB, WANDB, make_secret("wandb", 2)):
        runs.append(make_run(open_here(repository), command=("true", "--api-key", secret)).id)
    assert repro("diff", "--exit-code", runs[0], runs[1]).returncode == 0
    done = repro("diff", "--exit-code", runs[0], runs[2])
    assert (done.returncode, done.stdout.count("<redacted:") >= 2) == (1, True)


def test_the_identity_of_a_run_is_the_same_in_every_clone(repository, tmp_path):
    request = {"command": ("true", "--api-key", WANDB), "config": {"db": {"password": PASSWORD}}}
    first = make_run(open_here(repository), **request)
    git(repository, "clone", "-q", ".", str(tmp_path / "clone"))
    second = make_run(open_here(tmp_path / "clone"), **request)
    assert first.command != second.command
    assert first.identity == second.identity is not None


def test_where_nothing_can_be_written_no_key_is_made(repository):
    project = open_here(repository)
    private = project.repository.private
    private.mkdir(mode=0o700, exist_ok=True)
    (private / "key").mkdir()  # root may write anywhere, but not over this
    run = make_run(project, command=("true", "--api-key", WANDB))
    assert run.command == ("true", "--api-key", "<redacted>")


def test_a_deleted_key_costs_only_that_old_marks_compare(repository):
    project = open_here(repository)
    first = make_run(project, command=("true", "--api-key", WANDB))
    (project.repository.private / "key").unlink()
    second = make_run(project, command=("true", "--api-key", WANDB))
    assert (first.command != second.command, first.identity) == (True, second.identity)
    assert resolve_run(project, first.id).run == first


def test_a_secret_in_a_file_that_git_was_told_to_skip_is_not_recorded(repository):
    write_files(repository, {"conf.py": "KEY = None\n"})
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "code")
    git(repository, "update-index", "--skip-worktree", "conf.py")
    write_files(repository, {"conf.py": f"KEY = '{TOKEN}'\n"})
    run = make_run(open_here(repository, time.time))
    assert [(one.path, one.reason) for one in run.omitted] == [("conf.py", "holds a secret")]
    assert_absent(repository, TOKEN)
    [ref] = git(repository, "for-each-ref", "--format=%(refname)", RUNS).split()
    assert git(repository, "show", f"{ref}^1:conf.py") == "KEY = None"


def test_a_secret_in_the_name_of_a_file_stops_a_push(repository):
    write_files(repository, {f"{TOKEN}/a.py": "x = 1\n"})
    make_run(open_here(repository, time.time))
    assert leaks_of(repository) == [f"{TOKEN}/a.py"]
