"""The whole promise: whatever happened to code, packages and data, a run comes out the same."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, make_repository, write_files
from tests.support.doctors import install
from tests.support.environments import World, make_world
from tests.support.installs import install_editable, make_sibling
from tests.support.warm import repro
from tests.support.wheels import make_source, make_wheel

from repro.store.installer import find_uv

SCRIPT = """
import random
import dep
total = sum(map(int, open("data/numbers.csv")))
print(dep.VERSION, total, random.random())
"""


def as_json(*words: str, code: int = 0) -> Any:
    done = repro(*words)
    assert done.returncode == code, done.stderr + done.stdout
    return json.loads(done.stdout)


def editables_item(run: str) -> list[dict[str, str]]:
    """What the doctor says of editable packages."""
    items = json.loads(repro("doctor", "--json", "--offline", run).stdout)["items"]
    return [
        {key: one[key] for key in ("state", "detail")}
        for one in items
        if one["item"] == "editables"
    ]


def unpack(wheel: Path, site: Path) -> None:
    """Install a wheel in the simplest way."""
    shutil.unpack_archive(wheel, site, "zip")
    shutil.rmtree(site / "__pycache__", ignore_errors=True)  # both versions are of one moment


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A repository with a virtual environment, and an index that has `dep` 1.0 and 2.0."""
    root = make_repository(
        tmp_path / "project",
        {"train.py": SCRIPT, "data/numbers.csv": "1\n2\n", ".gitignore": ".venv\n"},
    )
    monkeypatch.chdir(root)
    found = make_world(root, tmp_path, monkeypatch)
    found.offer([("dep", "1.0"), ("dep", "2.0")])
    unpack(make_wheel(tmp_path / "wheels", "dep", "1.0"), found.site)
    return found


def test_a_run_survives_other_packages_a_lost_environment_gc_rebase_and_changed_data(world):
    root = world.root
    git(root, "rm", "-rq", "--cached", "data")
    assert repro("data", "add", "--keep", "data").returncode == 0
    git(root, "add", "--all")
    git(root, "commit", "-qm", "data")
    git(root, "switch", "-qc", "work")
    write_files(root, {"train.py": SCRIPT + "print('edited')\n"})
    git(root, "commit", "-qam", "on a branch")
    write_files(root, {"train.py": SCRIPT + "print('never committed')\n"})
    run = as_json("run", "--json", "--", ".venv/bin/python", "train.py")

    git(root, "checkout", "-q", "--", "train.py")
    git(root, "switch", "-q", "main")
    git(root, "branch", "-qD", "work")
    git(root, "commit", "-q", "--amend", "-m", "rewritten")
    git(root, "reflog", "expire", "--expire=now", "--all")
    git(root, "gc", "-q", "--prune=now")
    write_files(root, {"data/numbers.csv": "1\n3\n"})
    shutil.rmtree(world.site / "dep-1.0.dist-info")
    unpack(make_wheel(world.tmp / "wheels", "dep", "2.0"), world.site)
    other = as_json("doctor", "--json", run["id"])
    shutil.rmtree(root / ".venv")
    gone = as_json("doctor", "--json", run["id"])
    verdict = as_json("rerun", "--env", "recorded", "--verify", "--json", run["id"])

    said = {item["item"]: json.dumps(item) for item in other["items"]}
    assert "dep" in said["environment"]
    assert "has changed" in said["data:data"]
    assert {item["item"] for item in gone["items"] if item["state"] == "missing"} == set()
    assert any("venv" in json.dumps(item) for item in gone["items"])
    assert verdict["verdict"] == "identical"
    assert (root / "data/numbers.csv").read_text() == "1\n3\n"


def test_what_cannot_be_had_any_more_is_named_with_the_nearest(world):
    run = as_json("run", "--json", "--", ".venv/bin/python", "train.py")
    shutil.rmtree(root_venv := world.root / ".venv")
    assert not root_venv.exists()
    shutil.rmtree(world.tmp / "index")
    world.offer([("dep", "1.1")])

    done = repro("rerun", "--verify", run["id"])

    assert done.returncode == 1
    assert "dep" in done.stderr
    assert "1.1" in done.stderr
    assert repro("doctor", run["id"]).returncode == 1
    verdict = as_json("rerun", "--nearest", "--verify", "--json", run["id"], code=1)
    assert verdict["verdict"] == "diverged"
    assert "dep" in verdict["causes"][0]["what"]


