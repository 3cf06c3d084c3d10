import subprocess
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.projects import make_run, open_here
from tests.support.secrets import make_secret

from repro.core.leaks import BY_NAME, MESSAGE, Leak, find_leaks, scan_staged
from repro.store.refs import RUNS, read_ref


def commit(root: Path, path: str, text: str, message: str = "more") -> str:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    git(root, "add", "-f", path)
    git(root, "commit", "-qm", message)
    return git(root, "rev-parse", "HEAD").strip()


def places(leaks: tuple[Leak, ...]) -> list[tuple[str, int]]:
    return [(leak.path, leak.line) for leak in leaks]


def test_a_secret_in_a_commit_is_named_with_path_line_and_rule(repository):
    tip = commit(repository, "src/a.py", f'x = 1\nKEY = "{make_secret("github")}"\n')
    [leak] = find_leaks(open_here(repository), [tip], [])
    assert (leak.run, leak.path, leak.line, leak.rule) == ("", "src/a.py", 2, "GitHub token")


def test_what_the_other_side_has_is_not_searched(repository):
    known = commit(repository, "a.py", f'KEY = "{make_secret("github")}"\n')
    tip = commit(repository, "b.py", "x = 1\n")
    assert find_leaks(open_here(repository), [tip], [known]) == ()


def test_a_known_commit_that_is_not_here_is_passed_over(repository):
    tip = commit(repository, "a.py", f'KEY = "{make_secret("github")}"\n')
    assert len(find_leaks(open_here(repository), [tip], ["1" * 40])) == 1


def test_a_secret_that_was_taken_out_again_is_still_in_the_history(repository):
    commit(repository, "a.py", f'KEY = "{make_secret("github")}"\n')
    tip = commit(repository, "a.py", "x = 1\n")
    assert places(find_leaks(open_here(repository), [tip], [])) == [("a.py", 1)]


def test_a_tracked_env_file_is_stopped_by_its_name(repository):
    tip = commit(repository, "deploy/.env", "HARMLESS=1\n")
    [leak] = find_leaks(open_here(repository), [tip], [])
    assert (leak.path, leak.line, leak.rule) == ("deploy/.env", 0, BY_NAME)


def test_a_secret_in_a_commit_message_is_found(repository):
    tip = commit(repository, "a.py", "x = 1\n", f"uses {make_secret('github')}")
    assert [leak.path for leak in find_leaks(open_here(repository), [tip], [])] == [MESSAGE]


def test_each_run_that_has_the_secret_is_named(repository):
    commit(repository, "train.py", f'KEY = "{make_secret("github")}"\n')
    project = open_here(repository)
    runs = [make_run(project), make_run(project)]
    tips = [str(read_ref(project.repository.git, RUNS + run.id)) for run in runs]
    leaks = find_leaks(project, tips, [])
    assert sorted(leak.run for leak in leaks) == sorted(run.id for run in runs)


def test_an_allowed_secret_passes_and_others_do_not(repository):
    text = f'A = "{make_secret("github")}"\nB = "{make_secret("gitlab")}"\n'
    tip = commit(repository, "a.py", text)
    project = open_here(repository)
    first, second = find_leaks(project, [tip], [])
    git(repository, "config", "--add", "repro.allowSecret", first.fingerprint)
    assert find_leaks(project, [tip], []) == (second,)


def test_a_file_is_allowed_by_name_only_as_it_is(repository):
    tip = commit(repository, ".env", "A=1\n")
    project = open_here(repository)
    [leak] = find_leaks(project, [tip], [])
    git(repository, "config", "--add", "repro.allowSecret", leak.fingerprint)
    assert find_leaks(project, [tip], []) == ()
    assert len(find_leaks(project, [commit(repository, ".env", "A=2\n")], [tip])) == 1


def test_a_second_search_reads_only_what_is_new(repository):
    project = open_here(repository)
    first, second = [], []
    tip = commit(repository, "a.py", "x = 1\n")
    assert find_leaks(project, [tip], [], on_progress=lambda *seen: first.append(seen)) == ()
    tip = commit(repository, "b.py", "y = 1\n")
    assert find_leaks(project, [tip], [], on_progress=lambda *seen: second.append(seen)) == ()
    assert first[-1][1] > second[-1][1] == 2  # the new commit, its file


def test_what_was_found_once_is_found_again(repository):
    tip = commit(repository, "a.py", f'KEY = "{make_secret("github")}"\n')
    project = open_here(repository)
    assert find_leaks(project, [tip], []) == find_leaks(project, [tip], []) != ()


