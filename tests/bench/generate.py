"""Many finished runs in a moment: `python -m tests.bench.generate DIR N [--values 40]`.

Makes a repository DIR with one commit and N runs on it, as a year of searching for good params
leaves them: of the values of a run half are params, half metrics of two points; names repeat, some
runs failed, some lack a metric or have NaN. The same number and commit give the same record.
`--curves` adds runs with 10,000 steps of `loss` and `val_loss`, the newest of all, tagged `long`.

`git fast-import` writes 10,000 runs to a pack; their refs are packed.
"""

import argparse
import itertools
import math
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from repro.model.canonical import Json
from repro.model.ids import RunId, new_id
from repro.model.run import Attempt, MetricSummary, Record, Run, Status
from repro.model.series import Point, format_series
from repro.model.series import summarise as summarise_series
from repro.model.times import format_time, parse_time
from repro.store.git import Repository, open_repository
from repro.store.refs import RUNS, list_refs
from repro.store.runs import encode_record

START = 1_764_000_000.0  # creation of the first run, seconds since 1970
APART_S = 300.0  # from one run to the next
DAY_S = 24 * 3600.0
YEAR_S = 366 * DAY_S
LAST_STEP = 99
LONG = 10_000  # steps
Series = Mapping[str, Sequence[Point]]
_RUNS_A_PACK = 10_000
_RUNS_A_NAME = 1_000
_SCRATCH = "refs/heads/generated"

_PARAMS: Mapping[str, Callable[[random.Random], Json]] = {
    "lr": lambda chance: 10 ** chance.uniform(-5, -1),
    "dropout": lambda chance: chance.uniform(0, 0.5),
    "optimizer": lambda chance: chance.choice(("adam", "adamw", "sgd", "lion")),
    "batch_size": lambda chance: 2 ** chance.randint(4, 10),
    "model.name": lambda chance: chance.choice(("cnn", "transformer", "mlp")),
    "model.width": lambda chance: 64 * chance.randint(1, 16),
    "model.depth": lambda chance: chance.randint(2, 24),
    "weight_decay": lambda chance: 10 ** chance.uniform(-6, -1),
    "amp": lambda chance: chance.random() < 0.5,
    "epochs": lambda chance: chance.choice((10, 20, 50)),
    "seed": lambda chance: chance.randrange(1 << 31),
    "schedule": lambda chance: chance.choice(("cosine", "linear", "constant")),
    "warmup_steps": lambda chance: 100 * chance.randint(0, 20),
    "clip": lambda chance: chance.choice((None, 0.5, 1.0)),
    "betas": lambda chance: [0.9, chance.choice((0.95, 0.98, 0.999))],
    "label_smoothing": lambda chance: chance.uniform(0, 0.2),
    "momentum": lambda chance: 0.9,
}
_METRICS = ("val_loss", "f1", "train_loss", "accuracy", "precision", "recall", "auc", "grad_norm")
_GOALS = {"val_loss": "minimize", "f1": "maximize"}
_STATUSES = ((Status.FINISHED, 0),) * 18 + ((Status.FAILED, 1), (Status.KILLED, None))
_N_ENVIRONMENTS = 5


