"""How often a run in progress was published, kept in its live folder for its end to tell."""

from dataclasses import dataclass
from pathlib import Path

from repro.atomic import write_file
from repro.core.project import Project
from repro.errors import DamagedRecordError, ReproError
from repro.model.canonical import Json, format_json, parse_json

_FILE = "published.json"


@dataclass(frozen=True, slots=True)
class Published:
    """How often it was published, how often that failed, and why it did the last time."""

    times: int = 0
    failed: int = 0
    reason: str = ""


def publish_often(project: Project, run_id: str, every_s: float | None = None) -> str | None:
    """Have a run in progress published by a process that nobody waits for; why it cannot be.

    Args:
        every_s: Seconds between two publications; None as `repro.live` says, which may be never.

    Cost: one git process where it is not set, unless the settings were asked before.
    """
    try:
        every_s = project.personal.live_s if every_s is None else every_s
        if every_s is None:
            return None
        # Few users want that, and it takes milliseconds to import at the start of every run.
        from repro.store.background import start_background  # noqa: PLC0415
        from repro.store.outbox import LOG  # noqa: PLC0415

        words = ("live", run_id, repr(every_s))
        root, log = project.repository.root, project.repository.private / LOG
        if start_background(*words, cwd=root, environ=project.environ, log=log):
            return None
        reason = "this Python cannot start another one"
    except (ReproError, OSError) as error:
        reason = str(error)
    return f"run `{run_id}` is not published while it runs: {reason}"


def write_published(folder: Path, done: Published) -> None:
    """Write down how it went; nothing happens once the run is sealed."""
    value: dict[str, Json] = {
        "times": done.times,
        "failed": done.failed,
        "reason": done.reason,
    }
    try:
        write_file(folder / _FILE, format_json(value))
    except (ReproError, OSError):  # such as: the folder is gone
        return


def read_published(folder: Path) -> Published:
    """How it went so far; nothing was done where there is nothing to read."""
    try:
        value = parse_json((folder / _FILE).read_bytes(), name=_FILE)
    except (OSError, DamagedRecordError):
        return Published()
    match value:
        case {"times": int(times), "failed": int(failed), "reason": str(reason)}:
            return Published(times, failed, reason)
    return Published()


def tell_published(folder: Path) -> str | None:
    """What the user is to hear of it at the end of the run; None where nothing went wrong."""
    done = read_published(folder)
    if not done.failed:
        return None
    return (
        f"while it ran it was published {done.times:,} times, and {done.failed:,} times not:"
        f" {done.reason}"
    )
