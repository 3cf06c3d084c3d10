"""The programs that make environments, and what of the user's settings reaches them."""

import os
import sys
import time
from pathlib import Path

import pytest
from tests.support.wheels import make_index, make_wheel

from repro.model.requirements import Requirement
from repro.store.installer import Installer, find_uv, open_installer


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    wheels = [make_wheel(tmp_path / "w", "foo", "1.0")]
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": make_index(tmp_path / "index", wheels),
    }


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_settings_of_indexes_reach_both_and_others_reach_none() -> None:
    found = open_installer(
        {
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_INDEX_URL": "https://one.example",
            "PIP_EXTRA_INDEX_URL": "https://two.example",
            "PIP_TARGET": "/elsewhere",
            "PIP_REQUIREMENT": "more.txt",
            "PIP_TIMEOUT": "7",
            "UV_CONSTRAINT": "less.txt",
            "UV_CACHE_DIR": "/cache",
            "PYTHONPATH": "/code",
            "VIRTUAL_ENV": "/other",
            "GIT_DIR": "/repository/.git",
            "GIT_SSH_COMMAND": "ssh -i key",
            "MY_TOKEN": "kept",
        }
    ).environ

    assert found["UV_DEFAULT_INDEX"] == found["PIP_INDEX_URL"] == "https://one.example"
    assert found["UV_INDEX"] == found["PIP_EXTRA_INDEX_URL"] == "https://two.example"
    kept = {"PIP_TIMEOUT", "UV_CACHE_DIR", "GIT_SSH_COMMAND", "MY_TOKEN"}
    assert kept <= found.keys()
    gone = {
        "PIP_TARGET",
        "PIP_REQUIREMENT",
        "UV_CONSTRAINT",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "GIT_DIR",
    }
    assert not gone & found.keys()


def test_uv_is_found_on_the_path_and_can_be_left_out(tmp_path: Path) -> None:
    uv = script(tmp_path / "bin/uv", "exit 0")

    assert find_uv({"PATH": str(uv.parent)}) == str(uv)
    assert find_uv({"PATH": str(uv.parent), "REPRO_UV": "off"}) is None


@pytest.mark.parametrize(
    ("said", "name"), [("uv 0.5.1", "uv"), ("uv 0.4.30", "venv and pip"), ("", "venv and pip")]
)
def test_an_old_uv_is_left_alone(tmp_path: Path, said: str, name: str) -> None:
    uv = script(tmp_path / "bin/uv", f"echo {said}")

    assert open_installer({"PATH": f"{uv.parent}:/usr/bin:/bin"}).name == name


def test_an_interpreter_without_pip_gets_one_that_is_taken_out_again(
    environ: dict[str, str], tmp_path: Path
) -> None:
    real = os.path.realpath(sys.executable)
    text = f'[ "$3" = pip ] && [ "$4" = --version ] && exit 1\nexec "{real}" "$@"'
    python = script(tmp_path / "bin/python3", text)
    installer = Installer(None, {**environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    folder = tmp_path / "env"

    assert installer.create(folder, str(python), prompt="x").error is None
    assert installer.install(folder, [Requirement("foo", "1.0")]).error is None
    assert installer.finish(folder, ["foo"]).error is None

    site = next(folder.glob("lib/*/site-packages"))
    assert {path.name for path in site.glob("*.dist-info")} == {"foo-1.0.dist-info"}


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    outcome = Installer(str(tmp_path / "uv"), {}).create(tmp_path / "env", "python", prompt="x")

    assert "cannot be run" in (outcome.error or "")


def test_the_reason_of_a_failure_is_one_line_without_credentials(tmp_path: Path) -> None:
    lines = "  × No solution:\n  ╰─▶ nothing at https://ada:s3cret@example.org/simple\n"
    uv = script(tmp_path / "uv", f"printf '%s' '{lines}'; exit 2")

    outcome = Installer(str(uv), {}).create(tmp_path / "env", "python", prompt="x")

    assert outcome.error == "No solution: nothing at https://<redacted>@example.org/simple"


def test_a_program_that_is_interrupted_ends_with_all_it_started(tmp_path: Path) -> None:
    uv = script(tmp_path / "uv", f"(sleep 30; echo late > {tmp_path}/late) & echo started; wait")

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        Installer(str(uv), dict(os.environ), interrupt).create(tmp_path / "e", "p", prompt="x")

    assert time.monotonic() - start < 20
