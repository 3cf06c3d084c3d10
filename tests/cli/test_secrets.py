import json

from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.projects import make_run, open_here
from tests.support.secrets import make_secret

SECRET = make_secret("github")


def leaking_run(root):
    write_files(root, {"a\x1b.py": f"x = 1\nKEY = '{SECRET}'\n"})
    git(root, "add", ".")
    git(root, "commit", "-qm", "oh")
    return make_run(open_here(root)).id


def test_a_secret_is_listed_with_run_place_and_rule_and_never_shown(repository, capsys):
    run = leaking_run(repository)
    done = Cli(capsys)("secrets", code=1)
    assert done.out.startswith(f"run {run}: a\\x1b.py:2: GitHub token [")
    assert SECRET not in done.out + done.err
    assert "git config --add repro.allowSecret" in done.err


def test_nothing_found_is_exit_code_0_and_no_output(repository, capsys):
    make_run(open_here(repository))
    done = Cli(capsys)("secrets")
    assert (done.out, done.err) == ("", "")


def test_only_the_runs_that_are_named_are_searched(repository, capsys):
    clean = make_run(open_here(repository)).id
    leaking_run(repository)
    assert Cli(capsys)("secrets", clean).out == ""


def test_what_a_branch_of_a_remote_has_is_passed_over(repository, capsys):
    leaking_run(repository)
    git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert Cli(capsys)("secrets").out == ""


def test_as_json_all_facts_are_there(repository, capsys):
    run = leaking_run(repository)
    [found] = json.loads(Cli(capsys)("secrets", "--json", code=1).out)
    fingerprint = found.pop("fingerprint")
    assert found == {"run": run, "path": "a\x1b.py", "line": 2, "rule": "GitHub token"}
    git(repository, "config", "--add", "repro.allowSecret", fingerprint)
    assert json.loads(Cli(capsys)("secrets", "--json").out) == []


def test_staged_files_are_searched_before_a_commit(repository, capsys):
    write_files(repository, {"a.py": f"KEY = '{SECRET}'\n"})
    git(repository, "add", ".")
    assert Cli(capsys)("secrets", "--staged", code=1).out.startswith("a.py:1: GitHub token [")
    assert Cli(capsys)("secrets", "--staged", "x", code=129).out == ""
