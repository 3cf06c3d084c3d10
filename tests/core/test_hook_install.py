import shutil

import pytest
from tests.support import git, write_files
from tests.support.hooks import image_of, install, run_git, write_script
from tests.support.projects import open_here

from repro.core.hooks.install import read_states, uninstall_hooks
from repro.errors import NotARepositoryError, StorageError, UsageError, WouldLoseWorkError
from repro.hooks import GIT_HOOKS
from repro.store.hookfiles import HookState


def uninstall(root):
    return uninstall_hooks(open_here(root).repository)


def states(root):
    return set(read_states(open_here(root).repository, list(GIT_HOOKS))[1].values())


def test_what_is_uninstalled_leaves_no_trace(repository):
    write_script(repository / ".git/hooks/pre-push", "exit 0\n", 0o700)
    write_script(repository / ".git/hooks/commit-msg", "exit 0\n", 0o644)
    before = image_of(repository / ".git")

    install(repository)
    again = install(repository)
    removed = uninstall(repository)

    assert again.changed == ()
    assert set(removed.hooks) == set(GIT_HOOKS)
    assert image_of(repository / ".git") == before


def test_a_folder_that_was_not_there_is_gone_again(repository):
    shutil.rmtree(repository / ".git/hooks")
    before = image_of(repository / ".git")

    install(repository, "pre-commit")
    install(repository, "pre-push")
    assert states(repository) == {HookState.INSTALLED, HookState.ABSENT}
    uninstall(repository)

    assert image_of(repository / ".git") == before


def test_an_empty_folder_that_was_there_stays(repository):
    shutil.rmtree(repository / ".git/hooks")
    (repository / ".git/hooks").mkdir()

    install(repository)
    uninstall(repository)

    assert (repository / ".git/hooks").is_dir()


def test_what_somebody_changed_since_is_neither_overwritten_nor_taken_away(repository):
    install(repository)
    path = repository / ".git/hooks/pre-commit"
    path.write_text(path.read_text() + "echo mine\n")

    with pytest.raises(WouldLoseWorkError, match="was changed by hand"):
        install(repository)
    removed = uninstall(repository)

    assert removed.left == (str(path),)
    assert path.read_text().endswith("echo mine\n")
    assert not (repository / ".git/hooks/pre-push").exists()


def test_a_third_hook_is_not_overwritten(repository):
    write_script(repository / ".git/hooks/pre-commit", "exit 1\n")
    install(repository)
    write_script(repository / ".git/hooks/pre-commit", "exit 2\n")
    before = image_of(repository / ".git/hooks")

    with pytest.raises(WouldLoseWorkError, match="two other hooks"):
        install(repository)
    uninstall(repository)

    assert image_of(repository / ".git/hooks")["pre-commit"] == before["pre-commit"]
    assert "pre-commit.before-repro" in image_of(repository / ".git/hooks")


@pytest.mark.parametrize("value", [".githooks", "sub/../.githooks"])
def test_a_folder_in_the_working_tree_is_refused(repository, value):
    write_files(repository, {".githooks/pre-commit": "#!/bin/sh\nexit 0\n"})
    git(repository, "config", "core.hooksPath", value)

    with pytest.raises(UsageError, match="in the working tree") as refused:
        install(repository)

    assert "--local" in refused.value.hint
    assert list((repository / ".githooks").iterdir()) == [repository / ".githooks/pre-commit"]


def test_a_folder_of_all_repositories_is_refused(repository, tmp_path, monkeypatch):
    config = tmp_path / "global"
    config.write_text("[core]\n\thooksPath = ~/hooks\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))

    with pytest.raises(UsageError, match="all your repositories"):
        install(repository)
    before = image_of(repository / ".git")
    install(repository, local=True)
    assert states(repository) == {HookState.INSTALLED}
    uninstall(repository)

    assert image_of(repository / ".git") == before
    assert not (tmp_path / "home/hooks").exists()


def test_hooks_that_are_switched_off_stay_so(repository):
    git(repository, "config", "core.hooksPath", "/dev/null")

    with pytest.raises(UsageError, match="switches them off"):
        install(repository)


def test_a_folder_of_this_clone_is_honoured(repository, tmp_path):
    git(repository, "config", "core.hooksPath", str(tmp_path / "hooks"))

    done = install(repository)
    assert states(repository) == {HookState.INSTALLED}
    uninstall(repository)

    assert done.folder == tmp_path / "hooks"
    assert not (tmp_path / "hooks").exists()
    assert git(repository, "config", "core.hooksPath") == str(tmp_path / "hooks")


def test_local_hooks_call_those_of_the_folder_that_all_share(repository):
    """As husky has it: a folder in the working tree, made anew at each `npm install`."""
    for hook in ("pre-commit", "post-commit", "reference-transaction"):
        write_script(repository / f".husky/_/{hook}", f'echo "{hook} of husky" >&2\n')
    config = repository / ".git/config"
    config.write_text(config.read_text() + "[core] ; ours\n\thooksPath = .husky/_ # husky\n")
    before = image_of(repository)

    install(repository, local=True)
    assert install(repository, local=True).changed == ()
    assert install(repository).changed == ()
    done = run_git(repository, "commit", "--allow-empty", "-m", "one")

    assert done.returncode == 0
    for hook in ("pre-commit", "post-commit", "reference-transaction"):
        assert f"{hook} of husky" in done.stderr
    # One that comes with the next checkout is called, too.
    write_script(repository / ".husky/_/commit-msg", "echo refused >&2; exit 1\n")
    assert run_git(repository, "commit", "--allow-empty", "-m", "two").returncode == 1
    (repository / ".husky/_/commit-msg").unlink()
    uninstall(repository)
    after = image_of(repository)
    assert config.read_bytes() == before[".git/config"][1]
    assert {name for name in after if "hooks" in name} == {n for n in before if "hooks" in n}


def test_linked_worktrees_share_the_hooks_also_of_a_bare_clone(repository, tmp_path):
    bare, linked = tmp_path / "bare.git", tmp_path / "linked"
    git(repository, "clone", "-q", "--bare", ".", str(bare))
    with pytest.raises(NotARepositoryError, match="bare"):
        install(bare)
    git(bare, "worktree", "add", "-q", str(linked), "main")

    done = install(linked)

    assert done.folder == bare / "hooks"
    write_files(linked, {"repro.yaml": "data: 1\n"})
    git(linked, "add", "-A")
    refused = run_git(linked, "commit", "-m", "wrong")
    assert refused.returncode == 1
    assert "repro-config: `repro.yaml` line 1" in refused.stderr


def test_a_folder_that_cannot_be_made_is_named(repository):
    shutil.rmtree(repository / ".git/hooks")
    (repository / ".git/hooks").write_text("")

    with pytest.raises(StorageError, match="something else stands in its place"):
        install(repository)