def test_an_editable_sibling_with_uncommitted_changes_is_restored_as_it_was(world, tmp_path):
    sibling = make_sibling(tmp_path / "sibling")
    write_files(sibling, {"src/sibling/__init__.py": "VALUE = 'uncommitted'\n"})
    install_editable(world.root / ".venv/bin/python", "sibling", sibling, roots=("src",))
    script = "import sibling\nprint(sibling.VALUE, sibling.__file__, sep='\\n')\n"
    write_files(world.root, {"train.py": script})
    run = as_json("run", "--json", "--", ".venv/bin/python", "train.py")

    [untouched] = editables_item(run["id"])
    write_files(sibling, {"src/sibling/__init__.py": "VALUE = 'later'\n"})

    [changed] = editables_item(run["id"])
    done = repro("rerun", "--verify", run["id"])
    assert done.returncode == 0, done.stderr
    assert "uncommitted\n" in done.stdout
    assert "identical" in done.stdout
    assert (sibling / "src/sibling/__init__.py").read_text() == "VALUE = 'later'\n"
    shutil.rmtree(sibling)
    [gone] = editables_item(run["id"])
    recorded = "the code of 1 editable package is in the record"
    assert untouched == {"state": "ok", "detail": recorded}
    assert changed == {"state": "ok", "detail": f"{recorded}; `sibling` has changed since"}
    assert gone["detail"] == f"{recorded}; the folder of `sibling` is gone since"
    assert repro("rerun", "--verify", run["id"]).returncode == 0
    spoil = "import sibling; print(sibling.VALUE); open(sibling.__file__, 'w').write('VALUE = 0')"
    for _ in range(2):  # what one command does to its packages is none of the next one's
        assert repro("exec", run["id"], "--", "python", "-c", spoil).stdout == "uncommitted\n"
    assert list((world.root / ".git/repro/worktrees").iterdir()) == []


def test_packages_in_place_are_named_to_who_enters_the_environment_by_hand(world, tmp_path):
    sibling, root = make_sibling(tmp_path / "si'b ling"), world.root
    write_files(root, {"src/own/__init__.py": "VALUE = 'of the run'\n"})
    python = root / ".venv/bin/python"
    install_editable(python, "sibling", sibling, roots=("src",))
    install_editable(python, "own", root, roots=("src",))
    code = "import own, sibling\nprint(own.VALUE, sibling.VALUE, own.__file__)\n"
    write_files(root, {"train.py": code})
    run = as_json("run", "--json", "--", ".venv/bin/python", "train.py")
    write_files(root, {"src/own/__init__.py": "VALUE = 'later'\n"})
    shutil.rmtree(sibling)

    created = repro("env", "create", run["id"])
    beside = tmp_path / "beside"
    checked_out = repro("checkout", "-w", str(beside), "--env", run["id"])
    said = as_json("checkout", "--env", "--save", "--json", run["id"])["env"]

    [line] = [line for line in created.stderr.splitlines() if "PYTHONPATH=" in line]
    words = f"{line.split('`')[1]}; {created.stdout.strip()}/bin/python train.py"
    as_it_is = subprocess.run(["sh", "-c", words], capture_output=True, text=True, cwd=root)
    assert as_it_is.stdout.split()[-1] == str(root / "src/own/__init__.py")
    hints = [line.split("`")[1] for line in checked_out.stderr.splitlines() if "hint: `" in line]
    words = "; ".join([*(one for one in hints if "git" not in one.split()[0]), "python train.py"])
    words = words.replace("source ", ". ")
    entered = subprocess.run(["sh", "-c", words], capture_output=True, text=True, cwd=beside)
    assert entered.stdout == f"of the run 1 {beside}/src/own/__init__.py\n", entered.stderr
    assert said["pythonpath"][1:] == [str(root / "src")]
    assert (Path(said["pythonpath"][0]) / "sibling/__init__.py").is_file()


def test_an_editable_whose_code_is_not_in_the_record_is_said(world, tmp_path):
    install_editable(world.root / ".venv/bin/python", "lost", tmp_path / "gone", roots=("src",))
    run = as_json("run", "--json", "--", ".venv/bin/python", "train.py")

    done = repro("env", "create", run["id"])

    assert "warning: editable, and its code is not in the record: lost" in done.stderr
    assert "PYTHONPATH" not in done.stderr


