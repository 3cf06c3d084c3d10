"""Which interpreter a command would start."""

from pathlib import Path

import pytest

from repro.store.which import find_interpreter


def make_program(path: Path, text: str = "\x7fELF") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine with a `python` and a `python3` on its PATH, and some tools."""
    for name in ("python", "python3", "make", "uv", "env", "srun", "bash"):
        make_program(tmp_path / "usr" / name)
    make_program(tmp_path / "conda" / "bin" / "conda", "#!/conda/bin/python\n")
    (tmp_path / "project" / "src").mkdir(parents=True)
    return tmp_path


def found(machine: Path, *command: str, cwd: str = "project", **variables: str) -> str | None:
    path = f"{machine / 'usr'}:{machine / 'conda' / 'bin'}"
    place = find_interpreter(
        command,
        environ={"PATH": path, **variables},
        cwd=machine / cwd,
        root=machine / "project",
    )
    return None if place is None else Path(place).relative_to(machine).as_posix()


def test_a_python_on_the_path_is_found(machine):
    assert found(machine, "python", "train.py") == "usr/python"
    assert found(machine, "python3", "train.py") == "usr/python3"


def test_the_python_of_a_virtual_environment_is_not_followed_to_its_base(machine):
    (machine / "project/.venv/bin").mkdir(parents=True)
    (machine / "project/.venv/bin/python").symlink_to(machine / "usr/python3")

    assert found(machine, ".venv/bin/python", "train.py") == "project/.venv/bin/python"


def test_a_path_is_relative_to_where_the_command_runs(machine):
    make_program(machine / "project/src/python")

    assert found(machine, "./python", cwd="project/src") == "project/src/python"


@pytest.mark.parametrize(
    ("first_line", "expected"),
    [
        ("#!{usr}/python3", "usr/python3"),
        ("#!{usr}/python3 -u", "usr/python3"),
        ("#! {usr}/python3", "usr/python3"),
        ("#!/usr/bin/env python3", "usr/python3"),
        ("#!/usr/bin/env -S python3 -u", "usr/python3"),
        ("#!/usr/bin/env -S LANG=C python3 -u", "usr/python3"),
        ("#!/bin/sh\n'''exec' \"{usr}/python3\" \"$0\" \"$@\"\n' '''", "usr/python3"),
        ("#!/bin/sh\n'''exec' {usr}/python3 \"$0\" \"$@\"\n' '''", "usr/python3"),
        ("#!{usr}/gone/python3", "usr/python"),
        ("#!/bin/bash", "usr/python"),
        ("#!", "usr/python"),
        ("#!/usr/bin/env", "usr/python"),
        ("\x00\x01", "usr/python"),
    ],
)
def test_a_script_names_its_interpreter_in_its_first_line(machine, first_line, expected):
    make_program(machine / "project/train", first_line.format(usr=machine / "usr") + "\n")

    assert expected == found(machine, "./train", "--lr", "1")


def test_a_program_of_another_name_may_be_a_python(machine):
    (machine / "usr/py").symlink_to("python3")

    assert found(machine, "py", "train.py") == "usr/py"


@pytest.mark.parametrize(
    "command",
    [
        ("env", "LANG=C", "python3", "train.py"),
        ("srun", "-n", "2", "python3", "train.py"),
        ("uv", "run", "python3", "train.py"),
    ],
)
def test_a_launcher_starts_the_python_it_names(machine, command):
    assert found(machine, *command) == "usr/python3"


def test_a_project_tool_takes_the_environment_of_the_project(machine):
    make_program(machine / "project/.venv/bin/python")

    assert found(machine, "uv", "run", "train.py") == "project/.venv/bin/python"
    assert found(machine, "uv", "run", "python3", "train.py") == "project/.venv/bin/python"


def test_conda_run_takes_the_environment_it_names(machine):
    make_program(machine / "conda/envs/ml/bin/python")
    make_program(machine / "conda/bin/python")

    assert found(machine, "conda", "run", "-n", "ml", "make") == "conda/envs/ml/bin/python"
    assert found(machine, "conda", "run", "-n", "base", "make") == "conda/bin/python"


@pytest.mark.parametrize("variable", ["VIRTUAL_ENV", "CONDA_PREFIX"])
def test_any_other_command_gets_the_active_environment(machine, variable):
    make_program(machine / "active/bin/python")

    assert found(machine, "make", **{variable: str(machine / "active")}) == "active/bin/python"


def test_an_active_environment_that_is_gone_does_not_count(machine):
    assert found(machine, "make", VIRTUAL_ENV=str(machine / "gone")) == "usr/python"


def test_an_unknown_command_gets_the_first_python_of_the_path(machine):
    assert found(machine, "absent", "train.py") == "usr/python"


def test_there_may_be_none(machine, tmp_path):
    place = find_interpreter(["make"], environ={"PATH": ""}, cwd=tmp_path, root=tmp_path)
    assert place is None or "python" in place

    (tmp_path / "empty").mkdir()
    environ = {"PATH": str(tmp_path / "empty")}
    assert find_interpreter(["make"], environ=environ, cwd=tmp_path, root=tmp_path) is None


@pytest.fixture
def pyenv(machine: Path) -> Path:
    """A pyenv with two versions, its shims first on the PATH."""
    for version in ("3.11.7", "3.12.1"):
        make_program(machine / "pyenv/versions" / version / "bin/python")
    shim = make_program(machine / "pyenv/shims/python", "#!/usr/bin/env bash\n")
    (machine / "usr/python").unlink()
    (machine / "usr/python").symlink_to(shim)
    return machine


def with_shims(machine: Path, **variables: str) -> str | None:
    return found(machine, "python", PATH=str(machine / "pyenv/shims"), **variables)


def test_a_shim_of_pyenv_leads_to_the_version_of_the_folder(pyenv):
    (pyenv / "pyenv/version").write_text("3.11.7\n")
    assert with_shims(pyenv) == "pyenv/versions/3.11.7/bin/python"

    (pyenv / "project/.python-version").write_text("# ours\n3.12.1\n")
    assert with_shims(pyenv) == "pyenv/versions/3.12.1/bin/python"


def test_a_variable_wins_over_the_files_of_pyenv(pyenv):
    (pyenv / "project/.python-version").write_text("3.12.1\n")

    assert with_shims(pyenv, PYENV_VERSION="2.0:3.11.7") == "pyenv/versions/3.11.7/bin/python"


@pytest.mark.parametrize("version", ["system", "3.12", "", "../../../usr"])
def test_a_shim_is_left_to_decide_what_is_not_clear(pyenv, version):
    (pyenv / "pyenv/version").write_text(f"{version}\n")

    assert with_shims(pyenv) == "pyenv/shims/python"


def test_a_tool_that_is_written_in_python_is_not_the_interpreter_it_starts(tmp_path):
    tool, inner = tmp_path / "bin/poetry", tmp_path / "root/.venv/bin/python"
    for path in (tool, inner, tmp_path / "bin/python3"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!{tmp_path}/bin/python3\n")
        path.chmod(0o755)

    found = find_interpreter(
        ["poetry", "run", "t.py"],
        environ={"PATH": str(tool.parent)},
        cwd=tmp_path,
        root=tmp_path / "root",
    )

    assert found == str(inner)
