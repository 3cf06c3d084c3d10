"""The hooks as git calls them."""

import io
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from tests.support import git, make_repository, write_files
from tests.support.datasets import commit_all, make_data
from tests.support.hooks import image_of, install, message_of, run_git, write_script
from tests.support.projects import make_run, open_here, ticking
from tests.support.warm import repro

from repro.cli.main import run_cli
from repro.core.curate import tag_run
from repro.core.query import resolve_run
from repro.hooks import CHECKS, GIT_HOOKS, run_hook

OTHER = "print('other')\n"


@pytest.fixture
def hooked(repository, request):
    """A repository with the hooks that a group of tests is about."""
    install(repository, *getattr(request.cls, "hooks", ()))
    return repository


def record(root, **request):
    """The id of a run of the code as it is now."""
    return make_run(open_here(root, ticking(step=5.0)), **request).id


def commit(root, *words, **env):
    done = run_git(root, "commit", *words, **env)
    assert done.returncode == 0, done.stderr
    return done.stderr


def trailers(root, rev="HEAD"):
    return re.findall(r"^Repro-Run: (.*)$", message_of(root, rev), re.MULTILINE)


class TestCommand:
    def test_install_says_what_it_did_and_uninstall_takes_it_back(self, repository, cli):
        write_script(repository / ".git/hooks/pre-push", "exit 0\n")
        before = image_of(repository / ".git")

        said = cli("hook", "install").err
        assert "installed pre-commit, prepare-commit-msg, " in said
        assert "the pre-push hook that was there is called first" in said
        assert "installed already" in cli("hook", "install").err
        assert "took commit-msg, post-checkout, " in cli("hook", "uninstall").err
        assert "no hooks are installed" in cli("hook", "uninstall").err
        assert image_of(repository / ".git") == before

    def test_some_hooks_can_be_chosen(self, repository, cli):
        cli("hook", "install", "pre-commit")

        states = json.loads(cli("hook", "status", "--json").out)["hooks"]
        assert states.pop("pre-commit") == "installed"
        assert set(states) == set(GIT_HOOKS) - {"pre-commit"}
        assert set(states.values()) == {"not installed"}
        assert "pre-commit" in cli("hook", "status").out

    def test_an_unknown_hook_is_a_mistake_that_names_the_near_ones(self, repository, cli):
        assert "did you mean `pre-commit`?" in cli("hook", "install", "precommit", code=129).err

    def test_a_changed_hook_stays_and_is_named(self, repository, cli):
        cli("hook", "install")
        path = repository / ".git/hooks/pre-push"
        path.write_text(path.read_text() + "exit 0\n")

        assert "pre-push` was changed by hand, and stays" in cli("hook", "uninstall", code=1).err
        assert path.exists()

    def test_outside_of_a_repository_it_is_an_error(self, cli):
        assert "not in a git repository" in cli("hook", "install", code=128).err

    @pytest.mark.parametrize("name", [*GIT_HOOKS, *CHECKS, "of-a-newer-version"])
    def test_no_hook_fails_outside_of_a_repository(self, name, monkeypatch, capsys):
        monkeypatch.setattr("sys.stdin", io.StringIO("x\n"))

        assert run_hook(name, ["a", "b", "1"]) == 0
        assert len(capsys.readouterr().err.splitlines()) <= 1

    @pytest.mark.parametrize("name", [*GIT_HOOKS, *CHECKS])
    def test_no_hook_says_anything_where_there_is_nothing_to_do(
        self, repository, name, monkeypatch, capsys
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(""))

        assert run_hook(name, []) == 0
        assert capsys.readouterr() == ("", "")
        assert not (repository / ".git/repro").exists()

    def test_a_hook_does_without_the_command_line(self, repository):
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "repro", "hook", "run", "pre-commit"],
            capture_output=True,
            text=True,
            check=True,
        )

        loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
        assert "repro.store.staged" in loaded
        assert not loaded & {"click", "repro.cli", "sqlite3", "msgspec", "repro.core.datasets"}

    def test_a_hook_can_be_run_through_the_command_line(self, repository, monkeypatch, capsys):
        write_files(repository, {"repro.yaml": "[\n"})
        git(repository, "add", "-A")
        monkeypatch.chdir(repository.parent)

        assert run_cli(["-C", str(repository), "hook", "run", "pre-commit"]) == 1
        assert "repro-config: `repro.yaml` line 2" in capsys.readouterr().err

    def test_a_hook_of_another_repository_than_the_one_around_does_nothing(
        self, repository, tmp_path
    ):
        """As with `git --git-dir=~/.dotfiles --work-tree=~ commit`."""
        other = make_repository(tmp_path / "other")
        write_files(repository, {"repro.yaml": "[\n"})
        git(repository, "add", "-A")

        done = repro("hook", "run", "pre-commit", GIT_DIR=str(other / ".git"))

        assert (done.returncode, done.stderr) == (0, "")


