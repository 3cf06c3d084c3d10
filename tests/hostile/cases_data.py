"""C01 to C20: manifests of datasets."""

from typing import Any

from repro.model.manifest import encode_name
from repro.store.hashing import digest_bytes
from tests.hostile.cases_records import files_of
from tests.hostile.making import FILE, FOLDER, Maker
from tests.hostile.table import Case, Elsewhere, Make, Row

X = "0" * 32


def _dataset(
    page: str | bytes, *, folders: dict[str, str] | None = None, tree: Any = None, **facts: Any
) -> Make:
    """A run with the dataset `d`, whose top page is this text, named by its true digest."""
    data = page.encode("utf-8", "surrogateescape") if isinstance(page, str) else page

    def make(maker: Maker, run_id: str) -> str:
        folder = tree(maker) if tree else maker.tree([(FILE, b".page", maker.blob(data))])
        digest = f"xxh3:{digest_bytes(data)}"
        values = {
            "path": "d",
            "kind": "folder",
            "digest": digest,
            "files": 1,
            "bytes": 1,
            "kept": False,
        }
        facts_of = {"d": {**values, **facts}}
        entries = [(FOLDER, b"data", maker.tree([(FOLDER, b"d", folder)]))]
        files = files_of(maker, run_id, data=facts_of)
        return maker.commit_record(files, maker.snapshot(maker.code), entries)

    return make


def _line(name: str) -> Make:
    return _dataset(f"file {X} 1 {name}\n")


def _bad(id_: str, what: str, says: str, *forms: Make, plain: Any = "refused") -> Case:
    return Case(id=id_, what=what, forms=forms, says=says, plain=plain)


def _nested(maker: Maker) -> tuple[str, bytes]:
    """Eight levels of ten folders each: 9 pages that stand for 10^8 folders."""
    page, files, folders, size = f"file {X} 1 a\n".encode(), 1, 0, 1
    tree = maker.tree([(FILE, b".page", maker.blob(page))])
    for _ in range(8):
        names = [f"{n}" for n in range(10)]
        digest = digest_bytes(page)
        lines = [f"dir {digest} {files} {folders} {size} {name}\n" for name in names]
        entries = [(FOLDER, name.encode(), tree) for name in names]
        page = "".join(lines).encode()
        tree = maker.tree([(FILE, b".page", maker.blob(page)), *entries])
        files, folders, size = files * 10, (folders + 1) * 10, size * 10
    return tree, page


def _bomb(maker: Maker, run_id: str) -> str:
    tree, page = _nested(maker)
    return _dataset(page, tree=lambda _: tree, files=10**8, bytes=10**8)(maker, run_id)


def _without_page(maker: Maker) -> str:
    return maker.tree([(FILE, b"other", maker.hello)])


_HEX = "0123456789abcdef" * 2
_DIGESTS = (
    "xxh3:../../x",
    "",
    f"xxh3:{_HEX[:-1]}",
    f"xxh3:{_HEX.upper()}",
    f"sha1:{_HEX}",
    f"xxh3:{'g' * 32}",
    None,
)

