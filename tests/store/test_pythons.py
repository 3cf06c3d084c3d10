import os

import pytest

from repro.store.pythons import find_pythons


def make_program(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    path.chmod(0o755)
    return str(path)


def test_those_on_the_path_come_by_their_nearest_name_first(tmp_path):
    exact = make_program(tmp_path / "bin/python3.9")
    any_3 = make_program(tmp_path / "bin/python3")

    found = list(find_pythons("3.9.1", {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}))

    assert [path for path in found if path.startswith(str(tmp_path / "bin"))] == [exact, any_3]


def test_those_that_uv_and_pyenv_installed_are_found_by_their_version(tmp_path):
    data = tmp_path / "data"
    uv = make_program(data / "uv/python/cpython-3.9.1-linux-x86_64-gnu/bin/python3.9")
    make_program(data / "uv/python/cpython-3.9.10-linux-x86_64-gnu/bin/python3.9")
    pyenv = make_program(tmp_path / "pyenv/versions/3.9.1/bin/python3.9")
    environ = {"XDG_DATA_HOME": str(data), "PYENV_ROOT": str(tmp_path / "pyenv"), "PATH": "/none"}

    assert list(find_pythons("3.9.1", environ)) == [uv, pyenv]


@pytest.mark.parametrize("version", ["", "3", "../3.9", "3.9.1/..", "3.9;ls", "-c", "3.9.1\n"])
def test_what_is_no_version_finds_nothing(version):
    assert list(find_pythons(version, {"PATH": os.defpath})) == []
