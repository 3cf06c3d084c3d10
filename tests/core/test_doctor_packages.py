import json
import os
import shutil

import pytest
from tests.support.doctors import install, make_venv, record_with, states_of
from tests.support.projects import make_run, open_here
from tests.support.records import make_record, write_run
from tests.support.wheels import json_page, make_wheel, serving

from repro.core.doctor_around import Around
from repro.core.doctor_packages import check_environment
from repro.core.query import resolve_run
from repro.core.rebuild import plan_environment
from repro.model.requirements import Requirement
from repro.store.envs import Built, mark_built
from repro.store.installer import find_uv, open_installer
from repro.version import VERSION

HAS = {"numpy": "2.0.0", "scipy": "1.0", "torch": "2.1.0+cpu"}
GOOD = {
    "/numpy/": json_page({"numpy-2.0.0-py3-none-any.whl": {}, "numpy-2.1.0.tar.gz": {}}),
    "/scipy/": json_page({"scipy-1.0.tar.gz": {}}),
}


@pytest.fixture
def place(repository, tmp_path, monkeypatch):
    """The folder of a virtual environment that is the first on the PATH."""
    folder = make_venv(tmp_path / "venv", HAS)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")  # nobody listens there
    return folder


@pytest.fixture
def run(repository, place):
    return record_with(open_here(repository))


def look(repository, run, *, ask_index=True):
    project = open_here(repository)
    around = Around(project, ask_index=ask_index)
    return {
        one.item: one for one in check_environment(project, resolve_run(project, run.id), around)
    }


def test_the_environment_as_it_was_is_ok_and_asks_nobody(repository, run):
    items = look(repository, run)

    assert states_of(items.values()) == [("environment", "ok"), ("interpreter", "ok")]
    assert "with 3 packages as recorded" in items["environment"].detail


def test_packages_beside_the_recorded_ones_are_told(repository, run, place):
    install(place, "pandas", "3.0")

    item = look(repository, run)["environment"]

    assert item.state == "ok"
    assert item.detail.endswith("with 3 packages as recorded, and 1 more")


def test_another_version_that_the_index_can_replace_is_ok_and_told(
    repository, run, place, monkeypatch
):
    install(place, "numpy", "2.1.0")
    with serving(GOOD) as (url, asked):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        items = look(repository, run)

    assert states_of(items.values()) == [("environment", "ok"), ("interpreter", "ok")]
    detail = items["environment"].detail
    assert detail == (
        "1 of 3 packages not installed as recorded: `numpy` 2.0.0 (2.1.0 is installed);"
        " all can be had"
    )
    assert items["environment"].hint == f"`repro env create {run.id}` rebuilds it"
    assert asked == ["/numpy/"]  # of those that are installed nobody is asked


def test_an_uninstalled_package_that_the_index_has_is_ok_and_told(
    repository, run, place, monkeypatch
):
    shutil.rmtree(next(place.glob("lib/*/site-packages/scipy-*")))
    with serving(GOOD) as (url, _):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        item = look(repository, run)["environment"]

    assert item.state == "ok"
    assert "`scipy` 1.0 (not installed)" in item.detail


@pytest.mark.parametrize(
    ("page", "state", "says"),
    [
        ({"numpy-2.0.0.tar.gz": {"yanked": "bad"}}, "degraded", "was yanked"),
        ({"numpy-2.1.0.tar.gz": {}}, "missing", "2.0.0 is gone from the package index"),
        ({"numpy-2.0.0-cp311-cp311-win_amd64.whl": {}}, "missing", "no file of 2.0.0 is for this"),
        ({"numpy-2.0.0.tar.gz": {"requires-python": ">=99"}}, "missing", "no file of 2.0.0"),
        (None, "missing", "no package index has `numpy`; the run had 2.0.0"),
    ],
    ids=["yanked", "gone", "other platform", "other python", "unknown"],
)
def test_a_package_that_cannot_be_had_as_it_was_is_an_item(
    repository, run, place, monkeypatch, page, state, says
):
    install(place, "numpy", "2.1.0")
    pages = {} if page is None else {"/numpy/": json_page(page)}
    with serving(pages) as (url, _):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        items = look(repository, run)

    assert states_of(items.values()) == [
        ("environment", state),
        ("interpreter", "ok"),
        ("packages:numpy", state),
    ]
    assert says in items["packages:numpy"].detail


def test_the_nearest_version_is_named(repository, run, place, monkeypatch):
    install(place, "numpy", "2.1.0")
    page = json_page({"numpy-2.0.1.tar.gz": {}, "numpy-3.0.tar.gz": {}})
    with serving({"/numpy/": page}) as (url, _):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        item = look(repository, run)["packages:numpy"]

    assert item.hint == "the nearest that can be had is 2.0.1"


