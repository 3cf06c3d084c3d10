import sys
from pathlib import Path

import pytest
from tests.support.doctors import states_of
from tests.support.projects import make_run, open_here
from tests.support.records import make_record

from repro.core.doctor_interpreter import check_gpus, check_interpreter, check_platform
from repro.core.query import resolve_run
from repro.store.interpreter import read_own_interpreter

HERE = read_own_interpreter().facts
NOW = {"interpreter": HERE, "platform": {"system": "Linux", "machine": "x86_64"}}
MINOR = ".".join(map(str, sys.version_info[:2]))


def asked(repository, **facts):
    """What is said of an interpreter like ours, but for `facts`, that the user had."""
    project = open_here(repository)
    environment = {"interpreter": {**HERE, **facts}}
    record = resolve_run(project, make_run(project, environment=environment).id)
    other = {"interpreter": {**HERE, "version": "2.7.18"}}
    return check_interpreter(project, record, other)


def test_the_interpreter_that_the_command_would_meet_is_ok(repository):
    record = make_record(environment={"interpreter": {**HERE, "executable": "/gone/python"}})

    item = check_interpreter(open_here(repository), record, NOW)

    assert states_of([item]) == [("interpreter", "ok")]
    assert str(HERE["executable"]) in item.detail


def test_the_recorded_interpreter_is_ok_where_it_was(repository, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    assert states_of([asked(repository)]) == [("interpreter", "ok")]


def test_one_of_the_same_version_elsewhere_is_ok(repository, tmp_path, monkeypatch):
    (tmp_path / f"python{MINOR}").symlink_to(Path(sys.executable).resolve())
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    item = asked(repository, executable="/gone/python")

    assert states_of([item]) == [("interpreter", "ok")]


def test_another_patch_of_the_same_minor_is_degraded_and_named(repository):
    item = asked(repository, version=f"{MINOR}.99", executable=sys.executable)

    assert states_of([item]) == [("interpreter", "degraded")]
    assert f"{MINOR}.99 is not on this machine" in item.detail
    assert str(HERE["version"]) in item.detail
    assert item.hint == f"`uv python install {MINOR}.99` installs it"


def test_another_minor_is_missing(repository):
    item = asked(repository, version="3.4.99", executable="/gone/python")

    assert states_of([item]) == [("interpreter", "missing")]
    assert "it was at `/gone/python`" in item.detail


@pytest.mark.parametrize("interpreter", [{}, None, 3, {"error": "no answer"}, {"version": 3}])
def test_an_interpreter_that_was_not_recorded_is_degraded(repository, interpreter):
    record = make_record(environment={"interpreter": interpreter})

    item = check_interpreter(open_here(repository), record, NOW)

    assert states_of([item]) == [("interpreter", "degraded")]


@pytest.mark.parametrize("version", ["../../x", "3.11.7; rm -rf /", "-c", "3", ""])
def test_a_version_that_is_none_finds_nothing(repository, version):
    item = asked(repository, version=version, executable="/gone/python")

    assert states_of([item]) == [("interpreter", "missing")]


def test_the_same_kind_of_machine_is_ok():
    record = make_record(environment=NOW)

    assert states_of(check_platform(record, NOW)) == [("platform", "ok")]


def test_another_architecture_is_degraded():
    record = make_record(environment={"platform": {"system": "Darwin", "machine": "arm64"}})

    [item] = check_platform(record, NOW)

    assert states_of([item]) == [("platform", "degraded")]
    assert item.detail == "the run was on Darwin arm64, and this is Linux x86_64"


def gpus(*names):
    return {"hardware": {"gpus": [{"name": name, "driver": "550"} for name in names]}}


@pytest.mark.parametrize(
    ("here", "state", "says"),
    [
        (gpus("A100", "A100"), "ok", "A100, A100"),
        (gpus("T4"), "degraded", "the run had A100, A100; here is T4"),
        (gpus("A100"), "degraded", "the run had A100, A100; here is A100"),
        (gpus(), "degraded", "the run had A100, A100; here is none"),
        ({}, "degraded", "here is none"),
        ({"hardware": {"gpus": 3}}, "degraded", "here is none"),
    ],
)
def test_graphics_cards_are_compared_by_name(here, state, says):
    record = make_record(environment=gpus("A100", "A100"))

    [item] = check_gpus(record, here)

    assert states_of([item]) == [("gpu", state)]
    assert says in item.detail


def test_a_run_without_graphics_cards_has_no_such_item():
    assert list(check_gpus(make_record(environment=gpus()), gpus("A100"))) == []
    assert list(check_gpus(make_record(), gpus("A100"))) == []