def make_record(number: int, base: str, *, n_values: int = 40, n_packages: int = 60) -> Record:
    """The `number`-th run, on the commit `base`: half of its values params, half metrics."""
    chance = random.Random(number)
    params = _draw_params(chance, n_values // 2)
    metrics = _draw_metrics(chance, params, n_values - n_values // 2)
    created = START + APART_S * number
    status, exit_code = chance.choice(_STATUSES)
    run = make_run(
        new_id(chance.randbytes),
        f"trial {number % _RUNS_A_NAME}",
        base,
        created=created,
        duration_s=round(5 * (DAY_S / 5) ** chance.random(), 6),
        status=status,
        exit_code=exit_code,
        tags=("baseline",) if number % 100 == 0 else (),
        identity=f"sha256:{chance.randbytes(32).hex()}",
    )
    return Record(
        run=run,
        config=nest(params),
        metrics={name: summarise(name, 1.5 * last, last) for name, last in metrics.items()},
        data={"train": _dataset("train", chance.randrange(3)), "test": _dataset("test", 0)},
        environment=_environment(number // _RUNS_A_NAME % _N_ENVIRONMENTS, n_packages),
    )


def make_run(
    run_id: RunId,
    name: str,
    base: str,
    *,
    created: float,
    duration_s: float,
    status: Status = Status.FINISHED,
    exit_code: int | None = 0,
    tags: tuple[str, ...] = (),
    identity: str | None = None,
) -> Run:
    """A run of one attempt with a clean working tree, created so many seconds after 1970."""
    started, ended = format_time(created), format_time(created + duration_s)
    attempt = Attempt(
        started=started, ended=ended, status=status, exit_code=exit_code, host="engine",
        snapshot=base,
    )  # fmt: skip
    return Run(
        id=run_id, name=name, status=status, created=started, started=started, ended=ended,
        duration_s=duration_s, command=("python", "train.py"), cwd=".", assigned={},
        exit_code=exit_code, signal="SIGTERM" if status is Status.KILLED else None, base=base,
        snapshot=base, branch="main", user="ada", host="engine", tags=tags, identity=identity,
        attempts=(attempt,),
    )  # fmt: skip


def make_curve(number: int, base: str, *, n_steps: int = LONG) -> tuple[Record, Series]:
    """The `number`-th of the runs with long curves, on the commit `base`, and its series."""
    chance = random.Random(f"curve {number}")
    created = START + YEAR_S + APART_S * number
    lr = 10 ** (-4 + number / 8)
    level, noise = 0.2 + chance.random() / 5, 0.02 + 0.01 * (number % 5)
    losses = [
        level + 2 * math.exp(-9 * step / n_steps) + noise * chance.gauss(0, 1)
        for step in range(n_steps)
    ]
    series = {
        "loss": [Point(step, loss, created + step) for step, loss in enumerate(losses)],
        "val_loss": [
            Point(step, losses[step] + 0.05, created + step) for step in range(0, n_steps, 10)
        ],
    }
    run = make_run(
        new_id(chance.randbytes), f"long {number}", base, created=created,
        duration_s=float(n_steps), tags=("long",),
    )  # fmt: skip
    return Record(
        run=run, config={"lr": lr, "noise": noise}, metrics=summarise_series(series)
    ), series


def summarise(name: str, first: float, last: float) -> MetricSummary:
    """A metric with a point at step 0 and one at step 99."""
    points = {0: first, LAST_STEP: last}
    goal = _GOALS.get(name)
    steps = [step for step, value in points.items() if not math.isnan(value)]
    if not steps:
        return MetricSummary(last, LAST_STEP, first, None, None, None, None, None, 2, goal)
    low, high = min(steps, key=points.__getitem__), max(steps, key=points.__getitem__)
    mean = sum(map(points.__getitem__, steps)) / len(steps)
    return MetricSummary(
        last, LAST_STEP, first, points[low], low, points[high], high, mean, 2, goal
    )


def nest(params: Mapping[str, Json]) -> dict[str, Json]:
    """The config whose dotted keys are those of `params`."""
    config: dict[str, Json] = {}
    for key, value in params.items():
        group, dot, name = key.partition(".")
        if dot:
            below = config.setdefault(group, {})
            assert isinstance(below, dict)
            below[name] = value
        else:
            config[key] = value
    return config


def build(
    root: Path, n_runs: int, *, n_values: int = 40, n_packages: int = 60, n_curves: int = 0
) -> Repository:
    """A repository with one commit and `n_runs` runs, their refs packed.

    Args:
        n_packages: Of the environment of each, which is most of the work.
        n_curves: Runs with long curves, beside the others.
    """
    repository, base = make_base(root)
    records = (
        make_record(number, base, n_values=n_values, n_packages=n_packages)
        for number in range(n_runs)
    )
    write_runs(repository, records, base=base)
    add_curves(repository, n_curves, base=base)
    return repository


def add_curves(repository: Repository, n_curves: int, *, base: str) -> list[RunId]:
    """Add runs with long curves to a repository; their ids."""
    made = [make_curve(number, base) for number in range(n_curves)]
    series = {record.run.id: curves for record, curves in made}
    write_runs(repository, [record for record, _ in made], base=base, series=series)
    return list(series)


def make_base(root: Path) -> tuple[Repository, str]:
    """A repository with one commit, and the id of that."""
    git = ["git", "-C", str(root), "-c", "user.name=ada", "-c", "user.email=ada@localhost"]
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    (root / "train.py").write_text("print('hello')\n")
    subprocess.run([*git, "add", "train.py"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "base"], check=True)
    repository = open_repository(root, os.environ)
    return repository, repository.git.run("rev-parse", "HEAD").out.decode().strip()


def write_runs(
    repository: Repository,
    records: Iterable[Record],
    *,
    base: str,
    series: Mapping[RunId, Series] | None = None,
) -> None:
    """Add sealed runs that are not there yet; their refs are packed, with all others.

    Args:
        series: Of runs that have more than the two points of each metric, by id.
    """
    stream = iter(records)
    refs: dict[str, str] = {}
    series = series or {}
    while some := _import(repository, itertools.islice(stream, _RUNS_A_PACK), base, series):
        refs.update(some)
    _pack_refs(repository, refs)


def _import(
    repository: Repository, records: Iterable[Record], base: str, series: Mapping[RunId, Series]
) -> dict[str, str]:
    """Write commits as one pack; the ref that each is to have."""
    refs = []
    with tempfile.TemporaryDirectory() as folder:
        marks = Path(folder) / "marks"
        # All of them in turn on one branch: a ref each would be a file each.
        process = repository.git.spawn(
            "-c", "fastimport.unpackLimit=0",
            "fast-import", "--quiet", "--force", "--done", f"--export-marks={marks}",
        )  # fmt: skip
        assert process.stdin is not None
        for record in records:
            refs.append(RUNS + record.run.id)
            process.stdin.writelines(_commit(record, len(refs), base, series.get(record.run.id)))
        _, err = process.communicate(b"done\n")
        if process.returncode:
            raise RuntimeError(err.decode(errors="replace"))
        found = dict(line.split(" ") for line in marks.read_text().splitlines())
    if refs:
        repository.git.run("update-ref", "-d", _SCRATCH)
    return {ref: found[f":{mark}"] for mark, ref in enumerate(refs, 1)}


def _commit(record: Record, mark: int, base: str, series: Series | None) -> Iterator[bytes]:
    run = record.run
    created, ended = parse_time(run.created), parse_time(run.ended or run.created)
    text = f"run {run.id}: {run.name}\n\nRepro-Run: {run.id}\nRepro-Status: {run.status}\n"
    message = text.encode()
    yield f"commit {_SCRATCH}\nmark :{mark}\n".encode()
    yield f"committer ada <ada@localhost> {int(ended)} +0000\n".encode()
    yield b"data %d\n%b\nfrom %b\ndeleteall\n" % (len(message), message, base.encode())
    series = series or {
        name: [Point(0, summary.first, created), Point(LAST_STEP, summary.last, ended)]
        for name, summary in record.metrics.items()
    }
    for path, content in {**encode_record(record), **format_series(series)}.items():
        yield b"M 100644 inline %b\ndata %d\n%b\n" % (path.encode(), len(content), content)
    yield b"\n"


def _pack_refs(repository: Repository, refs: Mapping[str, str]) -> None:
    """Create refs in `packed-refs` itself: 100,000 files take git longer than all the rest."""
    known = list_refs(repository.git, "refs/")
    listed = "".join(f"{oid} {ref}\n" for ref, oid in sorted({**known, **refs}.items()))
    (repository.common_dir / "packed-refs").write_text(f"# pack-refs with: sorted \n{listed}")
    repository.git.run("pack-refs", "--all")  # which adds what it knows of each


def _draw_params(chance: random.Random, count: int) -> dict[str, Json]:
    params = {name: draw(chance) for name, draw in itertools.islice(_PARAMS.items(), count)}
    return params | {f"extra.p{n:02}": chance.random() for n in range(count - len(params))}


def _draw_metrics(
    chance: random.Random, params: Mapping[str, Json], count: int
) -> dict[str, float]:
    """Values that depend on lr, dropout and optimizer; one run in 100 diverged or lacks some."""
    lr, dropout = params.get("lr"), params.get("dropout")
    lr, dropout = (
        lr if isinstance(lr, float) else 1e-3,
        dropout if isinstance(dropout, float) else 0,
    )
    loss = 0.3 + 0.2 * (math.log10(lr) + 3) ** 2 + (dropout - 0.2) ** 2
    loss += 0.1 * (params.get("optimizer") == "sgd") + abs(chance.gauss(0, 0.05))
    score = 1 / (1 + loss)
    metrics = {name: score * chance.uniform(0.95, 1) for name in _METRICS[:count]}
    metrics |= {f"extra_{n:02}": chance.random() for n in range(count - len(metrics))}
    for name, value in (("val_loss", loss), ("train_loss", loss * 0.9), ("grad_norm", 1 / loss)):
        if name in metrics:
            metrics[name] = value
    fate = chance.randrange(200)
    if fate == 0:
        metrics |= dict.fromkeys(("val_loss", "train_loss"), math.nan)
    elif fate == 1:
        metrics.pop("f1", None)
    return metrics


def _dataset(name: str, version: int) -> dict[str, Json]:
    digest = f"xxh3:{random.Random(f'{name} {version}').randbytes(16).hex()}"
    return {
        "path": f"data/{name}", "kind": "folder", "digest": digest,
        "files": 1000 + version, "bytes": 4_096_000 + 4096 * version, "kept": False,
    }  # fmt: skip


def _environment(number: int, n_packages: int) -> dict[str, Json]:
    packages: list[Json] = [
        {"name": f"package-{n:02}", "version": f"1.{n}.{number if n % 7 == 0 else 0}"}
        for n in range(n_packages)
    ]
    return {
        "interpreter": {"implementation": "cpython", "version": f"3.11.{number}"},
        "packages": {"count": len(packages), "digest": f"sha256:{number:064x}", "list": packages},
        "hardware": {"cores": 16, "memory_bytes": 64 << 30, "gpus": []},
        "variables": {"OMP_NUM_THREADS": "8"},
    }


def main() -> None:
    """Build, and say what it took."""
    parser = argparse.ArgumentParser(prog="tests.bench.generate", description=__doc__)
    parser.add_argument("dir", type=Path)
    parser.add_argument("n_runs", type=int, metavar="N")
    parser.add_argument("--values", type=int, default=40, help="params and metrics of a run")
    parser.add_argument("--curves", type=int, default=0, help="runs with 10,000 steps beside them")
    words = parser.parse_args()
    start = time.perf_counter()
    repository = build(words.dir, words.n_runs, n_values=words.values, n_curves=words.curves)
    taken_s = time.perf_counter() - start
    size = sum(path.stat().st_size for path in repository.objects.rglob("*.pack"))
    print(f"{words.n_runs} runs in {taken_s:.1f} s, {size / 1e6:.1f} MB of packs")


if __name__ == "__main__":
    main()