def test_every_package_that_cannot_be_had_is_named(repository, run, place, monkeypatch):
    for path in place.glob("lib/*/site-packages/*.dist-info"):
        shutil.rmtree(path)
    with serving({"/scipy/": GOOD["/scipy/"]}) as (url, _):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        items = look(repository, run)

    assert [name for name in items if name.startswith("packages:")] == [
        "packages:numpy",
        "packages:torch",
    ]
    assert items["environment"].detail.endswith("; 2 cannot be had")
    hint = items["environment"].hint
    assert "rebuilds it" not in hint
    assert f"`repro rerun {run.id} --env current`" in hint


def test_an_index_that_does_not_answer_is_degraded_and_never_missing(repository, run, place):
    install(place, "numpy", "2.1.0")

    items = look(repository, run)

    assert states_of(items.values()) == [("environment", "degraded"), ("interpreter", "ok")]
    assert "the package index cannot be asked" in items["environment"].detail


def test_an_index_that_refuses_is_degraded(repository, run, place, monkeypatch):
    install(place, "numpy", "2.1.0")
    with serving(GOOD, login="ada:secret") as (url, _):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        items = look(repository, run)

    assert items["environment"].state == "degraded"
    assert "401" in items["environment"].detail


def test_offline_the_index_is_not_asked(repository, run, place, monkeypatch):
    install(place, "numpy", "2.1.0")
    with serving(GOOD) as (url, asked):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        items = look(repository, run, ask_index=False)

    assert items["environment"].state == "degraded"
    assert "was not asked" in items["environment"].detail
    assert asked == []


def test_an_environment_rebuilt_already_is_ok_and_asks_nobody(repository, run, place, monkeypatch):
    install(place, "numpy", "2.1.0")
    project = open_here(repository)
    plan = plan_environment(project, resolve_run(project, run.id))
    make_venv(plan.folder, {})
    mark_built(
        Built(
            folder=plan.folder,
            digest=plan.digest,
            listing=plan.listing,
            python=plan.python,
            packages=3,
            installer="uv",
        )
    )
    with serving(GOOD) as (url, asked):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        items = look(repository, run)

    assert states_of(items.values()) == [("environment", "ok"), ("interpreter", "ok")]
    assert str(plan.folder) in items["environment"].detail
    assert asked == []


def test_a_half_built_environment_does_not_count(repository, run, place):
    install(place, "numpy", "2.1.0")
    project = open_here(repository)
    make_venv(plan_environment(project, resolve_run(project, run.id)).folder, {})

    assert look(repository, run)["environment"].state == "degraded"


def with_packages(repository, *packages):
    """A run of somebody else with these packages, written without running anything."""
    interpreter = {"implementation": "cpython", "version": "3.11.1", "abi": "cpython-311"}
    environment = {"interpreter": interpreter, "packages": {"list": list(packages)}}
    record = make_record(environment=environment)
    return write_run(open_here(repository).repository, record).run


def test_a_package_from_version_control_is_degraded_and_says_from_where(repository, place):
    origin = {"url": "https://example.org/x.git", "vcs": "git", "commit": "c" * 40}
    run = with_packages(repository, {"name": "x", "version": "1", "origin": origin})

    item = look(repository, run)["packages:x"]

    assert item.state == "degraded"
    assert f"from `git+https://example.org/x.git@{'c' * 40}`" in item.detail
    assert item.hint == f"`repro env create {run.id}` fetches it, once you agree"


def test_a_package_from_a_local_file_is_missing_once_that_is_gone(repository, place, tmp_path):
    wheel = tmp_path / "x-1-py3-none-any.whl"
    origin = {"url": wheel.as_uri()}
    run = with_packages(repository, {"name": "x", "version": "1", "origin": origin})
    wheel.write_text("")
    there = look(repository, run)["packages:x"]
    wheel.unlink()
    gone = look(repository, run)["packages:x"]

    assert (there.state, gone.state) == ("degraded", "missing")
    assert str(wheel) in gone.detail


def test_a_copy_of_the_repository_is_degraded_and_says_what_builds_it(repository, place):
    install(place, "own", "1.0")
    [info] = place.glob("lib/*/site-packages/own-1.0.dist-info")
    origin = {"url": repository.as_uri(), "dir_info": {}}
    (info / "direct_url.json").write_text(json.dumps(origin))
    run = record_with(open_here(repository))
    there = look(repository, run)["packages:own"]
    shutil.rmtree(info)

    item = look(repository, run)["packages:own"]

    assert there.state == "degraded"
    assert there.detail.endswith("a copy of `.`, which may differ from the code of the run")
    assert "`pip install -e .`" in there.hint
    assert item.state == "degraded"
    assert item.detail == "1.0 was a copy of `.` in the repository, which is not kept"
    assert "--nearest" in item.hint


def test_another_repro_is_degraded_and_asks_nobody(repository, place):
    run = with_packages(repository, {"name": "git-repro", "version": "0.0.1"})

    items = look(repository, run)

    assert items["packages:git-repro"].state == "degraded"
    assert (
        f"the run had repro 0.0.1, and this one is {VERSION}" in items["packages:git-repro"].detail
    )
    assert "cannot be asked" not in items["environment"].detail


