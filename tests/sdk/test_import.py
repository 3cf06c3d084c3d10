"""`import repro` costs next to nothing, and says what it offers."""

import subprocess
import sys
from pathlib import Path

import repro

HEAVY = {
    "click",
    "cffi",
    "dulwich",
    "msgspec",
    "numpy",
    "psutil",
    "pygit2",
    "sqlite3",
    "subprocess",
    "tabulate",
    "torch",
    "yaml",
}


def loaded(code: str) -> set[str]:
    """The modules that a program has loaded after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_import_loads_nothing_but_the_package() -> None:
    ours = {name for name in loaded("import repro") if name.startswith("repro")}
    assert ours == {"repro", "repro.version"}
    assert loaded("import repro") & HEAVY == set()


def test_inside_repro_run_no_tool_of_the_command_line_is_loaded() -> None:
    unwanted = {
        "click",
        "dulwich",
        "psutil",
        "pygit2",
        "sqlite3",
        "tabulate",
        "numpy",
        "torch",
        "IPython",
    }

    assert loaded("import repro; repro.init, repro.log, repro.finish") & unwanted == set()


def test_every_name_that_is_promised_is_there() -> None:
    dynamic = {"config", "run", "summary"}
    for name in repro.__all__:
        assert name in dir(repro)
        assert name in dynamic or getattr(repro, name) is not None


def test_the_types_for_checkers_are_of_the_same_names() -> None:
    lines = Path(repro.__file__).with_suffix(".pyi").read_text().splitlines()
    aliases = {line.rpartition(" as ")[2] for line in lines if " as " in line}
    annotated = {line.partition(":")[0] for line in lines if ":" in line}

    assert aliases | annotated == set(repro.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(repro, "nosuchname")
