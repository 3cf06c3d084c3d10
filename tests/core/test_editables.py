"""Packages in place elsewhere: recorded, shared between runs, placed again."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, make_repository, write_files
from tests.support.installs import install_editable, make_sibling, make_venv
from tests.support.projects import make_run, open_here

from repro.core.diff import compare_runs, compare_with_worktree
from repro.core.editables import place_editables
from repro.core.environment import capture_environment
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.core.surroundings import current_environment
from repro.errors import DamagedRecordError, StorageError
from repro.model.environment import environment_digest
from repro.model.run import Record, Run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A sibling project in a git repository of its own, committed."""
    folder = make_sibling(tmp_path / "a sibling")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return folder


@pytest.fixture
def python(tmp_path: Path, source: Path) -> Path:
    """An interpreter with the sibling in place."""
    found = make_venv(tmp_path / "venv")
    install_editable(found, "sibling", source, roots=("src",))
    return found


def recorded(project: Project, python: Path) -> Record:
    return resolve_run(project, ran(project, python).id)


def ran(project: Project, python: Path) -> Run:
    command = (str(python), "train.py")
    return make_run(project, command=command, environment=capture_environment(project, command))


def origin_of(record: Record) -> Any:
    packages: Any = record.environment["packages"]
    [origin] = [one["origin"] for one in packages["list"] if one["name"] == "sibling"]
    return origin


def show(repository: Path, record: Record, path: str) -> str:
    return git(repository, "show", f"{record.commit}:editables/sibling/{path}")


def new_objects(repository: Path) -> int:
    """How many objects the newest pack holds."""
    packs = sorted(
        (repository / ".git/objects/pack").glob("*.idx"), key=lambda p: p.stat().st_mtime
    )
    return len(git(repository, "show-index", stdin=packs[-1].read_bytes()).splitlines())


def test_the_code_of_a_clean_sibling_is_in_the_record(repository, source, python):
    git(source, "remote", "add", "origin", "https://ada:hunter2@example.org/sibling.git")

    record = recorded(open_here(repository), python)

    assert origin_of(record) == {
        "editable": True,
        "url": source.as_uri(),
        "import_roots": ["src"],
        "tree": git(source, "rev-parse", "HEAD^{tree}"),
        "commit": git(source, "rev-parse", "HEAD"),
        "dirty": False,
        "remote": "https://<redacted>@example.org/sibling.git",
    }
    assert show(repository, record, "src/sibling/__init__.py") == "VALUE = 1"
    git(repository, "fsck", "--strict")


def test_uncommitted_changes_of_a_sibling_are_in_the_record(repository, source, python):
    write_files(source, {"src/sibling/__init__.py": "VALUE = 2\n", "src/sibling/new.py": "X = 1\n"})

    record = recorded(open_here(repository), python)

    assert origin_of(record)["dirty"] is True
    assert show(repository, record, "src/sibling/__init__.py") == "VALUE = 2"
    assert show(repository, record, "src/sibling/new.py") == "X = 1"
    assert (
        git(source, "status", "--porcelain") == " M src/sibling/__init__.py\n?? src/sibling/new.py"
    )


def test_what_is_ignored_secret_or_large_is_left_out_and_named(repository, source, python):
    write_files(repository, {"repro.yaml": "snapshot: {max_file: 1KiB}\n"})
    write_files(
        source,
        {".gitignore": "*.log\n", "x.log": "x", ".env": "KEY=1", "big.bin": b"x" * 2000},
    )

    record = recorded(open_here(repository), python)

    names = git(repository, "ls-tree", "--name-only", f"{record.commit}:editables/sibling")
    assert names.splitlines() == [".gitignore", "pyproject.toml", "src"]
    assert origin_of(record)["omitted"] == [
        {"path": ".env", "size": 5, "reason": "looks secret"},
        {"path": "big.bin", "size": 2000, "reason": "too large"},
    ]
    [warning] = record.run.warnings
    assert "`.env` (looks secret), `big.bin` (too large)" in warning


def test_what_python_leaves_beside_code_makes_no_difference(repository, source, python):
    project = open_here(repository)
    before = recorded(project, python)
    write_files(source, {"src/sibling/__pycache__/__init__.cpython-311.pyc": b"\0"})

    after = recorded(project, python)

    assert origin_of(before) == origin_of(after)


