"""The YAML file that describes a sweep, as a person wrote it."""

from pathlib import Path

from repro.errors import InvalidInputError
from repro.model.sweepfile import parse_sweep_file
from repro.model.sweepspec import SweepSpec
from repro.store.settings import read_input
from repro.store.yamlfile import load_yaml_lines


def read_sweep_file(path: Path) -> SweepSpec:
    """Read a sweep file, which a command line may go on to change.

    Raises:
        InvalidInputError: There is no such file, or it is wrong; file, line and key are named.
    """
    name = str(path)
    data = read_input(Path(), str(path))
    if data is None:
        raise InvalidInputError(
            f"there is no sweep file `{name}`",
            hint="name a YAML file with `method` and `parameters`",
        )
    value, lines = load_yaml_lines(data, name=name, float_tags=True)
    return parse_sweep_file(value, name=name, lines=lines, is_file=_is_file)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