def test_what_is_no_package_name_is_never_asked_for(repository, place, monkeypatch):
    names = ["../../../etc", "a?b", "-r", "", "a\n"]
    run = with_packages(repository, *({"name": name, "version": "1"} for name in names))
    with serving({}) as (url, asked):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        items = look(repository, run)

    assert {items[f"packages:{name}"].state for name in names} == {"missing"}
    assert asked == []


@pytest.mark.parametrize("listed", [None, 3, "x", [3], [{"name": 3}], [{"version": "1"}]])
def test_a_list_of_packages_that_is_none_is_no_traceback(repository, place, listed):
    record = make_record(environment={"packages": {"list": listed}})
    run = write_run(open_here(repository).repository, record).run

    items = look(repository, run)

    assert items["environment"].state == "ok"
    assert items["interpreter"].state == "degraded"


def test_packages_that_could_not_be_recorded_are_degraded(repository, place):
    environment = {"packages": {"list": [], "error": "the interpreter gave no answer"}}
    record = make_record(environment=environment)
    run = write_run(open_here(repository).repository, record).run

    item = look(repository, run)["environment"]

    assert item.state == "degraded"
    assert "gave no answer" in item.detail


def test_the_interpreter_that_a_foreign_record_names_is_not_started(repository, place, tmp_path):
    """Somebody else's record must not choose what is executed to learn about it."""
    trap, mark = tmp_path / "python3", tmp_path / "it was started"
    trap.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    trap.chmod(0o755)
    interpreter = {
        "implementation": "cpython", "version": "3.3.3", "abi": "x", "executable": str(trap)
    }  # fmt: skip
    environment = {"interpreter": interpreter, "packages": {"list": [{"name": "x"}]}}
    record = make_record(command=(str(trap), "train.py", str(trap)), environment=environment)
    run = write_run(open_here(repository).repository, record).run

    look(repository, run)

    assert not mark.exists()


def test_one_question_serves_all_runs(repository, run, place, monkeypatch):
    install(place, "numpy", "2.1.0")
    other = make_run(
        open_here(repository), environment=resolve_run(open_here(repository), run.id).environment
    )
    project = open_here(repository)
    with serving(GOOD) as (url, asked):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        around = Around(project, ask_index=True)
        for one in (run, other):
            list(check_environment(project, resolve_run(project, one.id), around))

    assert asked == ["/numpy/"]


def test_a_dead_index_is_not_asked_for_ever(repository, place, monkeypatch):
    names = [{"name": f"p{number}", "version": "1"} for number in range(100)]
    run = with_packages(repository, *names)
    with serving({}, login="nobody:knows") as (url, asked):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        items = look(repository, run)

    assert items["environment"].state == "degraded"
    assert len(asked) < 20


def test_an_origin_is_a_part_of_what_is_installed(repository, place, tmp_path):
    wheel = tmp_path / "scipy-1.0-py3-none-any.whl"
    run = record_with(open_here(repository))
    install(place, "scipy", "1.0", origin=json.dumps({"url": wheel.as_uri(), "archive_info": {}}))

    item = look(repository, run, ask_index=False)["environment"]

    assert "`scipy` 1.0 (from elsewhere)" in item.detail


def test_an_editable_package_is_as_recorded_whatever_is_known_of_its_code(
    repository, run, place, tmp_path
):
    origin = {"url": tmp_path.as_uri(), "dir_info": {"editable": True}}
    install(place, "scipy", "1.0", origin=json.dumps(origin))
    project = open_here(repository)
    environment = json.loads(json.dumps(resolve_run(project, run.id).environment))
    known = {"url": tmp_path.as_uri(), "editable": True, "tree": "1" * 40, "commit": "2" * 40}
    next(one for one in environment["packages"]["list"] if one["name"] == "scipy")["origin"] = known
    other = write_run(project.repository, make_record(environment=environment)).run

    assert look(repository, other)["environment"].detail.endswith("3 packages as recorded")


@pytest.mark.skipif(find_uv(os.environ) is None, reason="uv is not installed")
def test_what_uv_has_in_its_cache_is_ok_without_any_network(
    repository, run, place, tmp_path, monkeypatch
):
    """Installed once elsewhere from the index; then the index is gone."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    wheel = make_wheel(tmp_path / "wheels", "numpy", "2.0.0")
    pages = {"/numpy/": json_page({wheel.name: {}}), f"/numpy/{wheel.name}": wheel.read_bytes()}
    install(place, "numpy", "2.1.0")
    with serving(pages) as (url, _):
        monkeypatch.setenv("PIP_INDEX_URL", url)
        before = look(repository, run, ask_index=False)["environment"]
        installer = open_installer(os.environ)
        other = make_venv(tmp_path / "other", {})
        outcome = installer.install(other, [Requirement("numpy", "2.0.0")])
    after = look(repository, run, ask_index=False)["environment"]

    assert outcome.error is None
    assert (before.state, after.state) == ("degraded", "ok")
    assert after.detail.endswith("; all can be had")