def test_an_unchanged_sibling_costs_no_objects(repository, source, python):
    write_files(source, {f"src/sibling/m{n}.py": f"{n}\n" for n in range(50)})
    project = open_here(repository)
    first, second = recorded(project, python), recorded(project, python)
    n_second = new_objects(repository)
    packs = list((repository / ".git/objects/pack").glob("*.idx"))
    listed = [git(repository, "show-index", stdin=pack.read_bytes()) for pack in packs]
    blob = git(repository, "rev-parse", f"{first.commit}:editables/sibling/src/sibling/m1.py")

    assert sum(blob in one for one in listed) == 1
    assert n_second < 10
    paths = [f"{one.commit}:environment.json" for one in (first, second)]
    assert len(set(git(repository, "rev-parse", *paths).split())) == 1


def test_a_sibling_whose_holder_is_gone_is_stored_again(repository, source, python):
    project = open_here(repository)
    first = ran(project, python)
    git(repository, "update-ref", "-d", f"refs/repro/runs/{first.id}")
    git(repository, "reflog", "expire", "--all", "--expire=now")
    git(repository, "gc", "-q", "--prune=now")

    record = recorded(project, python)

    assert show(repository, record, "src/sibling/__init__.py") == "VALUE = 1"
    git(repository, "fsck", "--strict")


@pytest.mark.parametrize("said", ["[]", "{", '{"x": 3}', "null"])
def test_a_garbled_note_of_holders_is_no_failure(repository, source, python, said):
    project = open_here(repository)
    ran(project, python)
    (repository / ".git/repro/editables/holders.json").write_text(said)

    assert show(repository, recorded(project, python), "pyproject.toml") == "[project]"


def test_the_record_survives_a_gc_while_the_run_is_in_progress(repository, source, python):
    project = open_here(repository)
    words = [
        "run",
        "--",
        str(python),
        "-c",
        "import subprocess as s; s.run('git gc -q --prune=now', shell=True, check=True)",
    ]
    subprocess.run([sys.executable, "-m", "repro", *words], check=True, capture_output=True)

    assert show(repository, resolve_run(project, "@"), "src/sibling/__init__.py") == "VALUE = 1"


def test_a_plain_folder_is_recorded_by_the_same_rules(repository, source, python):
    shutil.rmtree(source / ".git")
    write_files(source, {".env": "KEY=1", "src/sibling/__pycache__/x.pyc": b"\0"})

    record = recorded(open_here(repository), python)

    names = git(repository, "ls-tree", "-r", "--name-only", f"{record.commit}:editables/sibling")
    assert names.splitlines() == ["pyproject.toml", "src/sibling/__init__.py"]
    origin = origin_of(record)
    assert (origin["commit"], origin["dirty"], origin["remote"]) == (None, None, None)


def test_a_plain_folder_is_read_again_only_where_it_changed(repository, source, python):
    shutil.rmtree(source / ".git")
    project = open_here(repository)
    first = recorded(project, python)
    write_files(source, {"src/sibling/__init__.py": "VALUE = 2\n"})
    (source / "pyproject.toml").unlink()
    second = recorded(project, python)

    assert list((repository / ".git/repro/editables").glob("*.index"))
    names = git(repository, "ls-tree", "-r", "--name-only", f"{second.commit}:editables/sibling")
    assert names.splitlines() == ["src/sibling/__init__.py"]
    assert show(repository, second, "src/sibling/__init__.py") == "VALUE = 2"
    assert show(repository, first, "src/sibling/__init__.py") == "VALUE = 1"


def test_a_plain_folder_whose_objects_are_gone_is_read_again(repository, source, python):
    shutil.rmtree(source / ".git")
    project = open_here(repository)
    first = ran(project, python)
    git(repository, "update-ref", "-d", f"refs/repro/runs/{first.id}")
    git(repository, "gc", "-q", "--prune=now")

    record = recorded(project, python)

    assert show(repository, record, "src/sibling/__init__.py") == "VALUE = 1"
    git(repository, "fsck", "--strict")


