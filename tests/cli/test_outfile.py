"""A file is made where it was named, and nothing else is lost or said in a traceback."""

from pathlib import Path

import pytest

from repro.cli.outfile import check_target, write_target
from repro.errors import InvalidInputError, StorageError


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    link, target = tmp_path / "a.svg", tmp_path / "b.svg"
    link.symlink_to(target)

    check_target(link, force=False)
    write_target(link, b"1")
    with pytest.raises(InvalidInputError, match="is there already"):
        check_target(link, force=False)
    check_target(link, force=True)
    write_target(link, b"2")

    assert link.is_symlink()
    assert target.read_bytes() == b"2"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none/a.svg", "there is no folder"),
        ("folder.svg", "is no file that could be replaced"),
        ("x" * 300, "no file can be called"),
        ("circle/a.svg", "circle"),
    ],
)
def test_where_no_file_can_be_is_said_before_anything_is_made(
    tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")

    with pytest.raises(InvalidInputError, match=words):
        check_target(tmp_path / name, force=True)


@pytest.mark.parametrize("name", ["gone/a.svg", "x" * 250])
def test_a_file_that_cannot_be_made_is_an_error_with_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        write_target(tmp_path / name, b"")