class TestChecks:
    hooks = ("pre-commit",)

    def test_a_commit_that_fails_a_check_is_not_made(self, hooked):
        write_files(hooked, {"repro.yaml": "snapshot: {max_file: 1KiB}\n", "big": b"x" * 2000})
        git(hooked, "add", "-A")

        done = run_git(hooked, "commit", "-m", "big")

        assert done.returncode == 1
        assert "repro-large-files: `big` is 2.0 KiB, more than" in done.stderr
        assert "hint: `git rm --cached big`" in done.stderr
        assert run_git(hooked, "commit", "-m", "big", SKIP="repro-large-files").returncode == 0

    def test_what_is_committed_is_checked_and_nothing_else(self, hooked):
        write_files(hooked, {"repro.yaml": "snapshot: {max_file: 1KiB}\n", "big": b"x" * 2000})
        git(hooked, "add", "-A")

        commit(hooked, "-m", "one", "--only", "repro.yaml")
        assert run_git(hooked, "commit", "-m", "two").returncode == 1
        git(hooked, "rm", "-q", "--cached", "big")
        write_files(hooked, {"train.py": b"#" * 2000})
        commit(hooked, "-m", "two", "--allow-empty")
        assert run_git(hooked, "commit", "-a", "-m", "three").returncode == 1

    def test_a_secret_is_named_by_its_place_and_can_be_let_pass(self, hooked):
        key = "AKIA" + "QWERTYUIOPASDFGH"
        write_files(hooked, {"params.yaml": f"lr: 1\naws: {key}\n"})
        git(hooked, "add", "-A")

        done = run_git(hooked, "commit", "-m", "key")

        assert done.returncode == 1
        assert "repro-secrets: `params.yaml` line 2: " in done.stderr
        assert key not in done.stderr
        [command] = re.findall("`git (config --add repro.allowSecret [^`]+)`", done.stderr)
        git(hooked, *command.split(" "))
        commit(hooked, "-m", "key")

    def test_a_dataset_that_changed_is_named_until_it_is_pinned(self, hooked):
        make_data(hooked)
        commit_all(hooked)
        write_files(hooked, {"data/train/new.bin": "new\n", "train.py": OTHER})

        done = run_git(hooked, "commit", "-am", "no data")
        assert done.returncode == 1
        assert "repro-lock: dataset `train` changed" in done.stderr
        assert repro("data", "add", "train", cwd=hooked).returncode == 0
        commit(hooked, "-am", "with data")

    def test_the_hook_that_was_there_can_refuse_first(self, repository):
        write_script(repository / ".git/hooks/pre-commit", "echo theirs >&2; exit 3\n")
        install(repository)

        done = run_git(repository, "commit", "--allow-empty", "-m", "one")

        assert done.returncode == 1
        assert done.stderr == "theirs\n"

    def test_a_broken_repository_of_ours_stops_nobody(self, hooked):
        (hooked / ".git/repro").write_text("no folder\n")
        record_like = {"repro.yaml": "data: {d: d}\n", "d/a": "1\n"}
        write_files(hooked, record_like)
        git(hooked, "add", "-A")

        done = run_git(hooked, "commit", "-m", "one", "--no-edit")

        assert "Traceback" not in done.stderr


