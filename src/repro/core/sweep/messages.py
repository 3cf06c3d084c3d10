"""What a sweep and the processes that run its trials say to each other, as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from repro.core.sweep.protocols import Task, TrialEnd
from repro.errors import InvalidInputError, ReproError
from repro.model.run import Status
from repro.model.sweep import Sweep
from repro.store.sweeps import decode_sweep, encode_sweep


def format_job(sweep: Sweep, task: Task) -> str:
    """The line that `repro sweep work` reads: a task with all that must be known of its sweep."""
    return json.dumps({**sweep_message(sweep), **task_message(task)})


def parse_job(text: str | bytes) -> tuple[Sweep, Task]:
    """Read what `format_job` wrote.

    Raises:
        InvalidInputError: It is something else.
    """
    message = _parse(text)
    return read_sweep_message(message), read_task(message)


def format_end(end: TrialEnd) -> str:
    """The line with which `repro sweep work` answers."""
    return json.dumps(end_message(end))


def parse_end(text: str | bytes) -> TrialEnd:
    """Read what `format_end` wrote.

    Raises:
        InvalidInputError: It is something else.
    """
    return read_end(_parse(text))


def sweep_message(sweep: Sweep) -> dict[str, Any]:
    """Which sweep it is all about."""
    return {"sweep": encode_sweep(sweep), "base": sweep.base}


def read_sweep_message(message: Mapping[str, Any]) -> Sweep:
    """The sweep that a message names.

    Raises:
        InvalidInputError: It names none.
    """
    try:
        return decode_sweep(message["sweep"], str(message["base"]))
    except (KeyError, ReproError) as error:
        raise _wrong(error) from error


def task_message(task: Task) -> dict[str, Any]:
    """That a task is to be run."""
    return {"task": {**asdict(task), "params": dict(task.params), "environ": dict(task.environ)}}


def read_task(message: Mapping[str, Any]) -> Task:
    """The task of a message.

    Raises:
        InvalidInputError: It has none.
    """
    try:
        return Task(**message["task"])
    except (KeyError, TypeError) as error:
        raise _wrong(error) from error


def end_message(end: TrialEnd) -> dict[str, Any]:
    """That a task is over."""
    return {"end": {**asdict(end), "status": end.status and str(end.status)}}


def read_end(message: Mapping[str, Any]) -> TrialEnd:
    """How the task ended that a message is about.

    Raises:
        InvalidInputError: It is about none.
    """
    try:
        values = dict(message["end"])
        status = values["status"]
        return TrialEnd(**{**values, "status": None if status is None else Status(status)})
    except (KeyError, TypeError, ValueError) as error:
        raise _wrong(error) from error


def _parse(text: str | bytes) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except ValueError as error:
        raise _wrong(error) from error
    if not isinstance(message, dict):
        raise _wrong(TypeError("it is no object"))
    return message


def _wrong(error: Exception) -> InvalidInputError:
    return InvalidInputError(
        f"this is no message of a sweep: {error!r}"[:300],
        hint="`repro sweep work` is started by `repro sweep`, not by hand",
    )
