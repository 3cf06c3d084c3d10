"""Names of distribution files."""

import pytest

from repro.model.distfiles import DistFile, Target, fits, has_other_platform, parse_filename

LINUX = Target("cpython", "3.11.7", "Linux", "x86_64", "glibc 2.28")


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("foo_bar-1.0-py3-none-any.whl", "1.0"),
        ("Foo.Bar-1.0-1-py3-none-any.whl", "1.0"),
        ("foo-bar-1.0.tar.gz", "1.0"),
        ("foo_bar-1.0.post1.zip", "1.0.post1"),
    ],
)
def test_a_name_says_which_version_a_file_is_of(filename: str, version: str) -> None:
    found = parse_filename(filename, "foo-bar")

    assert found is not None
    assert found.version == version


@pytest.mark.parametrize(
    "filename",
    ["foo-1.0.tar.gz", "foo_bar-1.0.exe", "foo_bar-x-py3-none-any.whl", "foo_bar.whl", "", "-.zip"],
)
def test_other_files_are_none_of_it(filename: str) -> None:
    assert parse_filename(filename, "foo-bar") is None


@pytest.mark.parametrize(
    ("tags", "is_fit"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("py2-none-any", False),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("cp311-cp311-manylinux_2_34_x86_64", False),
        ("cp312-cp312-manylinux2014_x86_64", False),
        ("cp38-abi3-manylinux2014_x86_64", True),
        ("cp312-abi3-manylinux2014_x86_64", False),
        ("cp311-cp311-musllinux_1_1_x86_64", False),
        ("cp311-cp311-manylinux2014_aarch64", False),
        ("cp311-cp311-win_amd64", False),
        ("cp311-cp311-macosx_11_0_arm64", False),
        ("cp311-cp311t-manylinux2014_x86_64", False),
        ("cp311-none-linux_x86_64", True),
        ("pp311-pypy311_pp73-manylinux2014_x86_64", False),
    ],
)
def test_tags_say_whether_a_wheel_fits(tags: str, *, is_fit: bool) -> None:
    file = parse_filename(f"foo-1.0-{tags}.whl", "foo")

    assert file is not None
    assert fits(file, LINUX) is is_fit


def test_other_machines_have_other_wheels() -> None:
    mac = Target("cpython", "3.12.1", "Darwin", "arm64")
    musl = Target("cpython", "3.11.7", "Linux", "x86_64", "musl")
    pypy = Target("pypy", "3.10.14", "Linux", "x86_64", "glibc 2.28")
    free = Target("cpython", "3.13.1", "Linux", "x86_64", "glibc 2.28", is_free_threaded=True)

    assert fits(DistFile("1", ("cp312", "cp312", "macosx_11_0_universal2")), mac)
    assert not fits(DistFile("1", ("cp312", "cp312", "macosx_11_0_x86_64")), mac)
    assert fits(DistFile("1", ("cp311", "cp311", "musllinux_1_2_x86_64")), musl)
    assert not fits(DistFile("1", ("cp311", "cp311", "manylinux2014_x86_64")), musl)
    assert fits(DistFile("1", ("pp310", "pypy310_pp73", "manylinux2014_x86_64")), pypy)
    assert fits(DistFile("1", ("cp313", "cp313t", "manylinux2014_x86_64")), free)
    assert not fits(DistFile("1", ("cp313", "cp313", "manylinux2014_x86_64")), free)


def test_a_source_distribution_can_be_tried_anywhere() -> None:
    assert fits(DistFile("1", None), LINUX)
    assert not has_other_platform([DistFile("1", None)], LINUX)
    assert has_other_platform([DistFile("1", ("cp311", "cp311", "win_amd64"))], LINUX)
    assert not has_other_platform([DistFile("1", ("cp312", "cp312", "linux_x86_64"))], LINUX)
    assert not has_other_platform([], LINUX)