class TestTrailer:
    hooks = ("prepare-commit-msg", "commit-msg")

    def test_a_commit_of_the_code_of_a_run_names_it(self, hooked):
        write_files(hooked, {"train.py": OTHER, "new.py": "1\n"})
        run = record(hooked)
        git(hooked, "add", "-A")

        commit(hooked, "-m", "the code of a run", "-m", "Signed-off-by: Ada <ada@example.org>")

        assert trailers(hooked) == [run]
        assert message_of(hooked).endswith(f"ada@example.org>\nRepro-Run: {run}")

    def test_other_code_names_none(self, hooked):
        write_files(hooked, {"train.py": OTHER, "new.py": "1\n"})
        record(hooked)

        commit(hooked, "-am", "not all of it")

        assert trailers(hooked) == []

    def test_the_newest_run_of_the_code_is_named(self, hooked):
        write_files(hooked, {"train.py": OTHER})
        project = open_here(hooked, ticking(step=5.0))
        runs = [make_run(project).id for _ in range(3)]
        tag_run(project, resolve_run(project, runs[0]), ["late"])

        commit(hooked, "-am", "code")

        assert trailers(hooked) == [runs[2]]

    def test_only_what_is_committed_counts(self, hooked):
        write_files(hooked, {"train.py": OTHER})
        run = record(hooked)
        write_files(hooked, {"more.py": "1\n"})
        git(hooked, "add", "more.py")

        commit(hooked, "-m", "only that", "--only", "train.py")

        assert trailers(hooked) == [run]

    @pytest.mark.parametrize("words", [[], ["-v"], ["--cleanup=scissors"]])
    def test_a_message_written_in_an_editor_gets_it(self, hooked, words):
        write_files(hooked, {"train.py": OTHER})
        run = record(hooked)

        commit(hooked, "-a", *words, GIT_EDITOR="sed -i 1s/^/typed/")

        assert message_of(hooked) == f"typed\n\nRepro-Run: {run}"

    def test_a_message_that_is_left_empty_makes_no_commit(self, hooked):
        write_files(hooked, {"train.py": OTHER})
        record(hooked)

        done = run_git(hooked, "commit", "-a", GIT_EDITOR="true")

        assert done.returncode == 1
        assert "empty commit message" in done.stderr

    def test_an_amended_commit_has_one_trailer_of_its_own_code(self, hooked):
        write_files(hooked, {"train.py": OTHER})
        first = record(hooked)
        commit(hooked, "-am", "code")
        commit(hooked, "--amend", "--no-edit")
        assert trailers(hooked) == [first]
        write_files(hooked, {"train.py": "3\n"})
        second = record(hooked)

        commit(hooked, "-a", "--amend", "--no-edit")

        assert trailers(hooked) == [second]

    def test_a_trailer_that_somebody_wrote_stays(self, hooked):
        write_files(hooked, {"train.py": OTHER})
        record(hooked)

        commit(hooked, "-am", "code", "--trailer", "Repro-Run: mine")

        assert trailers(hooked) == ["mine"]

    def test_neither_a_merge_nor_a_squash_names_a_run(self, hooked):
        git(hooked, "switch", "-qc", "side")
        commit(hooked, "--allow-empty", "-m", "side")
        git(hooked, "switch", "-q", "main")
        run = record(hooked)

        git(hooked, "merge", "-q", "--no-ff", "-m", "merged", "side")
        assert trailers(hooked) == []
        git(hooked, "reset", "-q", "--hard", "HEAD~1")
        git(hooked, "merge", "-q", "--squash", "side")
        commit(hooked, "--allow-empty", "-m", "squashed")
        assert trailers(hooked) == []
        commit(hooked, "--allow-empty", "-m", "plain")
        assert trailers(hooked) == [run]

    def test_the_index_is_not_touched_and_nothing_is_left(self, hooked):
        write_files(hooked, {"train.py": OTHER})
        record(hooked)
        git(hooked, "add", "-A")
        message = hooked / "message"
        message.write_text("code\n")
        index = (hooked / ".git/index").read_bytes()
        names = set(os.listdir(hooked / ".git"))

        done = repro("hook", "run", "commit-msg", str(message), cwd=hooked)

        assert (done.returncode, done.stderr) == (0, "")
        assert "Repro-Run: " in message.read_text()
        assert (hooked / ".git/index").read_bytes() == index
        assert set(os.listdir(hooked / ".git")) == names

    def test_a_linked_worktree_and_a_submodule_do_as_well(self, hooked, tmp_path):
        linked = tmp_path / "linked"
        git(hooked, "worktree", "add", "-q", "-b", "other", str(linked))
        write_files(linked, {"train.py": OTHER})
        run = record(linked)
        commit(linked, "-am", "in a worktree")
        assert trailers(linked) == [run]

        above = make_repository(tmp_path / "above")
        allow = ("-c", "protocol.file.allow=always")
        git(above, *allow, "submodule", "--quiet", "add", str(hooked), "sub")
        install(above / "sub")
        write_files(above / "sub", {"train.py": OTHER})
        run = record(above / "sub")
        commit(above / "sub", "-am", "in a submodule")
        assert trailers(above / "sub") == [run]