def test_a_garbled_index_of_a_plain_folder_is_no_failure(repository, source, python):
    shutil.rmtree(source / ".git")
    project = open_here(repository)
    ran(project, python)
    [index] = (repository / ".git/repro/editables").glob("*.index")
    index.write_bytes(b"garbled")

    record = recorded(project, python)

    assert show(repository, record, "src/sibling/__init__.py") == "VALUE = 1"


def test_a_package_in_an_ignored_folder_of_the_project_is_recorded(repository, tmp_path):
    write_files(repository, {".gitignore": "vendor/\n"})
    source = make_repository(repository / "vendor/sib", {"src/sibling/__init__.py": "VALUE = 1\n"})
    python = make_venv(tmp_path / "venv")
    install_editable(python, "sibling", source, roots=("src",))
    project = open_here(repository)

    record = recorded(project, python)

    assert show(repository, record, "src/sibling/__init__.py") == "VALUE = 1"
    origin = origin_of(record)
    assert (origin["path"], origin["import_roots"]) == ("vendor/sib", ["vendor/sib/src"])
    [root] = place_editables(project, record, tmp_path / "placed")
    assert (root / "sibling/__init__.py").read_text() == "VALUE = 1\n"


def test_a_package_in_a_folder_of_the_project_is_part_of_its_code(repository, tmp_path):
    write_files(repository, {"libs/sib/src/sibling/__init__.py": ""})
    python = make_venv(tmp_path / "venv")
    install_editable(python, "sibling", repository / "libs/sib", roots=("src",))
    project = open_here(repository)

    record = recorded(project, python)

    assert origin_of(record) == {
        "editable": True,
        "path": "libs/sib",
        "import_roots": ["libs/sib/src"],
    }
    assert place_editables(project, record, tmp_path / "placed") == []


def test_a_package_in_a_subfolder_is_recorded_without_its_neighbours(repository, tmp_path):
    mono = make_repository(tmp_path / "mono", {"other/x.py": "", "libs/sib/src/s/__init__.py": ""})
    write_files(mono, {"other/dirt.py": "", "libs/sib/new.py": "N\n"})
    python = make_venv(tmp_path / "venv")
    install_editable(python, "sibling", mono / "libs/sib", roots=("src",))

    record = recorded(open_here(repository), python)

    names = git(repository, "ls-tree", "-r", "--name-only", f"{record.commit}:editables/sibling")
    assert names.splitlines() == ["new.py", "src/s/__init__.py"]
    git(mono, "add", "libs")
    git(mono, "commit", "-q", "-m", "second")
    assert origin_of(recorded(open_here(repository), python))["dirty"] is False


