"""Distributions by the names of their metadata folders."""

import json
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.store.packages import (
    Package,
    find_version,
    normalise_name,
    parse_origin,
    scan_packages,
)


def install(site: Path, entry: str, origin: object = None, version: str | None = None) -> Path:
    folder = site / entry
    folder.mkdir(parents=True)
    if origin is not None:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    if version is not None:
        name = "PKG-INFO" if entry.endswith(".egg-info") else "METADATA"
        (folder / name).write_text(f"Metadata-Version: 2.1\nName: x\nVersion: {version}\n\ntext\n")
    return folder


def scanned(*sites: Path) -> dict[str, str]:
    return {package.name: package.version for package in scan_packages(map(str, sites))}


def test_the_real_environment_is_what_importlib_says():
    site = sysconfig.get_path("purelib")

    theirs = {
        normalise_name(one.metadata["Name"]): one.version
        for one in metadata.distributions(path=[site])
    }

    assert theirs == scanned(Path(site))
    assert "pytest" in theirs


@pytest.mark.parametrize(
    ("entry", "name", "version"),
    [
        ("numpy-1.26.4.dist-info", "numpy", "1.26.4"),
        ("ruamel.yaml-0.17.21.dist-info", "ruamel-yaml", "0.17.21"),
        ("Flask_SQLAlchemy-3.0.dist-info", "flask-sqlalchemy", "3.0"),
        ("torch-2.1.0+cpu.dist-info", "torch", "2.1.0+cpu"),
        ("pytz-1!2023.3.post1.dist-info", "pytz", "1!2023.3.post1"),
        ("old-name-1.0.dist-info", "old-name", "1.0"),
        ("PyYAML-6.0-py3.11.egg-info", "pyyaml", "6.0"),
        ("pyzmq-22.0-py3.8-linux-x86_64.egg-info", "pyzmq", "22.0"),
        ("six-1.16.0-py2.7.egg", "six", "1.16.0"),
    ],
)
def test_name_and_version_are_read_from_the_folder_name(tmp_path, entry, name, version):
    install(tmp_path, entry)

    assert [Package(name, version)] == scan_packages([str(tmp_path)])


@pytest.mark.parametrize("entry", ["demo.egg-info", "demo.dist-info"])
def test_a_version_that_is_not_in_the_name_is_read_from_the_metadata(tmp_path, entry):
    install(tmp_path, entry, version="0.3.dev1")

    assert scanned(tmp_path) == {"demo": "0.3.dev1"}


def test_an_egg_info_that_is_a_file_is_read(tmp_path):
    (tmp_path / "demo.egg-info").write_text("Metadata-Version: 1.0\nName: demo\nVersion: 4\n")

    assert scanned(tmp_path) == {"demo": "4"}


def test_a_distribution_that_says_nothing_has_no_version(tmp_path):
    install(tmp_path, "demo.egg-info")

    assert scanned(tmp_path) == {"demo": ""}


def test_the_first_folder_of_the_path_wins(tmp_path):
    install(tmp_path / "a", "numpy-2.0.dist-info")
    install(tmp_path / "b", "NumPy-1.0.dist-info")

    assert scanned(tmp_path / "a", tmp_path / "b") == {"numpy": "2.0"}


def test_what_pip_left_of_a_failed_uninstall_does_not_count(tmp_path):
    install(tmp_path, "~umpy-1.0.dist-info")

    assert scanned(tmp_path) == {}


def test_folders_that_cannot_be_read_are_passed_over(tmp_path):
    install(tmp_path / "site", "numpy-2.0.dist-info")
    (tmp_path / "python311.zip").write_bytes(b"")

    assert scanned(tmp_path / "absent", tmp_path / "python311.zip", tmp_path / "site") == {
        "numpy": "2.0"
    }


def test_names_come_sorted(tmp_path):
    for name in ("zope", "attrs", "Babel"):
        install(tmp_path, f"{name}-1.dist-info")

    assert list(scanned(tmp_path)) == ["attrs", "babel", "zope"]


def test_a_source_folder_put_on_the_path_by_develop_is_editable(tmp_path):
    source = tmp_path / "my code"
    install(source, "demo.egg-info", version="1.0")
    site = tmp_path / "site"
    site.mkdir()
    (site / "demo.egg-link").write_text(f"{source}\n.")

    [package] = scan_packages([str(site), str(source)])

    assert Package("demo", "1.0", {"editable": True, "url": source.as_uri()}) == package


def test_one_version_is_found_by_name(tmp_path):
    install(tmp_path, "git_repro-0.1.0.dist-info")

    assert find_version([str(tmp_path)], "git-repro") == "0.1.0"
    assert find_version([str(tmp_path)], "git") is None


@pytest.mark.parametrize(
    ("said", "origin"),
    [
        (
            {"url": "file:///home/ada/demo", "dir_info": {"editable": True}},
            {"url": "file:///home/ada/demo", "editable": True},
        ),
        ({"url": "file:///home/ada/demo", "dir_info": {}}, {"url": "file:///home/ada/demo"}),
        (
            {
                "url": "https://github.com/ada/demo.git",
                "vcs_info": {"vcs": "git", "commit_id": "7a3f", "requested_revision": "main"},
                "subdirectory": "python",
            },
            {
                "url": "https://github.com/ada/demo.git",
                "vcs": "git",
                "commit": "7a3f",
                "revision": "main",
                "subdirectory": "python",
            },
        ),
        (
            {"url": "file:///w/demo.whl", "archive_info": {"hashes": {"sha256": "ab"}}},
            {"url": "file:///w/demo.whl", "hash": "sha256:ab"},
        ),
        (
            {"url": "https://e.org/d.whl", "archive_info": {"hash": "sha256=ab"}},
            {"url": "https://e.org/d.whl", "hash": "sha256:ab"},
        ),
    ],
)
def test_an_origin_says_where_a_distribution_came_from(tmp_path, said, origin):
    install(tmp_path, "demo-1.0.dist-info", said)

    assert [Package("demo", "1.0", origin)] == scan_packages([str(tmp_path)])


def test_an_origin_has_no_credentials():
    said = {"url": "https://ada:s3cret@pypi.example.org/demo.whl", "archive_info": {}}

    origin = parse_origin(json.dumps(said).encode())

    assert origin is not None
    assert "s3cret" not in json.dumps(origin)
    assert "pypi.example.org/demo.whl" in str(origin["url"])


@pytest.mark.parametrize(
    "data",
    [b"{", b"[]", b"null", b'{"url": 3}', b"\xff\xfe", b"[" * 100_000, b'"url"', b'{"u": "x"}'],
)
def test_what_is_no_origin_is_none(data):
    assert parse_origin(data) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {"url": st.text()},
        optional=dict.fromkeys(("dir_info", "vcs_info", "archive_info", "subdirectory"), _JSON),
    )
)
def test_any_origin_is_read_without_an_error(said):
    parse_origin(json.dumps(said).encode())
