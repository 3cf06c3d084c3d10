"""Submodules of which a record holds nothing, in the tree that a rerun gets."""

import shutil
from pathlib import Path

import pytest
from tests.store.forms import submodule_inside
from tests.support import git, make_repository, write_files
from tests.support.doctors import states_of
from tests.support.projects import make_run, open_here

from repro.core.doctor_code import check_submodules
from repro.core.isolation import isolated
from repro.core.query import resolve_run

ALLOW = ("-c", "protocol.file.allow=always")


def add(root: Path, library: Path, name: str, *words: str) -> None:
    git(root, *ALLOW, "submodule", "--quiet", "add", *words, str(library), name)
    git(root, "commit", "-q", "-m", f"with {name}")


def laid_out(root: Path, run: str, *paths: str) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """What the tree of a run has at some paths, and the notes about it."""
    project = open_here(root)
    with isolated(project, resolve_run(project, run)) as (place, _):
        there = {path: place.folder / path for path in paths}
        found = {path: file.read_text() if file.exists() else None for path, file in there.items()}
        return found, place.notes


@pytest.mark.parametrize("now", ["as it was", "at another commit", "gone", "of old git"])
def test_a_clean_submodule_has_its_files(tmp_path, now):
    root = submodule_inside(tmp_path)
    run = make_run(open_here(root)).id
    if now == "at another commit":
        write_files(root / "lib", {"lib.py": "X = 2\n"})
        git(root / "lib", "commit", "-qam", "second")
    elif now == "gone":
        shutil.rmtree(root / "lib")
    elif now == "of old git":  # which kept the git folder in the submodule
        (root / "lib/.git").unlink()
        shutil.move(root / ".git/modules/lib", root / "lib/.git")
        git(root, "config", "--file", "lib/.git/config", "core.worktree", "..")

    assert laid_out(root, run, "lib/lib.py") == ({"lib/lib.py": "X = 1\n"}, ())


def test_a_submodule_whose_name_is_not_its_path(tmp_path):
    library = make_repository(tmp_path / "library", {"lib.py": "X = 1\n"})
    root = make_repository(tmp_path / "root")
    add(root, library, "deep/er", "--name", "other")
    run = make_run(open_here(root)).id
    shutil.rmtree(root / "deep")

    assert laid_out(root, run, "deep/er/lib.py") == ({"deep/er/lib.py": "X = 1\n"}, ())


@pytest.mark.parametrize("outer", ["clean", "dirty"])
def test_a_submodule_of_a_submodule_has_its_files(tmp_path, outer):
    innermost = make_repository(tmp_path / "innermost", {"deep.py": "Y = 1\n"})
    library = make_repository(tmp_path / "library", {"lib.py": "X = 1\n"})
    add(library, innermost, "vendor")
    root = make_repository(tmp_path / "root")
    add(root, library, "lib")
    git(root, *ALLOW, "submodule", "--quiet", "update", "--init", "--recursive")
    if outer == "dirty":
        write_files(root, {"lib/lib.py": "X = 2\n"})
    project = open_here(root)
    run = make_run(project).id
    shutil.rmtree(root / "lib")

    found, notes = laid_out(root, run, "lib/lib.py", "lib/vendor/deep.py")

    number = 2 if outer == "dirty" else 1
    assert found == {"lib/lib.py": f"X = {number}\n", "lib/vendor/deep.py": "Y = 1\n"}
    assert notes == ()
    items = check_submodules(project, resolve_run(project, run))
    assert states_of(items) == [("submodules", "ok")]


def test_a_submodule_that_nobody_here_has_is_empty_and_said_to_be(tmp_path):
    root = submodule_inside(tmp_path)
    run = make_run(open_here(root)).id
    shutil.rmtree(root / "lib")
    shutil.rmtree(root / ".git/modules/lib")

    found, [note] = laid_out(root, run, "lib/lib.py")

    assert found == {"lib/lib.py": None}
    assert note.startswith("the submodule `lib` is empty there")
    assert "`git submodule update --init --recursive`" in note


def test_a_submodule_that_is_not_whole_is_empty_and_the_doctor_knows(tmp_path):
    root = submodule_inside(tmp_path)
    write_files(root / "lib", {"a.py": "A = 1\n"})
    git(root / "lib", "add", "-A")
    git(root / "lib", "commit", "-qm", "more")
    git(root / "lib", "push", "-q", "origin", "HEAD:refs/heads/more")
    git(root, "commit", "-qam", "more")
    project = open_here(root)
    record = resolve_run(project, make_run(project).id)
    shutil.move(root / "lib/.git", tmp_path / "pointer")
    inner = root / ".git/modules/lib"
    git(root, "config", "--file", str(inner / "config"), "--unset", "core.worktree")
    write_files(tmp_path, {"bare/.git": f"gitdir: {inner}\n"})
    oid = git(tmp_path / "bare", "rev-parse", "HEAD:lib.py")
    (inner / "objects" / oid[:2] / oid[2:]).unlink(missing_ok=True)
    for pack in (inner / "objects/pack").glob("*"):
        pack.unlink()

    found, notes = laid_out(root, record.run.id, "lib/lib.py", "lib/a.py")

    assert found == {"lib/lib.py": None, "lib/a.py": None}
    assert len(notes) == 1
    assert states_of(check_submodules(project, record)) == [("submodules", "missing")]


def test_a_name_that_leads_elsewhere_is_not_looked_at(tmp_path):
    root = submodule_inside(tmp_path)
    shutil.move(root / ".git/modules/lib", tmp_path / "elsewhere")
    shutil.rmtree(root / "lib")
    text = (root / ".gitmodules").read_text()
    (root / ".gitmodules").write_text(text.replace('"lib"', f'"../../..{tmp_path}/elsewhere"'))
    git(root, "commit", "-qam", "evil")
    run = make_run(open_here(root)).id

    assert laid_out(root, run, "lib/lib.py")[0] == {"lib/lib.py": None}
