"""Which folders an editable installation put on `sys.path`, read from the files it wrote.

Nothing of these is executed: a `.pth` file is a list of folders, and a finder, which is code,
holds its folders as literals.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_IMPORTS = re.compile(r"import[ \t]+([A-Za-z_][A-Za-z0-9_]*)")
_LARGEST = 1 << 20  # bytes read of one file


def find_import_roots(metadata: Path) -> list[Path]:
    """Give the folders that an editable distribution is imported from, absolute, each once.

    Known are `.pth` files with folders (hatchling, setuptools, poetry, flit, pdm, maturin), and
    the finders of setuptools, `editables` and scikit-build-core, where the folder of a package
    bears its name. Another arrangement gives none.

    Args:
        metadata: The folder `<name>-<version>.dist-info`.

    Source: PEP 660, "Editable installs for pyproject.toml based builds", 2021.
    """
    site = metadata.parent
    roots: dict[Path, None] = {}
    for name in _installed(metadata):
        if name.endswith(".pth"):
            for line in _read(site / name).splitlines():
                roots.update(dict.fromkeys(_roots_of_line(site, line.strip())))
    return list(roots)


def _installed(metadata: Path) -> Iterator[str]:
    """The names that the installation wrote straight into `site-packages`."""
    for line in _read(metadata / "RECORD").splitlines():
        name = line.split(",")[0].strip('"')
        if name and "/" not in name:
            yield name


def _roots_of_line(site: Path, line: str) -> Iterator[Path]:
    if not line or line.startswith("#"):
        return
    match = _IMPORTS.match(line)
    if match is None:
        if (folder := site / line).is_dir():
            yield folder
        return
    text = _read(site / f"{match[1]}.py")
    if text:
        yield from _roots_of_finder(text)


def _roots_of_finder(text: str) -> Iterator[Path]:
    """The folders above the packages that a finder maps names to."""
    # Here, for few distributions have a finder, and importing it takes milliseconds.
    import ast  # noqa: PLC0415

    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        pairs = []
        if isinstance(node, ast.Dict):
            pairs = list(zip(node.keys, node.values, strict=True))
        elif isinstance(node, ast.Call) and len(node.args) == 2:  # map_module("demo", "/src/demo")
            pairs = [(node.args[0], node.args[1])]
        for key, value in pairs:
            root = _root(_text(key), _text(value))
            if root is not None:
                yield root


def _text(node: object) -> str:
    value = getattr(node, "value", None)
    return value if isinstance(value, str) else ""


def _root(name: str, path: str) -> Path | None:
    """The folder that has the package `name` at `path`; None where `path` is not called so."""
    if not name or not path.startswith("/"):
        return None
    place = PurePosixPath(path)
    if place.name == "__init__.py":
        place = place.parent
    parts = name.split(".")
    ends = [*place.parts[-len(parts) : -1], place.name.partition(".")[0]]
    return Path(*place.parts[: -len(parts)]) if ends == parts else None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode(errors="replace")
    except (OSError, ValueError):
        return ""
