"""Virtual environments with distributions in them, as installers leave them, without a network."""

import json
import venv
from pathlib import Path

from tests.support import write_files


def make_venv(root: Path) -> Path:
    """A virtual environment without anything in it; gives its interpreter."""
    venv.create(root, with_pip=False, symlinks=True)
    return root / "bin" / "python"


def site_of(python: Path) -> Path:
    """Where its packages are."""
    [site] = python.parent.parent.glob("lib/python*/site-packages")
    return site


def install(python: Path, name: str, version: str, origin: object = None) -> Path:
    """A distribution; gives the folder of its metadata."""
    folder = site_of(python) / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / "RECORD").write_text(f"{folder.name}/METADATA,,\n{folder.name}/RECORD,,\n")
    if origin is not None:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    return folder


def install_editable(python: Path, name: str, source: Path, *, roots: tuple[str, ...]) -> Path:
    """A distribution in place, by a `.pth` file with `roots`, which are relative to `source`."""
    origin = {"url": source.as_uri(), "dir_info": {"editable": True}}
    folder = install(python, name, "0.1", origin)
    pth = folder.parent / f"_editable_impl_{name.replace('-', '_')}.pth"
    pth.write_text("".join(f"{source / root}\n" for root in roots))
    with (folder / "RECORD").open("a") as record:
        record.write(f"{pth.name},sha256=x,9\n")
    return folder


def make_sibling(source: Path, code: str = "VALUE = 1\n") -> Path:
    """The source folder of a package `sibling` in `src`."""
    write_files(source, {"pyproject.toml": "[project]\n", "src/sibling/__init__.py": code})
    return source
