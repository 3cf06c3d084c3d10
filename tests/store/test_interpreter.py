"""What an interpreter is: our own read here, another one asked once."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from repro.store.interpreter import (
    Interpreter,
    is_own,
    is_python_name,
    read_interpreter,
    read_own_interpreter,
)

_COUNTING = """
from pathlib import Path
with Path({counter!r}).open("a") as file:
    file.write("started ")
print("a site hook that talks")
"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment of its own, which counts how often it is started."""
    root = tmp_path / "my venv"
    venv.create(root, with_pip=False, symlinks=True)
    [site] = root.glob("lib/python*/site-packages")
    (site / "counting.py").write_text(_COUNTING.format(counter=str(tmp_path / "counter")))
    (site / "counting.pth").write_text("import counting\n")
    return root


def python_of(environment: Path) -> str:
    return str(environment / "bin" / "python")


def ask(executable: str, tmp_path: Path, **variables: str) -> Interpreter:
    environ = {**os.environ, **variables}
    return read_interpreter(executable, environ=environ, cwd=tmp_path, cache=tmp_path / "cache")


def n_starts(tmp_path: Path) -> int:
    counter = tmp_path / "counter"
    return counter.read_text().count("started") if counter.exists() else 0


def test_our_own_is_read_without_starting_it(tmp_path):
    assert read_own_interpreter() == ask(sys.executable, tmp_path)
    assert not (tmp_path / "cache").exists()


def test_our_own_says_what_it_is():
    facts = read_own_interpreter().facts

    assert ".".join(map(str, sys.version_info[:3])) == facts["version"]
    assert (sys.implementation.name, sys.prefix) == (facts["implementation"], facts["prefix"])


def test_another_one_tells_the_same_facts_as_our_own(environment, tmp_path):
    told = ask(python_of(environment), tmp_path)

    own = read_own_interpreter().facts
    for name in ("implementation", "version", "abi"):
        assert own[name] == told.facts[name]
    assert str(environment) == told.facts["prefix"]
    assert python_of(environment) == told.facts["executable"]
    assert any(path.startswith(str(environment)) for path in told.paths)


def test_another_one_is_started_once_only(environment, tmp_path):
    answers = [ask(python_of(environment), tmp_path) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert n_starts(tmp_path) == 1


def test_it_is_asked_again_when_a_package_was_installed(environment, tmp_path):
    ask(python_of(environment), tmp_path)
    [site] = environment.glob("lib/python*/site-packages")
    (tmp_path / "source").mkdir()

    (site / "demo.pth").write_text(f"{tmp_path / 'source'}\n")

    assert str(tmp_path / "source") in ask(python_of(environment), tmp_path).paths
    assert n_starts(tmp_path) == 2


def test_it_is_asked_again_for_other_variables(environment, tmp_path):
    (tmp_path / "extra").mkdir()
    ask(python_of(environment), tmp_path)

    told = ask(python_of(environment), tmp_path, PYTHONPATH=str(tmp_path / "extra"))

    assert str(tmp_path / "extra") in told.paths


def test_a_first_user_package_is_noticed(environment, tmp_path):
    settings = environment / "pyvenv.cfg"
    settings.write_text(settings.read_text().replace("packages = false", "packages = true"))
    ask(python_of(environment), tmp_path)
    short = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    user_site = Path(os.environ["HOME"]) / ".local" / "lib" / short / "site-packages"

    user_site.mkdir(parents=True)

    assert str(user_site) in ask(python_of(environment), tmp_path).paths


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"told": 3, "times": []}', b'{"told": "{}", "times": []}']
)
def test_a_damaged_memory_is_only_forgotten(environment, tmp_path, damage):
    before = ask(python_of(environment), tmp_path)
    [kept] = (tmp_path / "cache").iterdir()

    kept.write_bytes(damage)

    assert before == ask(python_of(environment), tmp_path)
    assert n_starts(tmp_path) == 2


def test_a_memory_that_cannot_be_written_is_no_failure(environment, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")

    assert "error" not in ask(python_of(environment), tmp_path).facts


def test_an_interpreter_that_fails_is_a_fact(tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no module named site' >&2\nexit 3\n")
    broken.chmod(0o755)

    told = ask(str(broken), tmp_path)

    assert told.paths == ()
    assert told.facts["error"] == "ended with exit code 3: no module named site"
    assert str(broken) == told.facts["executable"]


@pytest.mark.parametrize(
    "said",
    ["hello", "repro-interpreter:{", "repro-interpreter:[]", 'repro-interpreter:{"paths":1}'],
)
def test_an_interpreter_that_says_nonsense_is_a_fact(tmp_path, said):
    broken = tmp_path / "python"
    broken.write_text(f"#!/bin/sh\necho '{said}'\n")
    broken.chmod(0o755)

    assert ask(str(broken), tmp_path).facts["error"] == "it did not say what it is"


def test_a_shell_script_is_asked_every_time(environment, tmp_path):
    shim = tmp_path / "python"
    shim.write_text(f'#!/bin/sh\nexec "{python_of(environment)}" "$@"\n')
    shim.chmod(0o755)

    ask(str(shim), tmp_path)
    ask(str(shim), tmp_path)

    assert n_starts(tmp_path) == 2


def test_a_file_of_the_current_folder_hides_no_module(environment, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('not the json you want')\n")

    told = ask(python_of(environment), tmp_path)

    assert "error" not in told.facts
    assert str(tmp_path) not in told.paths


def test_another_virtual_environment_of_our_interpreter_is_not_our_own(environment):
    assert is_own(sys.executable)
    assert not is_own(python_of(environment))
    assert not is_own("/bin/sh")
    assert not is_own("/absent/python")


def test_a_script_does_not_change_what_packages_there_are(tmp_path):
    """The folder of the running script is on its path; it is not part of the environment."""
    (tmp_path / "demo.egg-info").mkdir()
    program = "from repro.store.interpreter import read_own_interpreter as r; print(r().paths)"
    (tmp_path / "script.py").write_text(program)

    def paths(*argv: str) -> str:
        done = subprocess.run(
            [sys.executable, *argv], capture_output=True, check=True, text=True, cwd=tmp_path
        )
        return done.stdout

    assert paths("-c", program) == paths("script.py") == paths("-m", "script")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/usr/bin/python3.11", True),
        ("python", True),
        ("python3.13t", True),
        ("pypy3", True),
        ("python3-dbg", True),
        ("/usr/bin/pythonize", False),
        ("python-config", False),
        ("ipython", False),
        ("train.py", False),
    ],
)
def test_a_python_is_known_by_its_name(path, expected):
    assert expected == is_python_name(path)
