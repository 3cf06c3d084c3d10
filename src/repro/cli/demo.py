"""`repro demo`: a small real experiment from end to end."""

import os
import shlex
import sys
import tempfile
from pathlib import Path

import click

from repro.cli import render
from repro.cli.context import open_here
from repro.cli.main import run_cli
from repro.cli.pager import NO_PAGER
from repro.core.demo import best_run, edit_script, make_experiment
from repro.core.query import list_runs


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
def demo(folder: Path | None) -> int:
    """Run a small real experiment from end to end.

    Iris by softmax regression, in a new git repository in DIR (a temporary folder by default):
    three runs, the table, the best one, a diff, a checkout beside, and a verified rerun.
    """
    place = (folder or Path(tempfile.mkdtemp(prefix="repro-demo-")) / "iris").absolute()
    make_experiment(place, os.environ)
    python = _choose_python()
    os.environ[NO_PAGER] = "1"
    os.chdir(place)
    _say(f"A new git repository with one commit: {place}")
    _type(f"repro run --name baseline -- {python} train.py --lr 0.1")
    _type(f"repro run --name faster -- {python} train.py --lr 1.0")
    _say("Now momentum is edited into train.py, and not committed:")
    edit_script(place)
    _type(f"repro run --name momentum --tag edited -- {python} train.py --lr 0.1")
    _type("repro ls")
    best = best_run(list_runs(open_here()).records, "val_loss")
    _say(f"The best one is {best.run.name}, with a val_loss of {best.metrics['val_loss'].last:.4f}")
    _type(f"repro show --metrics {best.run.name}")
    _say("What made the difference:")
    _type("repro diff baseline momentum")
    beside = place.with_name(f"{place.name}-{best.run.name}")
    _say("Its exact code, edits included, brought back beside:")
    _type(f"repro checkout -w ../{beside.name} {best.run.name}")
    _say(f"Everything is in {place.parent}")
    _say(f"And {best.run.name} done again, from its record alone, compared bit for bit:")
    _type(f"repro rerun -n again --verify {best.run.name}")
    return 0


def _choose_python() -> str:
    """The name of this Python, put first on the PATH: the script imports repro, too."""
    folder, _, name = sys.executable.rpartition("/")
    os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", "")])
    return "python" if (Path(folder) / "python").exists() else name


def _say(text: str) -> None:
    render.out(f"\n{render.colour('#', 'dim')} {text}")
    sys.stdout.flush()


def _type(line: str) -> None:
    """Show a command as one would type it, and run it."""
    render.out(f"\n{render.colour('$', 'dim')} {render.colour(line, 'bold')}")
    sys.stdout.flush()
    code = run_cli(shlex.split(line)[1:])
    if code != 0:
        raise click.exceptions.Exit(code)
