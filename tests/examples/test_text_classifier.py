"""A search over a real text classifier: its best runs are those that a plain reading finds.

Docstrings are told apart by the package they come from, by models of numpy and scikit-learn, which
are installed from a package index: `REPRO_CLASSIFIER=200 python -m pytest -s
tests/examples/test_text_classifier.py` records that many runs, and says how long questions took.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import git, make_repository

RUNS = int(os.environ.get("REPRO_CLASSIFIER", "0"))
REPRO = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "text_classifier"
PACKAGES = ("scikit-learn==1.9.1",)

Json = dict[str, Any]

pytestmark = pytest.mark.skipif(
    not RUNS, reason="needs a package index: REPRO_CLASSIFIER=200 runs it"
)


@dataclass(frozen=True)
class Search:
    """A repository full of runs, and the variables that `repro` is called with."""

    root: Path
    environ: dict[str, str]

    def repro(self, *words: str) -> str:
        """What `repro WORDS` prints; it must succeed."""
        done = subprocess.run(
            ["repro", *words], cwd=self.root, env=self.environ, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"repro {' '.join(words)}: {done.stderr}"
        return done.stdout

    def best(self, *words: str) -> str:
        """The id of the run that `repro best WORDS` names."""
        start = time.perf_counter()
        found: str = json.loads(self.repro("best", *words, "--json"))["id"]
        print(f"\n{1000 * (time.perf_counter() - start):.0f} ms: repro best {' '.join(words)}")
        return found

    def read_all(self) -> list[Json]:
        """Config, metrics and run of each record, read by git alone."""
        refs = git(self.root, "for-each-ref", "--format=%(refname)", "refs/repro/runs").split()
        return [
            {
                "run": json.loads(git(self.root, "show", f"{ref}:run.json")),
                "config": yaml.safe_load(git(self.root, "show", f"{ref}:config.yaml")),
                "metrics": json.loads(git(self.root, "show", f"{ref}:metrics.json"))["metrics"],
            }
            for ref in refs
        ]


def draw_words(number: int) -> list[str]:
    """The params of a run, as a search draws them; those of other models are left out."""
    chance = random.Random(number)
    model = chance.choice(("mlp", "mlp", "mlp", "logistic", "bayes"))
    params: dict[str, object] = {
        "model": model,
        "ngrams": chance.choice((1, 2)),
        "features": chance.choice((256, 512, 1024)),
        "seed": number,
    }
    if model != "bayes":
        params |= {"lr": 10 ** chance.uniform(-5, -1), "epochs": chance.choice((4, 8, 16))}
    if model == "mlp":
        params["dropout"] = chance.uniform(0, 0.5)
    else:
        params["alpha"] = 10 ** chance.uniform(-6, 0)
    return [f"--{key}={value}" for key, value in params.items()]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """A repository in which all runs were recorded."""
    top = tmp_path_factory.mktemp("classifier")
    found = Search(make_repository(top / "project", read_scripts()), make_environment(top / "env"))
    subprocess.run(
        ["python", "corpus.py", "data/docstrings.json"],
        cwd=found.root, env=found.environ, check=True,
    )  # fmt: skip
    commands = [["run", "--", "python", "train.py", *draw_words(number)] for number in range(RUNS)]
    start = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda words: found.repro(*words), commands))
    print(f"\n{RUNS} runs, two at a time, in {time.perf_counter() - start:.0f} s")
    return found


def read_scripts() -> dict[str, str | bytes]:
    """The files of the project."""
    scripts = {path.name: path.read_text() for path in SCRIPTS.glob("*.py")}
    settings = {"repro.yaml": "data:\n  docstrings: data\n", ".gitignore": "data/\n"}
    return {**scripts, **settings}


def make_environment(env: Path) -> dict[str, str]:
    """Variables that put an environment with scikit-learn and this repro first."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert uv is not None
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, env], check=True)
    install = [uv, "pip", "install", "-q", "--python", env / "bin/python", "-e", REPRO, *PACKAGES]
    subprocess.run(install, check=True)
    # A thread for each core in both of two runs would only wait for each other.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**os.environ, "PATH": f"{env / 'bin'}:{os.environ['PATH']}", **threads}


def best(records: list[Json], metric: str, fits: Callable[[Json], bool], *, least: bool) -> str:
    """The id of the run with the best last value of `metric` among those that fit."""
    sign = 1 if least else -1
    values = {
        one["run"]["id"]: sign * one["metrics"][metric]["last"]
        for one in records
        if fits(one) and isinstance(one["metrics"].get(metric, {}).get("last"), float)
    }
    print(f"{len(values)} of {len(records)} runs fit")
    found: str = min(values, key=values.__getitem__)
    return found


def test_best_runs_of_a_search_are_those_that_a_plain_reading_finds(search: Search) -> None:
    records = search.read_all()
    assert len(records) == RUNS
    assert {one["run"]["status"] for one in records} == {"finished"}

    assert search.best("val_loss", "--where", "dropout > 0.1 and lr < 1e-4") == best(
        records,
        "val_loss",
        lambda one: one["config"].get("dropout", 0) > 0.1 and one["config"]["lr"] < 1e-4,
        least=True,
    )
    assert search.best("f1", "--max", "--where", "duration < 4h") == best(
        records, "f1", lambda one: one["run"]["duration_s"] < 4 * 3600, least=False
    )


def test_the_best_run_is_the_same_without_the_run_index(search: Search) -> None:
    question = ("val_loss", "--where", "dropout > 0.1 and lr < 1e-4")
    with_it = search.best(*question)

    (search.root / ".git/repro/index.db").unlink()

    assert search.best(*question) == with_it
