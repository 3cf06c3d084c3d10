"""In a notebook the executed cells and the file as saved belong to the record."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support import git


class Events:
    """The part of IPython's event manager that is used."""

    def __init__(self) -> None:
        self.registered: list[Any] = []

    def register(self, name: str, function: Any) -> None:
        assert name == "post_run_cell"
        self.registered.append(function)

    def unregister(self, name: str, function: Any) -> None:
        self.registered.remove(function)


class Shell:
    """A shell that has executed cells, in the shape IPython gives it."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {"In": [""], "Out": {}}
        self.events = Events()

    @property
    def execution_count(self) -> int:
        return len(self.user_ns["In"])

    def execute(self, source: str, output: object = None) -> None:
        self.user_ns["In"].append(source)
        if output is not None:
            self.user_ns["Out"][self.execution_count - 1] = output
        for function in self.events.registered:
            function(None)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell()
    ipython = ModuleType("IPython")
    ipython.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    return shell


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def cells(root: Path) -> dict[str, Any]:
    ref = git(root, "for-each-ref", "--format=%(refname)", "refs/repro/runs")
    found: dict[str, Any] = json.loads(git(root, "show", f"{ref}:notebook/cells.json"))
    return found


def test_cells_and_file_are_in_the_record(sdk: ModuleType, repository: Path, shell: Shell) -> None:
    saved = repository / "study.ipynb"
    saved.write_text('{"cells": []}')
    shell.user_ns["__vsc_ipynb_file__"] = str(saved)
    shell.execute("import repro")
    sdk.init()
    shell.execute("repro.init()", "<run>")
    shell.execute("1 + 1", 2)
    shell.execute("rude", Rude())
    saved.write_text('{"cells": [1]}')
    sdk.finish()
    shell.execute("later")

    assert cells(repository) == {
        "first": 2,
        "cells": [
            {"n": 1, "source": "import repro", "output": None},
            {"n": 2, "source": "repro.init()", "output": "'<run>'"},
            {"n": 3, "source": "1 + 1", "output": "2"},
            {"n": 4, "source": "rude", "output": None},
        ],
    }
    ref = git(repository, "for-each-ref", "--format=%(refname)", "refs/repro/runs")
    assert git(repository, "show", f"{ref}:notebook/study.ipynb") == '{"cells": [1]}'
    assert shell.events.registered == []


def test_the_cells_survive_a_kernel_that_dies(
    sdk: ModuleType, repository: Path, shell: Shell
) -> None:
    open_run = sdk.init()
    shell.execute("x = 1")

    kept = json.loads((open_run.live_dir / "notebook" / "cells.json").read_text())
    assert [cell["source"] for cell in kept["cells"]] == ["x = 1"]


def test_the_file_that_jupyter_names_is_found(
    sdk: ModuleType, repository: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "a.ipynb").write_text("{}")
    monkeypatch.setenv("JPY_SESSION_NAME", str(repository / "a.ipynb"))
    with sdk.init() as open_run:
        assert (open_run.live_dir / "notebook" / "a.ipynb").read_text() == "{}"


def test_ipython_itself_records_its_cells(repository: Path) -> None:
    pytest.importorskip("IPython")

    code = "from IPython.core.interactiveshell import InteractiveShell as S\ns = S.instance()\n"
    code += "for c in ('import repro', 'repro.init()', '1 + 1', 'repro.finish()'):\n"
    code += "    s.run_cell(c, store_history=True)\n"
    subprocess.run([sys.executable, "-c", code], cwd=repository, check=True)

    assert [cell["source"] for cell in cells(repository)["cells"]][:3] == [
        "import repro",
        "repro.init()",
        "1 + 1",
    ]
