"""`repro env`: environments of runs built again, listed and removed."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from repro.cli import render
from repro.cli.context import RUN, open_here
from repro.cli.progress import showing_steps
from repro.cli.verbs import Verbs
from repro.core.builtenvs import RebuiltEnv, choose_envs, find_unused, list_envs, remove_envs
from repro.core.project import Project
from repro.core.query import resolve_run, short_id
from repro.core.rebuild import (
    EnvironmentPlan,
    Rebuilt,
    ensure_environment,
    plan_environment,
)
from repro.errors import UsageError
from repro.model.canonical import Json
from repro.model.needs import list_editables, named_tree
from repro.model.readable import count_of, format_size
from repro.model.run import Record
from repro.model.text import escape

VERBS = {
    "create": ("repro.cli.env:create", "Build the environment of a run again"),
    "ls": ("repro.cli.env:ls", "List the environments that were built"),
    "rm": ("repro.cli.env:rm", "Remove environments that were built"),
}
_TITLES = ("DIGEST", "SIZE", "PYTHON", "PACKAGES", "RUNS", "AS RECORDED")


@click.group(cls=Verbs, table=VERBS)
def env() -> None:
    """Build the environments of runs again: the same interpreter and the same packages.

    They lie in `.git/repro/envs`, one for all runs that had the same one.
    """


@click.command()
@click.argument("name", metavar="RUN", type=RUN)
@click.option("--nearest", is_flag=True, help="Take the nearest of what cannot be had.")
@click.option("--yes", is_flag=True, help="Agree to build what others, or other places, made.")
@click.option("--json", "as_json", is_flag=True, help="Print what was built as JSON.")
def create(name: str, *, nearest: bool, yes: bool, as_json: bool) -> None:
    r"""Build the environment of a run again, and print its folder.

    \b
    repro env create baseline
    source "$(repro env create baseline)/bin/activate"

    Exact versions are installed by uv, or by venv and pip where there is no uv, from the indexes
    that you have set. What cannot be had as recorded is listed, each with the nearest choice;
    nothing is built then, unless --nearest takes these. No interpreter is ever downloaded.
    Packages from repositories, addresses and paths that the record names ask first.
    """
    project = open_here()
    record = resolve_run(project, name)
    root = project.repository.root
    rebuilt, imports = build(project, record, root, nearest=nearest, yes=yes)
    if as_json:
        render.data_json(rebuilt_json(rebuilt, imports))
        return
    _say_imports(imports)
    render.out(str(rebuilt.folder))


def build(
    project: Project, record: Record, tree: Path, *, nearest: bool, yes: bool
) -> tuple[Rebuilt, tuple[str, ...]]:
    """Give the environment of a run, and say what there is to say about it.

    Args:
        tree: Where the code of the run is, or would be, for packages of its own in place.

    Returns:
        The environment, and the folders that `PYTHONPATH` must have with it.

    Raises:
        DamagedRecordError: The record does not hold the code of a package that it names.
        ConsentError: The run is somebody else's, or packages of it are, and nobody agreed.
        MissingPackagesError: Parts of it cannot be had.
    """
    plan = plan_environment(project, record)
    is_agreed = yes
    if plan.built is None or not (plan.is_built or nearest):  # else nothing is executed
        is_agreed = _agrees(project, record, plan, yes=yes)
    with showing_steps("building the environment") as (report, _):
        rebuilt = ensure_environment(
            project, record, allow_foreign=is_agreed, nearest=nearest, on_progress=report
        )
    _say_built(project, record, plan, rebuilt)
    if not plan.editables:
        return rebuilt, ()
    # Here, for most environments have no such package.
    from repro.core.conditions import place_imports  # noqa: PLC0415

    return rebuilt, place_imports(project, record, tree)


def _agrees(project: Project, record: Record, plan: EnvironmentPlan, *, yes: bool) -> bool:
    """Ask what must be asked; whether packages from elsewhere may be installed."""
    # Here, for what shows the code of somebody's run is slow to import, and mostly not needed.
    from repro.cli.consent import ask_consent, ask_packages  # noqa: PLC0415

    ask_consent(project, record, yes=yes, what="build its environment")
    return ask_packages(project, record, plan, yes=yes)


def _say_built(project: Project, record: Record, plan: EnvironmentPlan, rebuilt: Rebuilt) -> None:
    short = short_id(project, record.run.id)
    how = "is built" if rebuilt.is_new else "was there already"
    render.note(f"repro: the environment of run {short} {how}")
    for note in rebuilt.notes:
        render.note(f"repro: note: {note}")
    absent = [
        name
        for name in list_editables(record.environment)
        if named_tree(record.environment, name) is None
    ]
    placed = [one.name for one in plan.editables if one.name not in absent]
    if placed:
        names = ", ".join(map(escape, placed))
        render.note(f"repro: note: editable, so not installed but on `PYTHONPATH`: {names}")
    if absent:
        names = ", ".join(map(escape, absent))
        render.note(f"repro: warning: editable, and its code is not in the record: {names}")


def say_activation(rebuilt: Rebuilt, imports: Sequence[str]) -> None:
    """Say how a shell gets into an environment."""
    script = shlex.quote(str(rebuilt.folder / "bin" / "activate"))
    render.note(f"hint: `source {escape(script)}` enters its environment")
    _say_imports(imports)


def _say_imports(imports: Sequence[str]) -> None:
    if imports:
        value = escape(shlex.quote(os.pathsep.join(imports)))
        line = f"export PYTHONPATH={value}${{PYTHONPATH:+:$PYTHONPATH}}"
        render.note(f"hint: `{line}` brings the editable packages into it")


def rebuilt_json(rebuilt: Rebuilt, imports: Sequence[str]) -> dict[str, Json]:
    """What was built, as JSON, with the folders that `PYTHONPATH` must have."""
    return {
        "folder": str(rebuilt.folder),
        "python": str(rebuilt.python),
        "digest": rebuilt.digest,
        "new": rebuilt.is_new,
        "substitutes": [
            {"name": one.name, "wanted": one.wanted, "taken": one.taken}
            for one in rebuilt.substitutes
        ],
        "notes": list(rebuilt.notes),
        "pythonpath": list(imports),
    }


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def ls(*, as_json: bool) -> None:
    """List the environments that were built, with the runs that had them."""
    found = list_envs(open_here())
    if as_json:
        render.data_json([_env_json(one) for one in found])
    elif found:
        render.out(render.table([_row(one) for one in found], _TITLES))


def _row(one: RebuiltEnv) -> tuple[str, ...]:
    size, short = format_size(one.size), one.short
    if one.built is None:
        return short, size, "-", "-", str(len(one.runs)), "half made"
    taken = len(one.built.substitutes)
    as_recorded = f"but for {taken}" if taken else "yes"
    packages = str(one.built.packages)
    return short, size, one.built.python, packages, str(len(one.runs)), as_recorded


def _env_json(one: RebuiltEnv) -> dict[str, Json]:
    built = one.built
    return {
        "digest": one.name,
        "folder": str(one.folder),
        "bytes": one.size,
        "whole": built is not None,
        "python": built.python if built else None,
        "packages": built.packages if built else None,
        "installer": built.installer if built else None,
        "substitutes": [
            {"name": each.name, "wanted": each.wanted, "taken": each.taken}
            for each in (built.substitutes if built else ())
        ],
        "runs": list(one.runs),
    }


@click.command()
@click.argument("digests", nargs=-1, metavar="[DIGEST]...")
@click.option("--unused", is_flag=True, help="Those that no run had, and those half made.")
@click.option("--json", "as_json", is_flag=True, help="Print what was removed as JSON.")
def rm(digests: tuple[str, ...], *, unused: bool, as_json: bool) -> None:
    """Remove environments that were built; each can be built again.

    DIGEST is what `repro env ls` shows, or its first characters.
    """
    if bool(digests) is unused:
        raise UsageError("which environments?", hint="`repro env rm DIGEST…` or `--unused`")
    project = open_here()
    chosen = find_unused(project) if unused else choose_envs(project, digests)
    remove_envs(chosen)
    if as_json:
        render.data_json([_env_json(one) for one in chosen])
        return
    size = format_size(sum(one.size for one in chosen))
    render.note(f"repro: removed {count_of(len(chosen), 'environment')} ({size})")
