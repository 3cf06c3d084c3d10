"""What capturing the environment costs: `python -m tests.bench.bench_environment [PACKAGES]`.

Budgets: the scan of 100 distributions 3 ms, the whole capture 10 ms, also of another
interpreter from the second time on. For comparison: what `importlib.metadata` takes for names
and versions of the same distributions, and a start of a bare interpreter.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from repro.core.environment import capture_environment
from repro.core.project import Project, open_project
from repro.store.content import ContentStore
from repro.store.packages import scan_packages
from tests.support import make_repository
from tests.support.installs import install_editable, make_venv
from tests.support.projects import make_run

ROUNDS = 15


def install(site: Path, n_packages: int) -> None:
    """Put distributions into a folder, with the files that an installer leaves for each."""
    for number in range(n_packages):
        (site / f"package_{number}").mkdir()
        folder = site / f"package_{number}-1.{number}.dist-info"
        folder.mkdir()
        for name in ("INSTALLER", "LICENSE", "RECORD", "WHEEL", "top_level.txt"):
            (folder / name).write_text("pip\n")
        text = f"Metadata-Version: 2.1\nName: package-{number}\nVersion: 1.{number}\n"
        (folder / "METADATA").write_text(text + "Classifier: x\n" * 40 + "\nA text.\n" * 100)


def measure(name: str, work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Time `work` and print it; the median in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    middle = statistics.median(times)
    print(f"{name:46} median {middle:7.2f} ms   least {min(times):7.2f} ms")
    return middle


def main() -> None:
    """Build, measure, print ratios."""
    n_packages = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "init", "-q", name], check=True)
        venv.create(folder / "venv", with_pip=False, symlinks=True)
        [site] = folder.glob("venv/lib/python*/site-packages")
        install(site, n_packages)
        project = open_project(folder, environ=os.environ, clock=time.time, entropy=os.urandom)
        other = (str(folder / "venv/bin/python"), "train.py")

        def with_importlib() -> object:
            found = metadata.distributions(path=[str(site)])
            return [(one.metadata["Name"], one.version) for one in found]

        ours = measure(f"scan of {n_packages} distributions", lambda: scan_packages([str(site)]))
        theirs = measure("importlib.metadata, the same", with_importlib)
        print(f"{'ratio':46} {theirs / ours:6.1f} times as fast")
        measure(
            "start of a bare interpreter", lambda: subprocess.run([other[0], "-c", ""], check=True)
        )
        measure("capture, another interpreter, first time", lambda: _fresh(project, other))
        measure("capture, another interpreter, then", lambda: capture_environment(project, other))
        measure("capture, our own interpreter", lambda: capture_environment(project, ()))

        _measure_siblings(folder)
        model = folder / "model.pt"
        model.write_bytes(os.urandom(1 << 20) * 64)
        store = ContentStore(folder / "store")
        put = measure(
            "put a file of 64 MiB into the content store", lambda: store.put_file(model), 5
        )
        copy = folder / "copy"
        plain = measure("cp and sync of it", lambda: _copy(model, copy), 5)
        print(f"{'ratio':46} {put / plain:6.1f} times as long")


def _measure_siblings(folder: Path) -> None:
    """What a package in place elsewhere, of 300 files, adds to the start of a run."""
    root = make_repository(folder / "project")
    files: dict[str, str | bytes] = {f"src/sibling/m{n}.py": f"N = {n}\n" for n in range(300)}
    source = make_repository(folder / "sibling", files)
    python = make_venv(folder / "python")
    command = (str(python), "train.py")
    project = open_project(root, environ=os.environ, clock=time.time, entropy=os.urandom)
    without = measure("start and seal without packages in place", lambda: _run(project, command))
    install_editable(python, "sibling", source, roots=("src",))
    clean = measure("with one that is committed", lambda: _run(project, command))
    (source / "src/sibling/m1.py").write_text("changed = 1\n")
    dirty = measure("with one that is not", lambda: _run(project, command))
    print(f"{'ratios':46} {clean / without:6.1f} {dirty / without:6.1f} times as long")


def _run(project: Project, command: tuple[str, ...]) -> None:
    make_run(project, command=command, environment=capture_environment(project, command))


def _fresh(project: Project, command: tuple[str, ...]) -> None:
    for kept in project.repository.private.glob("interpreters/*"):
        kept.unlink()
    capture_environment(project, command)


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "--reflink=never", str(source), str(target)], check=True)
    subprocess.run(["sync", str(target)], check=True)


if __name__ == "__main__":
    main()