def test_a_submodule_of_a_sibling_comes_whole(repository, source, python, tmp_path):
    inner = make_repository(tmp_path / "inner", {"inner.py": "I\n"})
    git(source, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    git(source, "commit", "-q", "-m", "with a submodule")

    record = recorded(open_here(repository), python)

    assert show(repository, record, "sub/inner.py") == "I"


@pytest.mark.parametrize("what", ["sha256", "broken", "empty"])
def test_a_sibling_whose_git_is_of_no_use_is_taken_as_files(repository, source, python, what):
    git_dir = source / ".git"
    if what == "broken":
        shutil.rmtree(git_dir / "objects")
    else:
        shutil.rmtree(git_dir)
        git(source, "init", "-q", *(["--object-format=sha256"] if what == "sha256" else []))

    record = recorded(open_here(repository), python)

    assert show(repository, record, "src/sibling/__init__.py") == "VALUE = 1"
    assert origin_of(record)["commit"] is None


def test_a_sibling_that_is_gone_stops_no_run(repository, source, python):
    shutil.rmtree(source)

    record = recorded(open_here(repository), python)

    assert "tree" not in origin_of(record)
    assert "the code of editable `sibling` is not kept" in record.run.warnings[0]


def test_other_code_of_a_sibling_is_another_environment(repository, source, python):
    project = open_here(repository)
    before = recorded(project, python)
    write_files(source, {"src/sibling/__init__.py": "VALUE = 2\n"})
    after = recorded(project, python)

    assert before.run.identity != after.run.identity
    assert environment_digest(before.environment) != environment_digest(after.environment)
    [(key, _)] = compare_runs(project, before, after).environment.items()
    assert key == "packages.sibling"


def test_a_commit_of_the_same_code_is_the_same_environment(repository, source, python):
    project = open_here(repository)
    write_files(source, {"src/sibling/__init__.py": "VALUE = 2\n"})
    before = recorded(project, python)
    git(source, "commit", "-q", "-a", "-m", "second")
    after = recorded(project, python)

    assert origin_of(before)["commit"] != origin_of(after)["commit"]
    assert environment_digest(before.environment) == environment_digest(after.environment)
    assert before.run.identity == after.run.identity


def test_the_present_environment_is_compared_with_its_siblings(repository, source, python):
    project = open_here(repository)
    record = recorded(project, python)
    now = current_environment(project, record.run.command)
    assert environment_digest(now) == environment_digest(record.environment)
    assert not compare_with_worktree(project, record).environment

    write_files(source, {"src/sibling/__init__.py": "VALUE = 2\n"})

    now = current_environment(project, record.run.command)
    assert environment_digest(now) != environment_digest(record.environment)
    assert list(compare_with_worktree(project, record).environment) == ["packages.sibling"]


def test_a_sibling_is_placed_as_it_was(repository, source, python, tmp_path):
    write_files(source, {"src/sibling/__init__.py": "VALUE = 2\n", "src/sibling/new.py": "X = 1\n"})
    project = open_here(repository)
    record = recorded(project, python)
    shutil.rmtree(source)

    [root] = place_editables(project, record, tmp_path / "placed")

    assert root == tmp_path / "placed" / f"sibling-{origin_of(record)['tree'][:12]}" / "src"
    script = "import sibling.new; print(sibling.VALUE, sibling.__file__)"
    done = subprocess.run(
        [python, "-c", script], env={"PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert done.stdout.split() == ["2", str(root / "sibling/__init__.py")]
    again = place_editables(project, record, tmp_path / "placed")
    assert again == [root]
    assert [path.name for path in (tmp_path / "placed").iterdir()] == [root.parent.name]


def test_placing_where_nothing_is_in_place_gives_no_folder(repository, tmp_path):
    project = open_here(repository)
    run = make_run(project, environment={"packages": {"list": []}})

    assert place_editables(project, resolve_run(project, run.id), tmp_path / "placed") == []
    assert not (tmp_path / "placed").exists()


def test_a_place_that_cannot_be_written_is_an_error_that_leaves_nothing(
    repository, source, python, tmp_path
):
    project = open_here(repository)
    record = recorded(project, python)
    target = tmp_path / "placed" / f"sibling-{origin_of(record)['tree'][:12]}"
    write_files(target.parent, {target.name: "in the way"})

    with pytest.raises(StorageError):
        place_editables(project, record, tmp_path / "placed")

    assert [path.name for path in target.parent.iterdir()] == [target.name]


def hostile(record: Record, **changes: Any) -> Record:
    origin = {**origin_of(record), **changes}
    packages = {"list": [{"name": "sibling", "version": "1", "origin": origin}]}
    return replace(record, environment={"packages": packages})


@pytest.mark.parametrize(
    "changes",
    [
        {"tree": "0" * 40},
        {"tree": "HEAD"},
        {"tree": None},
        {"tree": 3},
        {"import_roots": ["../.."]},
        {"import_roots": ["/etc"]},
        {"import_roots": [".git"]},
    ],
)
def test_a_record_that_lies_about_a_sibling_is_refused(
    repository, source, python, tmp_path, changes
):
    project = open_here(repository)
    record = hostile(recorded(project, python), **changes)

    with pytest.raises(DamagedRecordError):
        place_editables(project, record, tmp_path / "placed")


def test_an_import_root_behind_a_link_is_refused(repository, source, python, tmp_path):
    (source / "out").symlink_to(tmp_path)
    project = open_here(repository)
    record = hostile(recorded(project, python), import_roots=["out"])

    with pytest.raises(DamagedRecordError, match="leads out"):
        place_editables(project, record, tmp_path / "placed")


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".git", "-x", "a" * 300])
def test_a_name_that_could_lead_elsewhere_is_no_sibling(repository, source, python, tmp_path, name):
    project = open_here(repository)
    record = recorded(project, python)
    packages = {"list": [{"name": name, "version": "1", "origin": origin_of(record)}]}

    lying = replace(record, environment={"packages": packages})

    assert place_editables(project, lying, tmp_path / "placed") == []
