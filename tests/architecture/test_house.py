import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import repro
from repro import errors
from repro.cli.main import VERBS
from repro.version import VERSION

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src/repro").rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MOST_LINES = 400


def modules_of(code: str) -> set[str]:
    """The modules that a piece of code loads beyond a bare interpreter."""
    script = f"import sys; before = set(sys.modules); {code}; print(*set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_no_module_is_longer_than_a_few_screens():
    long = {path.name: len(path.read_text().splitlines()) for path in SOURCES}

    assert {name: lines for name, lines in long.items() if lines > MOST_LINES} == {}


def test_no_module_is_named_after_nothing():
    empty = {"util", "utils", "helper", "helpers", "common", "manager", "base", "misc"}

    assert not {path.stem for path in SOURCES} & empty


def test_every_module_says_what_it_owns():
    for path in SOURCES:
        doc = ast.get_docstring(ast.parse(path.read_text()))
        assert doc, path


def test_only_one_module_prints():
    def calls_print(path: Path) -> bool:
        return any(
            isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
            for node in ast.walk(ast.parse(path.read_text()))
        )

    printing = {
        path.relative_to(ROOT / "src/repro").as_posix() for path in SOURCES if calls_print(path)
    }

    assert printing - {"demo/train.py"} == {"cli/render.py"}


def test_dynamic_imports_are_few_and_known():
    importing = {
        path.relative_to(ROOT / "src/repro").as_posix()
        for path in SOURCES
        if "import_module(" in path.read_text()
    }

    assert importing == {
        "cli/verbs.py",  # the verbs of a map
        "__main__.py",  # the command line, behind the version
        "__init__.py",  # the names of `import repro`
        "sdk/session.py",  # a run without `repro run` around it
        "sdk/alone.py",  # the reading of runs, to resume one
    }


def test_import_repro_loads_next_to_nothing():
    loaded = {name for name in modules_of("import repro") if not name.startswith("importlib")}

    assert loaded <= {"repro", "repro.version", "warnings", "_warnings"}


@pytest.mark.parametrize(
    "heavy", ["click", "pygit2", "dulwich", "yaml", "psutil", "numpy", "sqlite3"]
)
def test_init_and_log_load_nothing_heavy(heavy):
    assert heavy not in modules_of("import repro; repro.init; repro.log")


def test_every_name_that_is_promised_is_there():
    names = vars(repro)["__all__"]

    assert names == sorted(names)
    for name in set(names) - {"config", "summary"}:  # these need a run
        assert hasattr(repro, name)


def test_every_verb_is_where_the_table_says():
    for place, line in VERBS.values():
        module, _, name = place.partition(":")
        path = ROOT / "src" / (module.replace(".", "/") + ".py")
        assert re.search(rf"^def {name}\(", path.read_text(), re.MULTILINE), place
        assert not line.endswith(".")


def test_all_versions_are_one():
    assert PROJECT["project"]["version"] == VERSION == repro.__version__


def test_errors_have_slugs_of_their_own():
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.ReproError)
    ]
    slugs = [kind.slug for kind in kinds]

    assert len(slugs) == len(set(slugs))
    assert {kind.exit_code for kind in kinds} <= {1, 126, 127, 128, 129}
    for kind in kinds:
        assert f"{kind.__name__}" in (errors.__doc__ or "")


def test_each_dependency_is_imported_somewhere():
    names = [re.split(r"[><=]", line)[0] for line in PROJECT["project"]["dependencies"]]
    modules = {"pyyaml": "yaml"}
    where = "".join(path.read_text() for path in SOURCES)

    for name in names:
        module = modules.get(name, name)
        assert re.search(rf"^\s*(import|from) {module}\b", where, re.MULTILINE), name


def test_no_file_names_the_place_of_this_checkout():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    ).stdout.split(b"\0")
    for name in filter(None, listed):
        path = ROOT / name.decode()
        if path.is_file():
            assert os.fsencode(ROOT) not in path.read_bytes(), path


@pytest.mark.parametrize(
    "pattern",
    [
        r"yaml\.(?:load|unsafe_load|full_load)\(",
        r"import pickle|pickle\.load",
        r"(?<![\w.])(?:eval|exec)\(",
        r"shell=True",
        r"\.extractall\(",
        r"unpack_archive\(",
    ],
)
def test_nothing_that_executes_what_it_reads_is_called(pattern: str) -> None:
    found = [
        f"{path.name}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(pattern, line.partition("  #")[0])
    ]
    assert found == []
