"""Secrets that a command was given, taken out of what it printed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from repro.atomic import write_file
from repro.model.marking import Marker
from repro.model.secrets import is_secret_name, list_secrets


def hush_output(
    log: Path, command: Sequence[str], environ: Mapping[str, str], marker: Marker
) -> None:
    """Replace secrets of the command and its variables in the log by their marks.

    Their values are known here and nowhere later: no file has them.

    Raises:
        StorageError: The disk is full or read-only.
    """
    values = list_secrets(command)
    values += [value for name, value in environ.items() if is_secret_name(name)]
    if not values:
        return
    # Here, for the rules take 5 ms, which most runs need not spend.
    from repro.model.scrub import scrub_values  # noqa: PLC0415

    try:
        printed = log.read_bytes()
    except OSError:  # nothing was printed, or the command deleted the folder
        return
    bare = scrub_values(printed, values, marker)
    if bare != printed:
        write_file(log, bare)
