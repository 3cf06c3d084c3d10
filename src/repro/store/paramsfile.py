"""The params files that `repro.yaml` names: YAML, JSON or TOML with a mapping at its top."""

from collections.abc import Callable, Sequence
from pathlib import Path

from repro.errors import InvalidInputError
from repro.model.canonical import Json, decode_json
from repro.model.config import merge_config, plain_value
from repro.model.kinds import name_kind
from repro.store.settings import FILE, read_input
from repro.store.yamlfile import MAX_DEPTH, load_yaml


def read_config_files(root: Path, names: Sequence[str]) -> dict[str, Json]:
    """Give the config of params files (YAML, JSON, TOML), later ones winning key by key.

    Args:
        root: What the names are relative to.
        names: As `Settings.config`.

    Raises:
        InvalidInputError: A file is absent, of another kind, wrong, or holds no mapping at its top.
    """
    return merge_config(*(_read(root, name) for name in names))


def _read(root: Path, name: str) -> dict[str, Json]:
    _find_parser(name)
    data = read_input(root, name)
    if data is None:
        raise InvalidInputError(
            f"there is no params file `{name}`",
            hint=f"create it, or take it out of `config:` in `{FILE}`",
        )
    return parse_config_file(data, name)


def parse_config_file(data: bytes, name: str) -> dict[str, Json]:
    """Give the config of a params file with the bytes `data`.

    Raises:
        InvalidInputError: As `read_config_files`.
    """
    value = _find_parser(name)(data, name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInputError(
            f"`{name}` line 1: the file must hold a mapping at its top, not {name_kind(value)}",
            hint="write it as `lr: 0.1`, one key a line",
        )
    return value


def _find_parser(name: str) -> Callable[[bytes, str], Json]:
    parse = _PARSERS.get(Path(name).suffix.lower())
    if parse is None:
        raise InvalidInputError(
            f"`{name}` is not a kind of params file that repro reads",
            hint=f"`config:` in `{FILE}` takes files ending in {_KINDS}",
        )
    return parse


def _parse_yaml(data: bytes, name: str) -> Json:
    return load_yaml(data, name=name)


def _parse_json(data: bytes, name: str) -> Json:
    try:
        return decode_json(data.removeprefix(b"\xef\xbb\xbf"), max_depth=MAX_DEPTH, nan=True)
    except ValueError as error:
        raise InvalidInputError(
            f"`{name}` is not JSON: {error}", hint="mend the file, then run the command again"
        ) from error


def _parse_toml(data: bytes, name: str) -> Json:
    # 4 ms of a 50 ms budget for `import repro`, and few projects keep params in TOML.
    import tomllib  # noqa: PLC0415

    try:
        return plain_value(tomllib.loads(data.decode("utf-8-sig")))
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            f"`{name}` is not TOML: {error}", hint="mend the file, then run the command again"
        ) from error


_PARSERS: dict[str, Callable[[bytes, str], Json]] = {
    ".yaml": _parse_yaml,
    ".yml": _parse_yaml,
    ".json": _parse_json,
    ".toml": _parse_toml,
}
_KINDS = ", ".join(f"`{ending}`" for ending in _PARSERS)
