"""Every test runs in a hermetic environment: no home, no user settings, no leaking variable."""

import compileall
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import repro
from tests.support import copy_repository, make_repository
from tests.support.cli import Cli
from tests.support.drawing import seed_draws

EXAMPLES = int(os.environ.get("REPRO_EXAMPLES_EACH", "30"))  # of a property that says no other
# A machine may be busy with something else at any moment, and a failure shall come again: each
# time the examples are the same, unless somebody searches for others.
settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize="REPRO_EXAMPLES_EACH" not in os.environ,
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")

_LEAKS = ("GIT_", "REPRO_", "XDG_", "SLURM_", "OMPI_", "PMI_")
_RANKS = {"RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID"}


def pytest_configure(config: pytest.Config) -> None:
    """Prepare what all processes that tests start take over.

    Each would compile repro; and what a shell in the background has us ignore, they would ignore.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)  # nohup is obeyed, but by us alone
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(Path(repro.__file__).parent, quiet=2)


@pytest.fixture(autouse=True)
def hermetic(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_draws(request.node.nodeid)
    for name in list(os.environ):
        if name.startswith(_LEAKS) or name in _RANKS:
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    settings = {
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(tmp_path),
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "COLUMNS": "120",
        # A script that a test writes twice in a second is read twice.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)


@pytest.fixture
def repository(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A real repository with one commit, entered."""
    root = copy_repository(_made_once(tmp_path_factory), tmp_path / "project")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python` is the one of the tests, whatever the PATH has: it has repro."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.getbasetemp() / "repository"
    return made if made.is_dir() else make_repository(made)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for repositories that are made once, and copied from then on."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line, in this process."""
    return Cli(capsys)
