"""How a sweep is run: the options for that, which starting one and resuming one share."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from repro.cli import render
from repro.cli.numbers import WholeNumber
from repro.core.project import Project
from repro.core.sweep.options import Options
from repro.errors import UsageError
from repro.model.literals import parse_duration
from repro.model.text import escape
from repro.store.hardware import read_hardware

LAUNCHERS = ("local", "slurm", "ray")
_LONGEST_S = 1e9  # thirty years


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How trials are run, as the line says.

    Attributes:
        jobs: So many at once.
        launcher: Which engine runs them.
        settings: Options of that engine, by name.
        as_json: Whether standard output is for JSON alone.
    """

    options: Options
    jobs: int
    launcher: str
    settings: dict[str, str]
    as_json: bool


def takes_running(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command all options of how trials are run, as its argument `running`."""

    @functools.wraps(function)
    def with_running(  # noqa: PLR0913  # click hands over each option by its name
        *args: Any,
        jobs: int,
        timeout: float | None,
        max_time: float | None,
        retries: int,
        gpus: str | None,
        launcher: str,
        settings: tuple[str, ...],
        strict: bool,
        reuse: bool,
        as_json: bool,
        **others: Any,
    ) -> Any:
        options = Options(
            retries=retries,
            is_strict=strict,
            reuse=reuse,
            timeout_s=timeout,
            max_time_s=max_time,
            gpus=_read_gpus(gpus),
        )
        given = dict(map(_read_setting, settings))
        if given and launcher == "local":
            raise UsageError("`-l` says something to a launcher, and `local` takes nothing")
        if options.gpus and launcher != "local":
            raise UsageError(
                "`--gpus` is for this machine; a cluster hands out its GPUs itself",
                hint="`-l num_gpus=1` asks Ray for one, `-l gpus_per_task=1` Slurm",
            )
        running = Running(
            options=options, jobs=jobs, launcher=launcher, settings=given, as_json=as_json
        )
        return function(*args, running=running, **others)

    command: Callable[..., Any] = with_running
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def say_jobs(jobs: int, launcher: str) -> None:
    """Warn where more trials run at once than this machine has cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if launcher == "local" and cores and jobs > cores:
        render.note(f"repro: warning: `-j {jobs}` is more than this machine has cores: {cores}")


def find_gpus(options: Options, project: Project) -> tuple[str, ...]:
    """The GPUs that trials get, in turn: those named, or for `auto` those there are.

    Raises:
        UsageError: `auto` finds none.
    """
    if options.gpus != ("auto",):
        return options.gpus
    visible = project.environ.get("CUDA_VISIBLE_DEVICES")
    if visible:
        return tuple(word.strip() for word in visible.split(",") if word.strip())
    hardware = read_hardware(
        environ=project.environ, cache=project.repository.private / "gpus.json"
    )
    gpus = hardware["gpus"]
    found = tuple(str(number) for number, _ in enumerate(gpus if isinstance(gpus, list) else []))
    if not found:
        raise UsageError("`--gpus auto` finds no GPU here", hint="leave it out")
    return found


def _read_gpus(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    words = tuple(word.strip() for word in text.split(","))
    if not all(words):
        raise UsageError(
            f"`--gpus {escape(text[:80])}` is no list of GPUs",
            hint="`--gpus 0,1`, or `--gpus auto`",
        )
    return words


def _read_setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise UsageError(f"`-l {escape(text[:80])}` is not of the form KEY=VALUE")
    return key, value


class _Time(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """A time such as `90s`, `10m` or `1h30m`; a bare number is seconds."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        text = str(value)
        seconds = parse_duration(text)
        if seconds is None:
            try:
                seconds = float(text)
            except ValueError:
                seconds = 0.0
        if not 0 < seconds <= _LONGEST_S:
            self.fail(f"{text!r} is not a time above 0, such as 90s, 10m or 1h30m.", param, ctx)
        return seconds


TIME = _Time()

RETRY_FAILED = click.option(
    "--retry-failed", is_flag=True,
    help="Run the trials that failed so far again, with the same params.",
)  # fmt: skip

_OPTIONS = (
    click.option(
        "-j", "--jobs", type=WholeNumber(min=1), default=1, show_default=True, metavar="N",
        help="So many trials at once.",
    ),
    click.option(
        "--timeout", type=TIME, metavar="TIME",
        help="End a trial after so long, such as 10m: it has failed.",
    ),
    click.option(
        "--max-time", type=TIME, metavar="TIME",
        help="End the sweep after so long, such as 8h; `repro sweep resume` goes on.",
    ),
    click.option(
        "--retries", type=WholeNumber(min=0), default=2, show_default=True, metavar="N",
        help="Run a trial that was lost again, so often. One that fails is not run again.",
    ),
    click.option(
        "--gpus", metavar="LIST",
        help="GPUs such as 0,1, or auto: each trial gets one in turn, by CUDA_VISIBLE_DEVICES.",
    ),
    click.option(
        "--strict", is_flag=True,
        help="Stop if the first trial has not logged the metric, also where it crashed.",
    ),
    click.option(
        "--reuse", is_flag=True,
        help="Take the results of an earlier run of the very same conditions.",
    ),
    click.option(
        "--launcher", type=click.Choice(LAUNCHERS), default="local", show_default=True,
        help="What runs the trials: this machine, a Slurm or a Ray cluster.",
    ),
    click.option(
        "-l", "settings", multiple=True, metavar="K=V",
        help="Option of the launcher, such as partition=gpu; may be repeated.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the sweep as JSON at its end."),
)  # fmt: skip
