"""scikit-learn's own example scripts, which nobody here wrote: recorded, done again, compared.

They come from its source distribution, and their environment is rebuilt from a package index, so
this is the one suite that needs a network: `REPRO_EXAMPLES=20 python -m pytest tests/examples`
(see docs/contributing.md) tries that many.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path

import pytest
from tests.support import git, make_repository

from repro.store.index_settings import read_index_settings

EXAMPLES = int(os.environ.get("REPRO_EXAMPLES", "0"))
VERSION = "1.9.1"
PACKAGES = (f"scikit-learn=={VERSION}", "matplotlib", "pandas")
# What needs a download, and what takes many minutes.
HEAVY = re.compile(r"fetch_|load_sample|urlretrieve|openml|skops|plotly|seaborn|polars")

pytestmark = pytest.mark.skipif(
    not EXAMPLES, reason="needs a package index: REPRO_EXAMPLES=20 runs it"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sources in `sources` and an environment in `env`."""
    top = tmp_path_factory.mktemp("sklearn")
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert uv is not None
    subprocess.run(
        [uv, "venv", "-q", "--seed", "--python", sys.executable, top / "env"], check=True
    )
    install = [uv, "pip", "install", "-q", "--python", top / "env/bin/python", *PACKAGES]
    subprocess.run(install, check=True)
    request = urllib.request.Request(
        f"{read_index_settings(os.environ).indexes[0]}/scikit-learn/",
        headers={"Accept": "application/vnd.pypi.simple.v1+json"},
    )
    with urllib.request.urlopen(request) as answer:
        files = json.load(answer)["files"]
    [url] = [file["url"] for file in files if file["filename"] == f"scikit_learn-{VERSION}.tar.gz"]
    archive, _ = urllib.request.urlretrieve(url, top / "sources.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(top / "sources", filter="data")
    return top


def choose(examples: Path, number: int) -> list[Path]:
    """So many scripts without a download: of each folder the first, then the second, and so on."""
    folders: dict[str, list[Path]] = {}
    for path in sorted(examples.rglob("plot_*.py")):
        if not HEAVY.search(path.read_text()):
            folders.setdefault(path.parent.name, []).append(path)
    longest = max(map(len, folders.values()))
    rounds = [
        found[turn] for turn in range(longest) for found in folders.values() if turn < len(found)
    ]
    return rounds[:number]


def test_examples_of_scikit_learn_come_out_the_same_or_the_reason_is_named(
    place: Path, tmp_path: Path
) -> None:
    root = make_repository(tmp_path / "project")
    [top] = (place / "sources").iterdir()
    chosen = choose(top / "examples", EXAMPLES)
    for path in chosen:
        shutil.copy(path, root / path.name)
    git(root, "add", "--all")
    git(root, "commit", "-qm", "examples")
    environ = {
        **os.environ,
        "PATH": f"{place / 'env/bin'}:{os.environ['PATH']}",
        "MPLBACKEND": "Agg",
    }
    for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR"):
        environ.setdefault(name, str(tmp_path / name.lower()))

    def repro(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "repro", *words]
        return subprocess.run(
            command, cwd=root, env=environ, capture_output=True, text=True, check=False
        )

    verdicts = {}
    for path in chosen:
        done = repro("run", "--json", "--", "python", path.name)
        run = json.loads(done.stdout)
        again = repro("rerun", "--verify", "--env", "recorded", "--json", run["id"])
        assert again.stdout, again.stderr
        verdict = json.loads(again.stdout)
        verdicts[path.name] = verdict["verdict"]
        print(path.name, run["status"], verdict["verdict"], verdict["first"], verdict["causes"][:1])
        if verdict["verdict"] == "diverged":
            assert verdict["causes"], verdict
        else:
            assert verdict["verdict"] == "identical", verdict

    assert list(verdicts.values()).count("identical") >= len(chosen) * 3 // 4