@pytest.mark.parametrize("damage", [b"", b"999 20\nabc", b"\0" * 50])
def test_a_damaged_list_of_searched_objects_hides_nothing(repository, damage):
    project = open_here(repository)
    clean = commit(repository, "a.py", "x = 1\n")
    find_leaks(project, [clean], [])
    (project.repository.private / "scanned").write_bytes(damage)
    tip = commit(repository, "a.py", f'KEY = "{make_secret("github")}"\n')
    assert places(find_leaks(project, [tip], [])) == [("a.py", 1)]


def test_the_same_bytes_are_searched_again_where_values_stand_without_quotes(repository):
    text = f"wandb_api_key = {make_secret('wandb')}\n"
    project = open_here(repository)
    first = commit(repository, "notes.txt", text)
    assert find_leaks(project, [first], []) == ()
    git(repository, "mv", "notes.txt", "settings.ini")
    git(repository, "commit", "-qm", "renamed")
    tip = git(repository, "rev-parse", "HEAD").strip()
    assert places(find_leaks(project, [tip], [])) == [("settings.ini", 1)]


def test_the_head_of_a_huge_file_is_searched(repository):
    text = f'KEY = "{make_secret("github")}"\n' + "x = 1\n" * (4 << 20)
    tip = commit(repository, "big.py", text)
    assert places(find_leaks(open_here(repository), [tip], [])) == [("big.py", 1)]


def test_a_repository_with_sha256_is_searched(tmp_path, monkeypatch):
    root = tmp_path / "other"
    subprocess.run(["git", "init", "-q", "--object-format=sha256", root], check=True)
    tip = commit(root, "a.py", f'KEY = "{make_secret("github")}"\n')
    project = open_here(root)
    assert len(find_leaks(project, [tip], [])) == 1
    assert len(find_leaks(project, [tip], [])) == 1


def test_a_staged_secret_is_found_and_an_unstaged_one_is_not(repository):
    (repository / "a.py").write_text(f'KEY = "{make_secret("github")}"\n')
    project = open_here(repository)
    assert scan_staged(project) == ()
    git(repository, "add", "a.py")
    assert places(scan_staged(project)) == [("a.py", 1)]
    (repository / "a.py").unlink()
    assert places(scan_staged(project)) == [("a.py", 1)]


def test_staged_files_are_those_of_the_index_that_git_names(repository, monkeypatch):
    (repository / "a.py").write_text(f'KEY = "{make_secret("github")}"\n')
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/other-index")
    subprocess.run(["git", "add", "a.py"], check=True)
    assert places(scan_staged(open_here(repository))) == [("a.py", 1)]
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert scan_staged(open_here(repository)) == ()


def test_staged_files_before_the_first_commit_are_searched(tmp_path):
    root = tmp_path / "new"
    subprocess.run(["git", "init", "-q", root], check=True)
    (root / "a.py").write_text(f'KEY = "{make_secret("github")}"\n')
    git(root, "add", "a.py")
    assert places(scan_staged(open_here(root))) == [("a.py", 1)]


def test_the_key_is_made_once_and_for_the_user_alone(repository):
    project = open_here(repository)
    tip = commit(repository, "a.py", f'KEY = "{make_secret("github")}"\n')
    find_leaks(project, [tip], [])
    place = project.repository.private / "key"
    before = place.read_bytes()
    find_leaks(project, [tip], [])
    assert (place.read_bytes(), place.stat().st_mode & 0o777) == (before, 0o600)


def test_what_a_commit_does_not_add_is_no_news_of_what_is_staged(repository):
    commit(repository, "a.py", f'KEY = "{make_secret("github")}"\n')
    write_files(repository, {"a.py": f'x = 1\nKEY = "{make_secret("github")}"\n'})
    git(repository, "add", ".")
    assert scan_staged(open_here(repository)) == ()
    write_files(repository, {"a.py": f'KEY = "{make_secret("github", 2)}"\n'})
    git(repository, "add", ".")
    assert places(scan_staged(open_here(repository))) == [("a.py", 1)]


def test_what_a_merge_brings_is_no_news_of_what_is_staged(repository):
    commit(repository, "b.py", "x = 1\n")
    git(repository, "checkout", "-qb", "theirs")
    commit(repository, "a.py", f'KEY = "{make_secret("github")}"\n')
    git(repository, "checkout", "-q", "-")
    git(repository, "merge", "-q", "--no-ff", "--no-commit", "theirs")
    assert scan_staged(open_here(repository)) == ()


def test_of_two_staged_files_that_are_alike_both_are_named(repository):
    text = f'KEY = "{make_secret("github")}"\n'
    write_files(repository, {"a.py": text, "b.py": text})
    git(repository, "add", ".")
    assert places(scan_staged(open_here(repository))) == [("a.py", 1), ("b.py", 1)]
