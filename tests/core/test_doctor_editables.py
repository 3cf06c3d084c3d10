from dataclasses import replace

import pytest
from tests.support import git, write_files
from tests.support.doctors import drop_object, loosen, states_of
from tests.support.projects import open_here
from tests.support.records import make_record, write_run

from repro.core.doctor_editables import check_editables
from repro.core.query import resolve_run


@pytest.fixture
def sibling(tmp_path):
    folder = tmp_path / "sibling"
    write_files(folder, {"sibling.py": "1\n"})
    return folder


def recorded(repository, url, *, files=None, name="sibling", **origin):
    facts = {"name": name, "version": "1", "origin": {"url": url, "editable": True, **origin}}
    record = make_record(environment={"packages": {"list": [facts]}})
    project = open_here(repository)
    run = write_run(project.repository, record, files=files).run
    return project, resolve_run(project, run.id)


def test_recorded_code_is_ok_though_the_folder_is_gone(repository):
    files = {"editables/sibling/sibling.py": b"1\n"}
    found = check_editables(*recorded(repository, "file:///gone", files=files))

    assert states_of(found) == [("editables", "ok")]


def test_code_that_the_record_names_and_does_not_hold_is_missing(repository, sibling):
    files = {"editables/sibling/sibling.py": b"1\n"}
    found = check_editables(*recorded(repository, sibling.as_uri(), files=files, tree="1" * 40))

    assert states_of(found) == [("editables", "missing")]


def test_recorded_code_of_a_folder_that_git_ignores_is_ok(repository):
    files = {"editables/sibling/sibling.py": b"1\n"}
    project, record = recorded(repository, "file:///gone", files=files)
    tree = git(repository, "rev-parse", f"{record.commit}:editables/sibling")
    origin = {"path": "vendor/sibling", "editable": True, "tree": tree}
    facts = {"packages": {"list": [{"name": "sibling", "origin": origin}]}}

    found = check_editables(project, replace(record, environment=facts))

    assert states_of(found) == [("editables", "ok")]


def test_recorded_code_of_which_objects_are_gone_is_missing(repository):
    files = {"editables/sibling/sibling.py": b"one of a kind\n"}
    project, record = recorded(repository, "file:///gone", files=files)
    loosen(repository)
    drop_object(repository, f"{record.commit}:editables/sibling/sibling.py")

    assert states_of(check_editables(project, record)) == [("editables", "missing")]


def test_code_that_is_not_recorded_is_degraded_while_its_folder_is_there(repository, sibling):
    [item] = check_editables(*recorded(repository, sibling.as_uri()))

    assert states_of([item]) == [("editables", "degraded")]
    assert str(sibling) in item.detail


@pytest.mark.parametrize(
    "url", ["file:///gone", "https://x.org/y", "file://[", "x\0y", "file:///a\0"]
)
def test_code_that_is_neither_recorded_nor_there_is_missing(repository, url):
    [item] = check_editables(*recorded(repository, url))

    assert states_of([item]) == [("editables", "missing")]
    assert "`sibling`" in item.detail


@pytest.mark.parametrize("name", ["../run.json", "-x", "a b", "a\0b", "."])
def test_a_name_that_is_no_package_reaches_no_path(repository, name):
    files = {"editables/sibling/sibling.py": b"1\n"}
    [item] = check_editables(*recorded(repository, "file:///gone", files=files, name=name))

    assert states_of([item]) == [("editables", "missing")]


def test_what_the_record_leaves_out_of_recorded_code_is_degraded(repository):
    files = {"editables/sibling/sibling.py": b"1\n"}
    omitted = [{"path": "weights.bin", "size": 9, "reason": "too large"}]

    [item] = check_editables(*recorded(repository, "file:///gone", files=files, omitted=omitted))

    assert states_of([item]) == [("editables", "degraded")]
    assert "leaves out `weights.bin` of `sibling`" in item.detail


def test_packages_inside_of_the_project_and_repro_itself_are_no_items(repository):
    inside = {"name": "own", "version": "1", "origin": {"path": ".", "editable": True}}
    ours = {"name": "git-repro", "origin": {"url": "file:///gone", "editable": True}}
    record = make_record(environment={"packages": {"list": [inside, ours]}})

    assert list(check_editables(open_here(repository), record)) == []
