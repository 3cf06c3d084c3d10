"""Datasets of somebody else's run that would be written through a link, or over the code."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from repro.cli.main import run_cli
from repro.store.content import ContentStore
from repro.store.hashing import digest_bytes
from tests.hostile.cases_records import files_of
from tests.hostile.making import FILE, FOLDER, LINK, Entry, Maker
from tests.support import git
from tests.support.projects import open_here
from tests.support.records import run_id

RUN = run_id("harm")
EVIL = b"evil"


def _write(root: Path, code: Sequence[tuple[bytes, bytes, bytes]], path: str) -> None:
    """A run with this code and one kept file `x` as the dataset at `path`, as git fetched it."""
    digest = ContentStore(open_here(root).store).put_bytes(EVIL)
    maker = Maker(root / ".git/objects", git(root, "rev-parse", "HEAD"))
    page = f"file {digest_bytes(EVIL)} {len(EVIL)} x\n".encode()
    vouchers = f"{digest.removeprefix('sha256:')}  x\n".encode()
    pages: list[Entry] = [
        (FILE, b".page", maker.blob(page)),
        (FILE, b".sha256", maker.blob(vouchers)),
    ]
    facts = {"path": path, "kind": "folder", "digest": f"xxh3:{digest_bytes(page)}"}
    data = {"d": {**facts, "files": 1, "bytes": len(EVIL), "kept": True}}
    folder = maker.tree([(FOLDER, b"d", maker.tree(pages))])
    tree = maker.tree([(mode, name, maker.blob(content)) for mode, name, content in code])
    snapshot = maker.snapshot(tree)
    files = files_of(maker, RUN, data=data)
    files["run.json"] = files["run.json"].replace(
        maker.snapshot(maker.code).encode(), snapshot.encode()
    )
    commit = maker.commit_record(files, snapshot, [(FOLDER, b"data", folder)])
    maker.flush()
    git(root, "update-ref", f"refs/repro/runs/{RUN}", commit)


def _refuses(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = root.parent / "out"
    for words in (["--data", RUN], ["--data", "-w", str(out), RUN]):
        assert run_cli(["checkout", *words]) in (1, 128)
        assert "Traceback" not in capsys.readouterr().err
    assert not [path for path in root.parent.rglob("x") if path.is_file()]


@pytest.mark.parametrize(
    ("code", "path"),
    [
        (((LINK, b"a", b"b"), (LINK, b"b", b"..")), "a/y"),
        (((LINK, b"link", b"../canary"),), "link"),
        (((LINK, b"link", b"../canary"),), "link/y"),
        (((LINK, b"link", b".git/hooks"),), "link"),
    ],
)
def test_no_dataset_is_written_through_a_link(
    repository: Path, capsys: pytest.CaptureFixture[str], code, path: str
) -> None:
    (repository.parent / "canary").mkdir()
    _write(repository, code, path)
    _refuses(repository, capsys)


def test_no_dataset_is_written_over_the_code(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(repository, ((FILE, b"train.py", b"print('hello')\n"),), "train.py")
    _refuses(repository, capsys)
    assert (repository / "train.py").read_text() == "print('hello')\n"
