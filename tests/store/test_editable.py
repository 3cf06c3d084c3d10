"""Folders on `sys.path` by what editable installations write."""

from pathlib import Path

import pytest
from tests.support import write_files

from repro.store.editable import find_import_roots


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "my source"
    write_files(folder, {"src/demo/__init__.py": "", "src/one.py": "", "ns/demo/part/x.py": ""})
    return folder


def installed(tmp_path: Path, files: dict[str, str]) -> Path:
    site = tmp_path / "site"
    record = "".join(f"{name},sha256=x,1\n" for name in files)
    write_files(site, {**files, "demo-1.0.dist-info/RECORD": record + "demo/data.txt,,\n"})
    return site / "demo-1.0.dist-info"


def test_a_pth_file_names_folders(tmp_path, source):
    metadata = installed(
        tmp_path, {"_demo.pth": f"# a comment\n\n{source}/src\n{source}\n/absent\n"}
    )

    assert find_import_roots(metadata) == [source / "src", source]


def test_a_pth_file_of_another_distribution_does_not_count(tmp_path, source):
    metadata = installed(tmp_path, {"_demo.pth": f"{source}/src\n"})
    (metadata.parent / "other.pth").write_text(f"{source}\n")

    assert find_import_roots(metadata) == [source / "src"]


def test_the_finder_of_setuptools_is_read_and_never_executed(tmp_path, source):
    finder = f"""from __future__ import annotations
import sys
raise SystemExit("executed")
MAPPING: dict[str, str] = {{'demo': '{source}/src/demo', 'one': '{source}/src/one.py'}}
NAMESPACES: dict[str, list[str]] = {{'ns': [{str(source)!r}]}}
PATH_PLACEHOLDER = '__editable__.demo-1.0.finder' + ".__path_hook__"
"""
    metadata = installed(
        tmp_path,
        {
            "__editable__.demo-1.0.pth": "import __editable___demo_1_0_finder; x.install()\n",
            "__editable___demo_1_0_finder.py": finder,
        },
    )

    assert find_import_roots(metadata) == [source / "src"]


def test_a_dotted_name_counts_its_parts(tmp_path, source):
    mapping = f"MAPPING = {{'demo.part': {str(source / 'ns/demo/part')!r}}}\n"
    metadata = installed(tmp_path, {"d.pth": "import d_finder\n", "d_finder.py": mapping})

    assert find_import_roots(metadata) == [source / "ns"]


def test_the_finder_of_editables_is_read(tmp_path, source):
    code = (
        f"from editables import F\nF.map_module('demo', {str(source / 'src/demo/__init__.py')!r})\n"
    )
    metadata = installed(tmp_path, {"demo.pth": "import _demo\n", "_demo.py": code})

    assert find_import_roots(metadata) == [source / "src"]


@pytest.mark.parametrize(
    "code",
    [
        "MAPPING = {'demo': '/lib/other'}",
        "MAPPING = {'demo': 'relative/demo'}",
        "(((",
        "\0",
        "x = 1",
    ],
)
def test_another_arrangement_gives_no_folder(tmp_path, code):
    metadata = installed(tmp_path, {"demo.pth": "import _demo\n", "_demo.py": code})

    assert find_import_roots(metadata) == []


def test_a_distribution_without_a_list_of_files_gives_no_folder(tmp_path):
    assert find_import_roots(tmp_path / "absent-1.0.dist-info") == []