CASES: tuple[Row, ...] = (
    _bad(
        "C01",
        "`../../escaped.txt`, as a name and as the path of a dataset",
        "leads out|holds a slash|damaged",
        _line("%2E%2E/x"),
        _line("%2E."),
        _dataset("", path="../../x", files=0, bytes=0),
    ),
    _bad("C02", "`/tmp/abs` as a name", "damaged", _line("/tmp/abs"), _line("%2Ftmp%2Fabs")),
    Case(
        id="C02b",
        what="`/tmp/abs` as the path of a dataset",
        forms=(_dataset(f"file {X} 1 a\n", path="/tmp/abs"),),
        vetted="accepted",
        plain="either",
        then="shown; never written to",
    ),
    _bad(
        "C03",
        "`../.git/hooks/post-commit`",
        "leads out|holds a slash|damaged",
        _line("%2E%2E/%2Egit/hooks/post-commit"),
        _dataset("", path="../.git/hooks", files=0, bytes=0),
    ),
    _bad(
        "C04",
        "`.git/config`, and `.git` in all its spellings",
        "leads into|damaged",
        _line("%2Egit"),
        _line("git%7E1"),
        _line("%2EGIT."),
        _dataset("", path=".git/x", files=0, bytes=0),
    ),
    Case(
        id="C05",
        what="`.repro/trust`",
        forms=(
            _dataset(
                f"dir {digest_bytes(f'file {X} 1 trust{chr(10)}'.encode())} 1 0 1 %2Erepro\n",
                tree=lambda maker: _inner(maker, ".repro", f"file {X} 1 trust\n"),
            ),
        ),
        vetted="accepted",
        plain="either",
        then="a file like any other: nothing of repro's own is there",
    ),
    Elsewhere(
        id="C06",
        what="`link/x` where the code has `link` as a symbolic link (CVE-2025-26625)",
        outcome="refused in one line: a link is on the way to it",
        tests=("tests/hostile/test_restoring.py::test_no_dataset_is_written_through_a_link",),
    ),
    Elsewhere(
        id="C07",
        what="path of a tracked file, `train.py`",
        outcome="refused in one line: the code has a file there",
        tests=("tests/hostile/test_restoring.py::test_no_dataset_is_written_over_the_code",),
    ),
    _bad(
        "C08",
        "a name twice with two digests",
        "there twice",
        _dataset(f"file {X} 1 a\nfile {'1' * 32} 1 a\n", files=2, bytes=2),
    ),
    _bad(
        "C09",
        "`a` and `a/b`",
        "there twice|holds a slash|slash",
        _dataset(f"file {X} 1 a\ndir {X} 0 0 0 a\n"),
        _dataset(f"file {X} 1 a\nfile {X} 1 a/b\n", files=2, bytes=2),
    ),
    Case(
        id="C10",
        what="`A` and `a`",
        forms=(_dataset(f"file {X} 1 A\nfile {X} 1 a\n", files=2, bytes=2),),
        vetted="accepted",
        plain="either",
        then="two files where the disk holds them apart; else refused when they are written",
    ),
    _bad(
        "C11",
        "digest `../../x`, none, 31 digits, capitals, `sha1:…`, no hex, null",
        "digest|is not a text",
        *(_dataset("", digest=digest, files=0, bytes=0) for digest in _DIGESTS),
        _dataset("file ../../x 1 a\n"),
    ),
    _bad(
        "C12",
        'size -1, 2^63, 1.5, `"10"`, off by one',
        "`bytes`|no size|does not hold|damaged|is not an integer",
        *(_dataset(f"file {X} 1 a\n", bytes=size) for size in (-1, 2**63, 1.5, "10", 2)),
        *(_dataset(f"file {X} {size} a\n") for size in (-1, 2**63, 1.5, "01")),
    ),
    Elsewhere(
        id="C13",
        what="bytes with the xxh3 of others, but another sha256",
        outcome="refused: what is kept, sent or received is believed for its sha256 only",
        tests=("tests/core/test_transfer.py::test_a_damaged_object_of_the_store_never_comes_in",),
    ),
    _bad(
        "C14",
        "a page as a file, a file as a page, a run commit as a page",
        "damaged|no file|not a tree|no manifest|is no entry|missing|is no folder",
        _dataset(b"\x89PNG\r\n\x1a\n"),
        _dataset("", tree=lambda maker: maker.tree([(FOLDER, b".page", maker.code)])),
        _dataset("", tree=lambda maker: maker.hello),
    ),
    Elsewhere(
        id="C15",
        what="page that names itself, or two that name each other",
        outcome="refused: a page says how many folders are below it, so none can hold itself",
        tests=("tests/store/test_pages.py::test_a_record_that_was_tampered_with_is_refused",),
    ),
    _bad(
        "C16",
        "10^8 folders in 9 pages; 2·10^9 files in one line",
        "in [0-9,]+ lines|more than the limit|more than 1,000,000,000|not the one",
        _bomb,
        _dataset(f"dir {X} 2000000000 0 1 a\n", files=2000000000),
        plain="either",
    ),
    _bad(
        "C17",
        "a count that is wrong, a last line cut short, pages that are missing",
        "does not hold|cut short|missing",
        _dataset(f"file {X} 1 a\n", files=5),
        _dataset(f"file {X} 1 a"),
        _dataset(f"dir {X} 1 0 1 a\n"),
        _dataset("", tree=_without_page),
    ),
    _bad(
        "C18",
        "NUL, newline, a component of 5,000 bytes",
        "damaged",
        _line("a%00b"),
        _line("a\0b"),
        _line("a\nb"),
        _line("n" * 5000),
    ),
    _bad(
        "C19",
        "types `fifo`, `device`, `hardlink:/etc/passwd`, mode 06777",
        "no entry|damaged",
        *(
            _dataset(f"{kind} {X} 1 a\n")
            for kind in ("fifo", "device", "hardlink:/etc/passwd", "06777")
        ),
    ),
    _bad(
        "C20",
        "`url: file:///etc/passwd`, `http://169.254.169.254/…`, `ext::…` in a page",
        "no entry|damaged",
        _dataset("url file:///etc/passwd a\n"),
        _dataset("file http://169.254.169.254/ 1 a\n"),
        _dataset("ext::sh -c touch a\n"),
    ),
    Case(
        id="C20b",
        what="the same as keys of `data.json`",
        forms=(
            _dataset(
                f"file {X} 1 a\n", url="http://169.254.169.254/", remote="ext::sh -c 'touch CANARY'"
            ),
        ),
        vetted="accepted",
        plain="either",
        then="keys nobody reads: where bytes come from is only in the user's own configuration",
    ),
)


def _inner(maker: Maker, name: str, page: str) -> str:
    inner = maker.tree([(FILE, b".page", maker.blob(page.encode()))])
    top = f"dir {digest_bytes(page.encode())} 1 0 1 {encode_name(name)}\n".encode()
    return maker.tree(
        [(FOLDER, encode_name(name).encode(), inner), (FILE, b".page", maker.blob(top))]
    )
