"""What a trial costs: `python -m tests.bench.bench_sweep [TRIALS] [JOBS]`.

Sweeps of a shell script that writes one number, beside `repro run` of it and beside Optuna with
its journal file, whose objective starts the same script. Prints seconds of the whole, of a trial.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support import make_repository

OPTUNA = """
import subprocess, sys
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(storage=JournalStorage(JournalFileBackend("journal.log")))
def objective(trial):
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    subprocess.run(["sh", "train.sh", f"--lr={lr}"], check=True)
    return lr
study.optimize(objective, n_trials=int(sys.argv[1]), n_jobs=int(sys.argv[2]))
"""
FILES: dict[str, str | bytes] = {
    "train.sh": 'echo "{\\"loss\\": ${1#--lr=}}" > metrics.json\n',
    "repro.yaml": "metrics: [metrics.json]\n",
}


def whole(command: list[str], root: Path) -> float:
    """Seconds that a command takes; it must succeed."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - start


def main() -> None:
    """Measure, print."""
    n_trials = sys.argv[1] if len(sys.argv) > 1 else "200"
    n_jobs = sys.argv[2] if len(sys.argv) > 2 else "2"
    repro, command = [sys.executable, "-m", "repro"], ["sh", "train.sh", "--lr=0.1"]
    space = ["-p", "lr=loguniform(1e-5,1e-1)", "-n", n_trials, "-j", n_jobs]
    with tempfile.TemporaryDirectory() as folder:
        root = make_repository(Path(folder) / "project", FILES)
        one = min(whole([*repro, "run", "--", *command], root) for _ in range(3))
        print(f"repro run                        {one:7.2f} s, once")
        for method in ("random", "tpe"):
            goal = ["--metric", "loss", "--goal", "minimize"]
            words = ["sweep", *space, "--method", method, *goal, "--", *command]
            took = whole([*repro, *words], root)
            each = took * int(n_jobs) / int(n_trials)
            print(f"repro sweep, {method:6}              {took:7.2f} s: {each:5.3f} s a trial")
        took = whole([sys.executable, "-c", OPTUNA, n_trials, n_jobs], root)
        print(f"Optuna alone, its journal file   {took:7.2f} s")
        print(f"processor cores: {os.cpu_count()}")


if __name__ == "__main__":
    main()
