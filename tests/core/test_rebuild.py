"""Environments of runs built again: exactly, or what is missing is named."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.environments import World, make_world, versions_in
from tests.support.projects import open_here
from tests.support.wheels import (
    make_broken_sdist,
    make_index,
    make_source,
    make_wheel,
    serving,
)

from repro.core.building import open_builder
from repro.core.environment import capture_environment
from repro.core.query import resolve_run
from repro.core.rebuild import (
    Rebuilt,
    activate,
    ensure_environment,
    folder_name,
    is_current,
    plan_environment,
)
from repro.errors import DamagedRecordError, MissingPackagesError, StorageError
from repro.model.run import Record
from repro.store.installer import find_uv
from repro.version import VERSION

VCS = {"vcs": "git", "commit_id": "0123456789abcdef0123456789abcdef01234567"}


@pytest.fixture
def world(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return make_world(repository, tmp_path, monkeypatch)


@pytest.fixture(params=["uv", "pip"])
def installer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pip":
        monkeypatch.setenv("REPRO_UV", "off")
    return str(request.param)


def altered(record: Record, part: str, **facts: object) -> Record:
    environment = {**record.environment, part: {**record.environment[part], **facts}}
    return replace(record, environment=environment)


def missing(world: World, record: Record, **options: bool) -> dict[str, str]:
    """What cannot be had, by name."""
    with pytest.raises(MissingPackagesError) as raised:
        ensure_environment(world.project, record, **options)
    return {item.split()[0]: item for item in raised.value.items}


def installed(rebuilt: Rebuilt) -> set[str]:
    site = next(rebuilt.folder.glob("lib/*/site-packages"))
    return {path.name.removesuffix(".dist-info") for path in site.glob("*.dist-info")}


def test_exact_versions_are_installed_and_nothing_else(world: World, installer: str) -> None:
    world.offer([("foo", "1.0"), ("foo", "2.0"), ("bar-baz", "0.1"), ("bar-baz", "0.2")])
    record = world.run({"foo": "1.0", "bar_baz": "0.1"})

    rebuilt = ensure_environment(world.project, record)

    assert rebuilt.is_new
    assert rebuilt.notes == ()
    assert versions_in(rebuilt.python, "foo", "bar_baz") == ["1.0", "0.1"]
    assert installed(rebuilt) == {"foo-1.0", "bar_baz-0.1"}
    assert rebuilt.folder.parent == world.root / ".git/repro/envs"
    assert rebuilt.folder.name == rebuilt.digest.removeprefix("sha256:")


def test_the_rebuilt_environment_is_the_recorded_one(world: World) -> None:
    world.offer([("foo", "1.0")])
    record = world.run({"foo": "1.0"})
    rebuilt = ensure_environment(world.project, record)
    shutil.rmtree(world.root / ".venv")
    shutil.copytree(rebuilt.folder, world.root / ".venv", symlinks=True)

    now = capture_environment(world.project, [str(rebuilt.python)])
    assert is_current(record, now)
    assert not is_current(altered(record, "interpreter", version="3.1.0"), now)
    assert not is_current(replace(record, environment={}), now)


def test_the_second_time_starts_no_process_and_is_shared(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.offer([("foo", "1.0")])
    first, second = world.run({"foo": "1.0"}), world.run({"foo": "1.0"})
    made = ensure_environment(world.project, first)
    project = world.project

    def forbidden(*args: object, **options: object) -> None:
        raise AssertionError(args)

    monkeypatch.setattr(subprocess, "Popen", forbidden)
    again = ensure_environment(project, second)

    assert not again.is_new
    assert again.folder == made.folder


def test_an_environment_whose_interpreter_is_gone_is_made_anew(world: World) -> None:
    world.offer([("foo", "1.0")])
    record = world.run({"foo": "1.0"})
    rebuilt = ensure_environment(world.project, record)
    rebuilt.python.unlink()
    rebuilt.python.symlink_to("/nowhere/python3")

    again = ensure_environment(world.project, record)

    assert again.is_new
    assert versions_in(again.python, "foo") == ["1.0"]


def test_what_is_gone_is_listed_item_by_item_and_nothing_is_built(
    world: World, installer: str
) -> None:
    wheels = [
        make_wheel(world.tmp / "w", "foo", "1.0"),
        make_wheel(world.tmp / "w", "gone", "1.3"),
        make_wheel(world.tmp / "w", "gone", "2.0"),
        make_wheel(world.tmp / "w", "windows", "1.0", tag="cp311-cp311-win_amd64"),
        make_wheel(world.tmp / "w", "windows", "0.9"),
        make_wheel(world.tmp / "w", "local", "2.1"),
        make_wheel(world.tmp / "w", "old", "1.0", tag="cp27-cp27m-any"),
        make_broken_sdist(world.tmp / "w", "broken", "1.0"),
    ]
    make_index(world.tmp / "index", wheels)
    packages = dict.fromkeys(("foo", "private", "windows", "old", "broken"), "1.0")
    record = world.run({**packages, "gone": "1.2", "local": "2.1+cu128"})

    found = missing(world, record)

    assert found.keys() == {"private", "gone", "windows", "local", "old", "broken"}
    assert found["gone"].endswith("no such version any more; the nearest is 1.3")
    assert "no package index that is set knows it" in found["private"]
    assert "nearest" not in found["private"]
    assert "files for other machines only" in found["windows"]
    assert found["windows"].endswith("the nearest is 0.9")
    assert found["local"].endswith("the nearest is 2.1")
    assert "has no file for Python" in found["old"]
    assert found["broken"].startswith("broken 1.0: ")
    if installer == "uv":
        reason = "its source cannot be built here: this cannot be built"
        assert found["broken"] == f"broken 1.0: {reason}"
    assert not list((world.root / ".git/repro/envs").glob("[!.]*"))


def test_the_nearest_is_taken_only_when_asked_for_and_is_said(world: World) -> None:
    world.offer([("foo", "1.0"), ("gone", "1.3"), ("gone", "2.0")])
    record = world.run({"foo": "1.0", "gone": "1.2"})
    assert missing(world, record).keys() == {"gone"}

    rebuilt = ensure_environment(world.project, record, nearest=True)

    assert versions_in(rebuilt.python, "foo", "gone") == ["1.0", "1.3"]
    assert rebuilt.notes == ("gone is 1.3, the nearest to 1.2",)
    assert [(one.wanted, one.taken) for one in rebuilt.substitutes] == [("1.2", "1.3")]
    # It never stands in for the exact one.
    assert missing(world, record).keys() == {"gone"}
    assert not ensure_environment(world.project, record, nearest=True).is_new
    world.offer([("foo", "1.0"), ("gone", "1.2")])
    exact = ensure_environment(world.project, record)
    assert versions_in(exact.python, "gone") == ["1.2"]
    assert ensure_environment(world.project, record, nearest=True).folder == exact.folder


def test_a_nearest_choice_that_fails_too_is_listed(world: World) -> None:
    wheels = [make_broken_sdist(world.tmp / "w", "foo", version) for version in ("1.1", "1.2")]
    make_index(world.tmp / "index", wheels)

    found = missing(world, world.run({"foo": "1.0"}), nearest=True)

    assert found["foo"].startswith("foo 1.1: ")


def test_a_withdrawn_version_is_installed_and_said(world: World, installer: str) -> None:
    world.offer([("foo", "1.0"), ("foo", "1.1")], yanked=["foo-1.0-py3-none-any.whl"])

    rebuilt = ensure_environment(world.project, world.run({"foo": "1.0"}))

    assert versions_in(rebuilt.python, "foo") == ["1.0"]
    assert len(rebuilt.notes) == 1
    assert "withdrawn" in rebuilt.notes[0]
    assert "foo" in rebuilt.notes[0]


def test_packages_from_elsewhere_need_consent(world: World) -> None:
    world.offer([("foo", "1.0")])
    wheel = make_wheel(world.tmp / "dir with space", "bar", "1.0")
    url = f"https://ada:s3cret@127.0.0.1:9/x/{VCS['commit_id']}"
    record = world.run(
        {
            "foo": "1.0",
            "bar": {"url": wheel.as_uri(), "archive_info": {}},
            "vcs": {"url": url, "vcs_info": VCS},
            "gone": "1.0",
        }
    )

    found = missing(world, record)

    assert found.keys() == {"bar", "vcs", "gone"}
    assert "`--yes` agrees" in found["bar"]
    assert VCS["commit_id"] in found["vcs"]
    assert "s3cret" not in found["vcs"]


def test_a_local_wheel_is_installed_with_consent(world: World, installer: str) -> None:
    wheel = make_wheel(world.tmp / "dir with space", "bar", "1.0")
    record = world.run({"bar": {"url": wheel.as_uri(), "archive_info": {}}})

    rebuilt = ensure_environment(world.project, record, allow_foreign=True)

    assert versions_in(rebuilt.python, "bar") == ["1.0"]


def test_a_commit_of_a_repository_is_installed_with_consent(world: World, installer: str) -> None:
    source = make_source(world.tmp / "library", "lib", "1.0")
    commit = git(source, "rev-parse", "HEAD")
    write_files(source, {"lib.py": "VERSION = 'newer'\n"})
    git(source, "commit", "-q", "-a", "-m", "newer")
    info = {"vcs": "git", "commit_id": commit}
    record = world.run({"lib": {"url": source.as_uri(), "vcs_info": info}})

    rebuilt = ensure_environment(world.project, record, allow_foreign=True)

    assert versions_in(rebuilt.python, "lib") == ["1.0"]


def test_a_local_wheel_with_another_hash_is_refused(world: World) -> None:
    wheel = make_wheel(world.tmp / "w", "bar", "1.0")
    info = {"hashes": {"sha256": "0" * 64}}
    record = world.run({"bar": {"url": wheel.as_uri(), "archive_info": info}})

    found = missing(world, record, allow_foreign=True)

    assert found.keys() == {"bar"}


def test_a_copy_of_a_folder_of_the_repository_is_taken_from_the_code_of_the_run(
    world: World,
) -> None:
    make_source(world.root, "own", "1.0")
    copied = {"own": {"url": world.root.as_uri(), "dir_info": {}}}
    first = world.run(copied)
    write_files(world.root, {"own.py": "VERSION = 'newer'\n"})
    second = world.run(copied)

    found = missing(world, first)["own"]
    rebuilt = [ensure_environment(world.project, one, nearest=True) for one in (first, second)]

    assert "copy of `.` in the repository" in found
    assert found.endswith("the nearest is the code of the run")
    assert [versions_in(one.python, "own") for one in rebuilt] == [["1.0"], ["newer"]]
    assert all(one.substitutes[0].taken == "the code of the run" for one in rebuilt)
    assert not ensure_environment(world.project, first, nearest=True).is_new


def test_editables_are_left_to_others(world: World) -> None:
    world.offer([("foo", "1.0")])
    url = (world.tmp / "sibling").as_uri()
    editable = {"url": url, "dir_info": {"editable": True}}

    record = world.run({"foo": "1.0", "sibling": editable})

    rebuilt = ensure_environment(world.project, record)
    assert installed(rebuilt) == {"foo-1.0"}
    assert [one.name for one in plan_environment(world.project, record).editables] == ["sibling"]


def test_our_own_package_is_the_one_that_runs(world: World) -> None:
    record = world.run({"git-repro": "0.0.1"})

    rebuilt = ensure_environment(world.project, record)

    assert rebuilt.notes == (f"git-repro is {VERSION}, which runs this; the run had 0.0.1",)
    environ = activate(rebuilt.folder, {"PATH": os.environ["PATH"], "PYTHONHOME": "/nowhere"})
    for argv in (["repro"], ["git-repro"], [str(rebuilt.python), "-m", "repro"]):
        done = subprocess.run([*argv, "--version"], env=environ, capture_output=True, text=True)
        assert done.stdout == f"repro {VERSION}\n", done.stderr
    assert installed(rebuilt) == {f"git_repro-{VERSION}"}
    assert environ["VIRTUAL_ENV"] == str(rebuilt.folder)
    assert "PYTHONHOME" not in environ


def test_hashes_of_lock_files_are_enforced(world: World, installer: str) -> None:
    world.offer([("foo", "1.0"), ("bar", "1.0")])
    record = world.run({"foo": "1.0", "bar": "1.0"})
    plan = plan_environment(world.project, record)
    assert [one.hashes for one in plan.requirements.wanted] == [(), ()]
    builder, _ = open_builder(
        world.project, record.environment, plan.digest, plan.listing, on_progress=print
    )
    assert builder is not None
    wanted = [
        replace(one, hashes=(f"sha256:{'0' * 64}",)) if one.name == "foo" else one
        for one in plan.requirements.wanted
    ]

    built, lacking = builder.build(plan.folder, wanted, ())

    assert built is None
    assert [one.name for one in lacking] == ["foo"]


def _build(root: str, run: str) -> None:
    os.chdir(root)
    project = open_here(Path(root), time.time)
    rebuilt = ensure_environment(project, resolve_run(project, run))
    assert versions_in(rebuilt.python, "foo") == ["1.0"]


def test_two_processes_build_at_once_and_one_does_the_work(world: World) -> None:
    world.offer([("foo", "1.0")])
    record = world.run({"foo": "1.0"})
    context = multiprocessing.get_context("spawn")
    builders = [
        context.Process(target=_build, args=(str(world.root), record.run.id)) for _ in range(3)
    ]
    for one in builders:
        one.start()
    for one in builders:
        one.join()

    assert [one.exitcode for one in builders] == [0, 0, 0]
    assert len([path for path in (world.root / ".git/repro/envs").iterdir() if path.is_dir()]) == 1


def test_one_that_was_killed_half_way_is_made_anew(world: World) -> None:
    world.offer([("foo", "1.0")])
    record = world.run({"foo": "1.0"})
    folder = plan_environment(world.project, record).folder
    code = (
        "import os, sys, time\nfrom pathlib import Path\n"
        "from repro.core import rebuild\nfrom repro.store import envs\n"
        "from repro.core.project import open_project\nfrom repro.core.query import resolve_run\n"
        "project = open_project(Path('.'), environ=os.environ, clock=time.time,"
        " entropy=os.urandom)\n"
        "def steps(step):\n    print(step, flush=True)\n"
        "    if 'installing' in step: time.sleep(60)\n"
        "rebuild.ensure_environment(project, resolve_run(project, sys.argv[1]),"
        " on_progress=steps)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, record.run.id], cwd=world.root, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if b"installing" in line:
                break
        process.send_signal(signal.SIGKILL)
    assert folder.is_dir()
    assert not plan_environment(world.project, record).is_built

    rebuilt = ensure_environment(world.project, record)

    assert versions_in(rebuilt.python, "foo") == ["1.0"]


def test_what_outlived_its_builder_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.offer([("foo", "1.0")])
    record = world.run({"foo": "1.0"})
    folder = plan_environment(world.project, record).folder
    real = find_uv(os.environ)
    slow = world.tmp / "slow/uv"
    slow.parent.mkdir()
    go = world.tmp / "go"
    wait = f"echo slow; until test -e {go}; do sleep .05; done; touch {folder}/late"
    slow.write_text(f'#!/bin/sh\ncase "$*" in *install*) {wait};; esac\nexec {real} "$@"\n')
    slow.chmod(0o755)
    code = (
        "import os, sys, time\nfrom pathlib import Path\n"
        "from repro.core import rebuild\n"
        "from repro.core.project import open_project\nfrom repro.core.query import resolve_run\n"
        "project = open_project(Path('.'), environ=os.environ, clock=time.time,"
        " entropy=os.urandom)\n"
        "rebuild.ensure_environment(project, resolve_run(project, sys.argv[1]),"
        " on_progress=lambda step: print(step, flush=True))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, record.run.id],
        cwd=world.root,
        stdout=subprocess.PIPE,
        env={**os.environ, "PATH": f"{slow.parent}:{os.environ['PATH']}"},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == b"slow\n":
                break
        process.kill()

    steps: list[str] = []

    def follow(step: str) -> None:
        steps.append(step)
        if step == "waiting for another process that builds it":
            go.touch()

    rebuilt = ensure_environment(world.project, record, on_progress=follow)

    assert go.exists(), steps
    assert not (rebuilt.folder / "late").exists()
    assert versions_in(rebuilt.python, "foo") == ["1.0"]


def test_a_forged_digest_does_not_take_the_place_of_another_environment(world: World) -> None:
    world.offer([("foo", "1.0"), ("evil", "1.0")])
    mine = world.run({"foo": "1.0"})
    packages = world.run({"evil": "1.0"}).environment["packages"]["list"]
    forged = altered(mine, "packages", list=packages)

    made = ensure_environment(world.project, forged)

    assert made.digest == plan_environment(world.project, mine).digest
    assert not plan_environment(world.project, mine).is_built
    assert folder_name(forged.environment) != folder_name(mine.environment)
    assert installed(ensure_environment(world.project, mine)) == {"foo-1.0"}


def test_another_interpreter_is_never_taken_silently(world: World) -> None:
    world.offer([("foo", "1.0")])
    record = world.run({"foo": "1.0"})
    version = sys.version.split()[0]
    other_patch = altered(record, "interpreter", version=f"{version.rpartition('.')[0]}.99")
    other_minor = altered(record, "interpreter", version="3.99.1")

    near = missing(world, other_patch)
    none = missing(world, other_minor, nearest=True)

    assert near["Python"].endswith("not installed here; the nearest is " + _nearest_to(version))
    assert "nearest" not in none["Python"]
    rebuilt = ensure_environment(world.project, other_patch, nearest=True)
    assert rebuilt.substitutes[0].name == "Python"
    assert versions_in(rebuilt.python, "foo") == ["1.0"]


def _nearest_to(version: str) -> str:
    return version


def test_another_machine_is_never_taken_silently(world: World) -> None:
    world.offer([("foo", "1.0")])
    record = altered(world.run({"foo": "1.0"}), "platform", system="Darwin", machine="arm64")

    assert missing(world, record)["Platform"].startswith("Platform Darwin arm64: this is another")
    assert ensure_environment(world.project, record, nearest=True).substitutes


def test_a_record_without_packages_says_so(world: World) -> None:
    record = world.run({})
    broken = altered(record, "packages", error="no answer")

    with pytest.raises(DamagedRecordError, match="could not learn"):
        ensure_environment(world.project, broken)


def test_an_empty_environment_is_one_too(world: World) -> None:
    rebuilt = ensure_environment(world.project, world.run({}))

    assert installed(rebuilt) == set()


def test_no_network_is_told_for_each_package_and_soon(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    record = world.run({f"foo{number}": "1.0" for number in range(20)})

    start = time.monotonic()
    found = missing(world, record)

    assert len(found) == 20
    assert all("does not answer" in item for item in found.values())
    assert time.monotonic() - start < 60


def test_what_uv_keeps_needs_no_network(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    wheels = [make_wheel(world.tmp / "w", name, "1.0") for name in ("foo", "bar", "baz")]
    pages = {f"/{wheel.name}": wheel.read_bytes() for wheel in wheels}
    for wheel in wheels:
        link = f'<a href="/{wheel.name}">{wheel.name}</a>'
        pages[f"/{wheel.name.split('-')[0]}/"] = link.encode()
    first = world.run({"foo": "1.0", "bar": "1.0"})
    with serving(pages) as (url, _):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        shutil.rmtree(ensure_environment(world.project, first).folder)
    shutil.rmtree(world.root / ".git/repro/index-cache", ignore_errors=True)

    again = ensure_environment(world.project, first)
    found = missing(world, world.run({"foo": "1.0", "bar": "1.0", "baz": "1.0"}))

    assert again.is_new
    assert versions_in(again.python, "foo", "bar") == ["1.0", "1.0"]
    assert found.keys() == {"baz"}
    assert f"the package index `{url}` does not answer" in found["baz"]


def test_no_installer_is_an_error_that_names_both(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = world.run({})
    broken = tmp_path / "uv/uv"
    broken.parent.mkdir()
    version = '[ "$1" = --version ] && echo uv 0.9.0 && exit'
    broken.write_text(f"#!/bin/sh\n{version}\necho 'error: no way' >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:{os.environ['PATH']}")

    with pytest.raises(StorageError, match=r"with uv: no way") as raised:
        ensure_environment(world.project, record)

    assert "uv" in (raised.value.hint or "")
    assert "venv" in (raised.value.hint or "")
    assert not [path for path in (world.root / ".git/repro/envs").iterdir() if path.is_dir()]


def test_a_repository_whose_path_has_spaces_and_quotes(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    odd = tmp_path / 'it\'s a "place" $HOME'
    repository.rename(odd)
    monkeypatch.chdir(odd)
    world = make_world(odd, tmp_path, monkeypatch)
    wheel = make_wheel(world.tmp / "wheels", "foo", "1.0", script=True)
    make_index(world.tmp / "index", [wheel])

    rebuilt = ensure_environment(world.project, world.run({"foo": "1.0"}))

    assert versions_in(rebuilt.python, "foo") == ["1.0"]
    if installer == "uv":  # what pip writes there, a shell cannot read
        done = subprocess.run([rebuilt.folder / "bin/foo"], capture_output=True, text=True)
        assert done.stdout == "1.0\n", done.stderr
