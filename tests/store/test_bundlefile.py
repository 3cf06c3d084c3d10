"""Headers of bundles: read as git wrote them, refused when they are anything else."""

from pathlib import Path

import pytest
from tests.support import git

from repro.errors import DamagedRecordError, InvalidInputError, NewerFormatError, ReproError
from repro.store.bundlefile import read_header

OID = "a" * 40


def made(repository: Path) -> Path:
    target = repository.parent / "x.bundle"
    git(repository, "bundle", "create", "-q", str(target), "HEAD", "main")
    return target


def test_a_bundle_of_git_says_its_refs(repository: Path) -> None:
    git(repository, "branch", "-M", "main")
    head = git(repository, "rev-parse", "HEAD")

    header = read_header(made(repository))

    assert header.refs == {"HEAD": head, "refs/heads/main": head}
    assert (header.prerequisites, header.object_format) == ((), "sha1")


def test_what_a_bundle_needs_is_told(repository: Path) -> None:
    git(repository, "branch", "-M", "main")
    base = git(repository, "rev-parse", "HEAD")
    git(repository, "commit", "-q", "--allow-empty", "-m", "two")
    target = repository.parent / "x.bundle"
    git(repository, "bundle", "create", "-q", str(target), f"{base}..main")

    assert read_header(target).prerequisites == (base,)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", InvalidInputError),
        (b"PK\x03\x04", InvalidInputError),
        (b"# v2 git bundle", InvalidInputError),
        (b"# v9 git bundle\n", NewerFormatError),
        (b"# v\xff git bundle\n", NewerFormatError),
        (b"# v3 git bundle\n@mystery=1\n\n", NewerFormatError),
        (b"# v2 git bundle\n", DamagedRecordError),
        (b"# v2 git bundle\n" + OID.encode(), DamagedRecordError),
        (b"# v2 git bundle\nnonsense\n\n", DamagedRecordError),
        (b"# v2 git bundle\n../../x refs/heads/a\n\n", DamagedRecordError),
        (b"# v2 git bundle\n" + b"x" * (3 << 20) + b"\n\n", DamagedRecordError),
    ],
)
def test_anything_else_is_refused_by_name(
    tmp_path: Path, data: bytes, error: type[ReproError]
) -> None:
    target = tmp_path / "bad.bundle"
    target.write_bytes(data)
    with pytest.raises(error, match=r"bad\.bundle"):
        read_header(target)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read: No such file"):
        read_header(tmp_path / "gone")


def test_a_header_that_is_cut_anywhere_is_refused(repository: Path) -> None:
    git(repository, "branch", "-M", "main")
    whole = made(repository).read_bytes()
    end = whole.index(b"\n\n") + 2
    cut = repository.parent / "cut.bundle"
    for length in range(end):
        cut.write_bytes(whole[:length])
        with pytest.raises(ReproError):
            read_header(cut)
    cut.write_bytes(whole[:end])
    assert read_header(cut).refs