def test_a_package_from_a_repository_is_installed_for_a_command_only_with_consent(world, tmp_path):
    source = make_source(tmp_path / "library", "lib", "1.0")
    info = {"vcs": "git", "commit_id": git(source, "rev-parse", "HEAD")}
    world.have({"lib": {"url": source.as_uri(), "vcs_info": info}})
    write_files(world.root, {"train.py": "print(1)\n"})
    run = as_json("run", "--json", "--", ".venv/bin/python", "train.py")["id"]

    assert repro("rerun", run).returncode == 0  # nothing has to be built
    world.have({})
    refused = [repro("rerun", run), repro("exec", run, "--", "true"), repro("shell", run)]
    forced = repro("exec", "--yes", run, "--", "python", "-c", "import lib; print(lib.VERSION)")
    again = repro("rerun", "--verify", run)

    for done in refused:
        assert done.returncode != 0
        assert "lib 1.0: comes from" in done.stderr
        assert "add `--yes`" in done.stderr
    assert forced.stdout == "1.0\n"
    assert again.returncode == 0, again.stderr  # it is built already


def test_the_present_packages_are_taken_when_asked_for_and_blamed(world):
    run = as_json("run", "--json", "--", ".venv/bin/python", "train.py")
    shutil.rmtree(world.site / "dep-1.0.dist-info")
    unpack(make_wheel(world.tmp / "wheels", "dep", "2.0"), world.site)

    verdict = as_json("rerun", "--env", "current", "--verify", "--json", run["id"], code=1)

    assert verdict["verdict"] == "diverged"
    assert verdict["causes"][0] == {"part": "environment", "what": "dep 1.0 → 2.0"}


def test_the_second_rerun_starts_no_installer(world):
    run = as_json("run", "--json", "--", ".venv/bin/python", "train.py")
    shutil.rmtree(world.root / ".venv")
    as_json("rerun", "--verify", "--json", run["id"])
    shutil.rmtree(world.tmp / "index")
    os.environ["UV_CACHE_DIR"] = str(world.tmp / "no-cache")

    assert as_json("rerun", "--verify", "--json", run["id"])["verdict"] == "identical"


def test_a_package_that_was_built_from_the_code_of_the_run_is_recorded_as_a_copy_of_it(world):
    make_source(world.root, "own", "1.0")
    origin = {"url": world.root.as_uri(), "dir_info": {}}
    install(world.root / ".venv", "own", "1.0", origin=json.dumps(origin))
    run = as_json("run", "--json", "--", ".venv/bin/python", "train.py")
    shutil.rmtree(world.root / ".venv")

    done = repro("rerun", "--nearest", run["id"])

    assert done.returncode == 0, done.stderr
    assert "repro-code-" not in done.stderr
    listed = as_json("show", "--json", "@")["environment"]["packages"]["list"]
    assert {one["name"]: one.get("origin") for one in listed}["own"]["path"] == "."


def test_a_rebuilt_environment_that_was_changed_is_said_to_be(world):
    run = as_json("run", "--json", "--", ".venv/bin/python", "train.py")
    shutil.rmtree(world.root / ".venv")
    done = repro("rerun", "--verify", run["id"])
    assert "not as recorded" not in done.stderr
    [env] = (path for path in (world.root / ".git/repro/envs").iterdir() if path.is_dir())
    [site] = env.glob("lib/python*/site-packages")
    unpack(make_wheel(world.tmp / "wheels", "intruder", "1.0"), site)

    done = repro("rerun", "--verify", run["id"])

    assert "not as recorded any more: intruder;" in done.stderr


@pytest.mark.skipif(find_uv(os.environ) is None, reason="uv is not here")
@pytest.mark.parametrize("which", ["current", "recorded"])
def test_uv_run_takes_the_environment_in_question_and_makes_none(world, which):
    write_files(world.root, {"pyproject.toml": "[project]\nname = 'x'\nversion = '1'\n"})
    write_files(world.root, {"train.py": "import sys\nprint(sys.prefix)\n"})
    uv = (str(find_uv(os.environ)), "run", "--offline", "--no-sync", "python", "train.py")
    run = as_json("run", "--json", "--", *uv)

    done = repro("rerun", "--verify", "--env", which, run["id"])

    assert "identical" in done.stdout, done.stdout + done.stderr
    used = as_json("show", "--json", "@")["environment"]["interpreter"]["prefix"]
    assert f"{used}\n" in done.stdout
    assert used.startswith(str(world.root / (".venv" if which == "current" else ".git/repro/envs")))