class TestRewrites:
    hooks = ("post-rewrite",)

    def test_show_says_what_became_of_a_base(self, hooked, cli):
        commit(hooked, "--allow-empty", "-m", "base")
        base = git(hooked, "rev-parse", "HEAD")
        run = record(hooked)
        assert json.loads(cli("show", run, "--json").out)["base_now"] is None
        commit(hooked, "--amend", "--allow-empty", "-m", "another")
        git(hooked, "switch", "-qc", "side", "HEAD~1")
        commit(hooked, "--allow-empty", "-m", "elsewhere")
        write_files(hooked, {"a": "1\n"})

        git(hooked, "switch", "-q", "main")
        git(hooked, "rebase", "-q", "--keep-empty", "side")

        now = git(hooked, "rev-parse", "HEAD")
        assert json.loads(cli("show", run, "--json").out)["base_now"] == now
        said = f"base       {base[:12]}, which was rewritten as {now[:12]}"
        assert re.sub(" +", " ", said) in re.sub(" +", " ", cli("show", run).out)

    def test_where_another_program_took_the_input_git_still_has_it(self, hooked, cli):
        """pre-commit gives its hooks of this stage no input."""
        command = f'"{sys.executable}" -m repro hook run post-rewrite </dev/null'
        script = f"PRE_COMMIT_REWRITE_COMMAND=$1 {command}\n"
        write_script(hooked / ".git/hooks/post-rewrite", script)
        commit(hooked, "--allow-empty", "-m", "base")
        run = record(hooked)
        commit(hooked, "--amend", "--allow-empty", "-m", "another")
        amended = git(hooked, "rev-parse", "HEAD")
        assert json.loads(cli("show", run, "--json").out)["base_now"] == amended
        git(hooked, "switch", "-qc", "side", "HEAD~1")
        commit(hooked, "--allow-empty", "-m", "elsewhere")
        git(hooked, "switch", "-q", "main")
        git(hooked, "rebase", "-q", "--keep-empty", "side")

        now = git(hooked, "rev-parse", "HEAD")
        assert json.loads(cli("show", run, "--json").out)["base_now"] == now

    def test_without_runs_nothing_is_written(self, hooked):
        commit(hooked, "--amend", "--allow-empty", "-m", "another")

        assert not (hooked / ".git/repro").exists()


class TestData:
    hooks = ("post-checkout", "post-merge")

    @pytest.fixture
    def branches(self, hooked):
        """`main` pins one state of the data, and `more` another one, which is there now."""
        make_data(hooked)
        commit_all(hooked)
        git(hooked, "switch", "-qc", "more")
        make_data(hooked, {"more.bin": "more\n"})
        commit_all(hooked)
        return hooked

    def test_a_branch_that_pins_other_data_says_so(self, branches):
        said = run_git(branches, "switch", "main").stderr

        assert "repro: dataset `train` differs from `repro.lock`: `repro data status`" in said

    def test_where_the_data_are_as_pinned_nothing_is_said(self, branches):
        run_git(branches, "switch", "-q", "main")

        assert run_git(branches, "switch", "-q", "more").stderr == ""

    def test_where_the_pins_stay_nothing_is_said(self, branches):
        write_files(branches, {"data/train/new.bin": "new\n"})

        assert run_git(branches, "switch", "-qc", "third").stderr == ""

    def test_data_that_are_not_here_can_be_pulled(self, branches):
        shutil.rmtree(branches / "data/train")

        said = run_git(branches, "switch", "main").stderr

        assert "repro: dataset `train` is not here: `repro data pull` fetches it\n" in said

    def test_files_that_are_checked_out_are_no_branch(self, branches):
        assert run_git(branches, "checkout", "-q", "main", "--", "repro.lock").stderr == ""

    def test_a_merge_says_so_too(self, branches):
        git(branches, "switch", "-q", "main")
        make_data(branches, {"more.bin": "other\n", "and.bin": "1\n"})
        git(branches, "checkout", "-q", "--", "repro.lock")

        said = run_git(branches, "merge", "more").stderr

        assert "dataset `train` differs from `repro.lock`" in said

    def test_a_rebase_says_nothing_between(self, branches):
        write_files(branches, {"train.py": OTHER})
        commit(branches, "-am", "code", "--no-verify")
        git(branches, "switch", "-q", "main")
        commit(branches, "--allow-empty", "-m", "on main", "--no-verify")
        git(branches, "switch", "-q", "more")

        assert "differs" not in run_git(branches, "rebase", "-q", "main").stderr
