"""A01 to A70: trees of code that a checkout could trip over."""

from tests.hostile.making import EXEC, FILE, FOLDER, GITLINK, LINK, Maker
from tests.hostile.table import Case, Elsewhere, Make, Row

ABSENT = "1234567890123456789012345678901234567890"


def _code(*entries: tuple[bytes, bytes, bytes | list]) -> Make:
    """A run whose code is these entries, in this order; a list is a folder of more of them."""
    return lambda maker, run_id: maker.run(run_id, code=_tree(maker, list(entries)))


def _tree(maker: Maker, entries: list) -> str:
    made = []
    for mode, name, content in entries:
        oid = _tree(maker, content) if isinstance(content, list) else maker.blob(content)
        made.append((mode, name, oid))
    return maker.tree(made)


def _named(name: bytes) -> tuple[Make, ...]:
    """The name as a file and as a folder with a hook in it."""
    hooks = [(FOLDER, b"hooks", [(EXEC, b"post-checkout", b"#!/bin/sh\ntouch CANARY\n")])]
    return _code((FILE, name, b"gitdir: /elsewhere\n")), _code((FOLDER, name, hooks))


def _forbidden(id_: str, what: str, name: bytes, says: str) -> Case:
    return Case(id=id_, what=what, forms=_named(name), says=says)


def _kept(id_: str, what: str, then: str, *forms: Make) -> Case:
    return Case(id=id_, what=what, forms=forms, vetted="accepted", plain="written", then=then)


def _raw(*entries: tuple[bytes, bytes, str]) -> Make:
    """A run whose code is entries of object ids that stand for nothing else."""
    return lambda maker, run_id: maker.run(run_id, code=maker.tree(entries))


def _bomb(maker: Maker, run_id: str) -> str:
    tree = maker.code
    for _ in range(10):
        tree = maker.tree([(FOLDER, b"%d" % n, tree) for n in range(10)])
    return maker.run(run_id, code=tree)


def _deep(levels: int) -> Make:
    def make(maker: Maker, run_id: str) -> str:
        tree = maker.code
        for _ in range(levels):
            tree = maker.tree([(FOLDER, b"d", tree)])
        return maker.run(run_id, code=tree)

    return make


def _cut(maker: Maker, run_id: str) -> str:
    whole = maker.read(maker.tree([(FILE, b"a", maker.hello), (FILE, b"b", maker.hello)]))
    return maker.run(run_id, code=maker.write("tree", whole[:-3]))


def _zeros(maker: Maker, run_id: str) -> str:
    return maker.run(run_id, code=maker.tree([(FILE, b"zeros", maker.two_gib_of_zeros())]))


def _many_names(maker: Maker, run_id: str) -> str:
    entry = bytes.fromhex(maker.hello)
    names = b"".join(b"100644 %07d\0%b" % (n, entry) for n in range(1_000_000))
    return maker.run(run_id, code=maker.write("tree", names))


_OUT = b"../../../canary"
_LINKED = "made as a link, as git does; nobody follows it or writes through it"
_SHOWN = "written as it is, shown escaped"
_WORDS = "a name like any other: no shell, and `--` before paths"
_ATTRIBUTES = (
    b"* filter=canary diff=canary merge=canary text eol=crlf working-tree-encoding=UTF-16\n"
)
_MODULES = b'[submodule "m"]\n\tpath = m\n\turl = %b\n'

CASES: tuple[Row, ...] = (
    _forbidden("A01", "name `.`", b".", "empty component"),
    _forbidden("A02", "name `..`", b"..", "leads out of its folder"),
    _forbidden(
        "A03", "`.git` as a file, `gitdir: /elsewhere`, or a folder", b".git", "leads into `.git`"
    ),
    Case(
        id="A04",
        what="folder `.git` with `hooks/post-checkout`, one folder down too",
        forms=(_named(b".git")[1], _code((FOLDER, b"a", [(FOLDER, b".git", [])]))),
        says="leads into `.git`",
    ),
    _forbidden("A05", "`.GIT`", b".GIT", "leads into `.git`"),
    _forbidden("A06", "`.Git`", b".Git", "leads into `.git`"),
    _forbidden("A07", "`git~1`, what NTFS calls `.git`", b"git~1", "leads into `.git`"),
    _forbidden("A08", "`GIT~1`", b"GIT~1", "leads into `.git`"),
    _forbidden("A09", "`.git` and a space", b".git ", "leads into `.git`"),
    _forbidden("A10", "`.git.`", b".git.", "leads into `.git`"),
    _forbidden("A11", "`.git...`", b".git...", "leads into `.git`"),
    _forbidden("A12", "`.git::$INDEX_ALLOCATION`", b".git::$INDEX_ALLOCATION", "leads into `.git`"),
    _forbidden("A13", "`.git:x`, a stream of NTFS", b".git:x", "leads into `.git`"),
    _forbidden("A14", "`.git\\hooks`", b".git\\hooks", "leads into `.git`"),
    _forbidden(
        "A15",
        "`.g<U+200C>it`, what HFS+ reads as `.git`",
        ".g\u200cit".encode(),
        "leads into `.git`",
    ),
    _forbidden("A16", "`.gi<U+200C>t`", ".gi\u200ct".encode(), "leads into `.git`"),
    Case(
        id="A17",
        what="submodule named `.git`",
        forms=(_raw((GITLINK, b".git", ABSENT)),),
        says="leads into `.git`",
    ),
    _forbidden("A18", "one name `a/b`", b"a/b", "one name with a slash"),
    _forbidden("A19", "one name `a/../../b`", b"a/../../b", "one name with a slash"),
    _forbidden("A20", "one name `../x`", b"../x", "one name with a slash"),
    _forbidden("A21", "one name `/etc/x`", b"/etc/x", "one name with a slash"),
    _forbidden(
        "A22",
        "one name `.git/hooks/post-checkout`",
        b".git/hooks/post-checkout",
        "one name with a slash",
    ),
    _forbidden("A23", "no name", b"", "empty|malformed|bad"),
    _forbidden("A24", "name of 256 bytes", b"n" * 256, "more than 255 bytes"),
    _forbidden("A25", "name of 4,097 bytes", b"n" * 4097, "more than 255 bytes|largePathname"),
    Case(
        id="A26",
        what="entries out of order",
        forms=(_code((FILE, b"b", b""), (FILE, b"a", b"")),),
        plain="written",
        then="git writes the files; order is only in the tree",
        says="treeNotSorted",
    ),
    Case(
        id="A27",
        what="a name twice",
        forms=(_code((FILE, b"a", b"1"), (FILE, b"a", b"2")),),
        plain="written",
        then="git writes one of the two",
        says="duplicateEntries",
    ),
    Case(
        id="A28",
        what="link `a` that leads out, and folder `a` (CVE-2021-21300)",
        forms=(_code((LINK, b"a", _OUT), (FOLDER, b"a", [(FILE, b"x", b"evil")])),),
        says="differs only in case",
    ),
    Case(
        id="A29",
        what="link `A` that leads out, and folder `a`; the same with `É` in two normal forms",
        forms=(
            _code((LINK, b"A", _OUT), (FOLDER, b"a", [(FILE, b"x", b"evil")])),
            _code(
                (FOLDER, "e\u0301".encode(), [(FILE, b"x", b"e")]), (LINK, "\u00e9".encode(), _OUT)
            ),
        ),
        says="differs only in case",
    ),
    _kept(
        "A30",
        "`File` and `file`",
        "two files where the disk holds them apart, as in the source of Linux; else git says so",
        _code((FILE, b"File", b"1"), (FILE, b"file", b"2")),
    ),
    _kept(
        "A31",
        "`é` in two normal forms",
        "as A30",
        _code((FILE, "e\u0301".encode(), b"1"), (FILE, "\u00e9".encode(), b"2")),
    ),
    _forbidden("A32", "`..\\x`", b"..\\x", "leads out"),
    _forbidden("A33", "`a\\..\\..\\b`", b"a\\..\\..\\b", "leads out"),
    _kept(
        "A34",
        "`C:\\x`, `C:x`",
        "a name like any other on Linux and macOS",
        *_named(b"C:\\x"),
        *_named(b"C:x"),
    ),
    _kept(
        "A35",
        "`aux`, `con.txt`, `nul`, `COM1`",
        "names like any other on Linux and macOS",
        *(form for name in (b"aux", b"con.txt", b"nul", b"COM1") for form in _named(name)),
    ),
    _kept("A36", "`git~2`", "a name like any other", *_named(b"git~2")),
    Case(
        id="A37",
        what="mode 104755, setuid",
        forms=(_code((b"104755", b"a", b"")),),
        says="has the mode 104755",
    ),
    Case(
        id="A38",
        what="mode 140000, a socket",
        forms=(_code((b"140000", b"a", b"")),),
        says="has the mode 140000",
        plain="either",
    ),
    Case(
        id="A39",
        what="mode 000000",
        forms=(_code((b"0", b"a", b"")),),
        says="has the mode 0|badFilemode|zeroPadded|NullMode",
        plain="either",
    ),
    Case(
        id="A40",
        what="mode `9z9`",
        forms=(_code((b"9z9", b"a", b"")),),
        says="malformed|mode|cannot read",
    ),
    _kept(
        "A41",
        "mode `0100644`",
        "what an old git wrote: it means `100644`",
        _code((b"0100644", b"a", b"")),
    ),
    Case(
        id="A42",
        what="folder that is a blob",
        forms=(lambda maker, run_id: _raw((FOLDER, b"a", maker.hello))(maker, run_id),),
        says="not a tree|not a valid|is no folder|expected type",
    ),
    Case(
        id="A43",
        what="file that is a folder",
        forms=(lambda maker, run_id: _raw((FILE, b"a", maker.code))(maker, run_id),),
        says="expected type|not a blob",
    ),
    Case(
        id="A44",
        what="file, folder or link that is missing",
        forms=tuple(_raw((mode, b"a", ABSENT)) for mode in (FILE, FOLDER, LINK)),
        says="missing|did not receive|could not|bad",
    ),
    Case(
        id="A45",
        what="tree cut short by 3 bytes",
        forms=(_cut,),
        says="too-short|truncated|malformed|cannot read|corrupt",
    ),
    _kept(
        "A46",
        "link to `/etc/passwd`",
        f"{_LINKED}: `data -> /mnt/data` is common",
        _code((LINK, b"a", b"/etc/passwd")),
    ),
    _kept("A47", "link to `../../../outside`", _LINKED, _code((LINK, b"a", _OUT))),
    Elsewhere(
        id="A48",
        what="`a -> b`, `b -> ..`, then a dataset in `a/x`",
        outcome="the dataset is refused in one line: a link is on the way to it",
        tests=("tests/hostile/test_restoring.py::test_no_dataset_is_written_through_a_link",),
    ),
    _kept("A49", "link to itself", _LINKED, _code((LINK, b"l", b"l"))),
    _kept("A50", "link to `.git/config`", _LINKED, _code((LINK, b"l", b".git/config"))),
    Case(
        id="A51",
        what="link to `/etc<NUL>/passwd`",
        forms=(_code((LINK, b"l", b"/etc\0/passwd")),),
        says="no path can be",
    ),
    Case(
        id="A52",
        what="link to 5,000 bytes",
        forms=(_code((LINK, b"l", b"x" * 5000)),),
        says="longer than|symlinkTargetLength",
    ),
    Case(
        id="A53", what="link to nothing", forms=(_code((LINK, b"l", b"")),), says="no path can be"
    ),
    _kept(
        "A54",
        "`.gitattributes` as a link",
        "a link that neither git nor repro reads through",
        _code((LINK, b".gitattributes", b"real"), (FILE, b"real", _ATTRIBUTES)),
    ),
    Case(
        id="A55",
        what="`.gitignore` as a link; `.gitmodules` as a link is refused",
        forms=(_code((LINK, b".gitignore", b"real"), (FILE, b"real", b"*.py\n")),),
        vetted="accepted",
        plain="written",
        then="as A54",
    ),
    Case(
        id="A55b",
        what="`.gitmodules` as a link",
        forms=(_code((LINK, b".gitmodules", b"/etc/passwd")),),
        says="gitmodulesSymlink",
        plain="either",
    ),
    _kept(
        "A56",
        "`.gitattributes` with `* filter=…` for the drivers of the user",
        "what the user set up for a driver, such as LFS, runs as at any `git checkout`; a run brings none",
        _code(
            (FILE, b".gitattributes", b"* filter=canary diff=canary merge=canary\n"),
            (FILE, b"a", b"1\n"),
        ),
    ),
    Case(
        id="A57",
        what="`.gitmodules` with the URL `--upload-pack=touch x`, `ext::sh -c …` and a submodule",
        forms=(
            _code((FILE, b".gitmodules", _MODULES % b"--upload-pack=touch CANARY")),
            _code(
                (
                    FILE,
                    b".gitmodules",
                    b'[submodule "m"]\n\tpath = --evil\n\turl = https://example.org\n',
                )
            ),
            _code(
                (
                    FILE,
                    b".gitmodules",
                    b'[submodule "../../x"]\n\tpath = m\n\turl = https://example.org\n',
                )
            ),
        ),
        says="gitmodules(Url|Path|Name)",
        plain="written",
        then="submodules are never initialised",
    ),
    _kept(
        "A57b",
        "`.gitmodules` with `ext::sh -c …`",
        "submodules are never initialised",
        _code((FILE, b".gitmodules", _MODULES % b"ext::sh -c 'touch CANARY'")),
    ),
    _kept(
        "A58",
        "`.gitmodules` with a path that ends in a carriage return (CVE-2025-48384)",
        "submodules are never initialised",
        _code(
            (
                FILE,
                b".gitmodules",
                b'[submodule "m"]\n\tpath = "m\r"\n\turl = https://example.org/m\n',
            )
        ),
    ),
    _kept(
        "A59",
        "a bare repository as a folder of the code, `core.fsmonitor` set in it",
        "files like any other: git is never run in it",
        _code(
            (
                FOLDER,
                b"bare.git",
                [
                    (FILE, b"HEAD", b"ref: refs/heads/main\n"),
                    (FILE, b"config", b"[core]\n\tbare = true\n\tfsmonitor = touch CANARY\n"),
                    (FOLDER, b"objects", [(FILE, b"x", b"")]),
                    (FOLDER, b"refs", [(FILE, b"x", b"")]),
                ],
            )
        ),
    ),
    Case(
        id="A60",
        what="10 levels of 10 folders: 12 objects, 10^10 files",
        forms=(_bomb,),
        says="more than the limit of 2,000,000",
    ),
    Case(
        id="A61",
        what="2 GiB of zeros, an object of 2 MB",
        forms=(_zeros,),
        says="more than the limit of 1,073,741,824",
    ),
    Case(id="A62", what="10^6 files in one folder", forms=(_many_names,), says="16 MiB of names"),
    Case(
        id="A63",
        what="5,000 folders in each other",
        forms=(_deep(5000),),
        says="more than the limit of 256|exceeds maximum",
    ),
    _kept(
        "A64",
        "names with a newline, tab, carriage return, `ESC[31m`",
        _SHOWN,
        _code(
            (FILE, b"a\nb", b""),
            (FILE, b"c\td", b""),
            (FILE, b"e\rf", b""),
            (FILE, b"g\x1b[31mh", b""),
        ),
    ),
    _kept("A65", "name `<FF><FE>`, no UTF-8", _SHOWN, _code((FILE, b"\xff\xfe", b""))),
    _kept("A66", "name `<U+202E>txt.exe`", _SHOWN, _code((FILE, "\u202etxt.exe".encode(), b""))),
    _kept(
        "A67", "names `-rf`, `--help`", _WORDS, _code((FILE, b"--help", b""), (FILE, b"-rf", b""))
    ),
    _kept(
        "A68",
        "names `$(id)`, `` `id` ``, `~`, `%s%n`",
        _WORDS,
        _code(
            (FILE, b"$(touch CANARY)", b""),
            (FILE, b"%s%n", b""),
            (FILE, b"`id`", b""),
            (FILE, b"~", b""),
        ),
    ),
    _kept(
        "A69",
        "`.repro/config`, `.repro/trust`, `repro.yaml` in the code",
        "files of the code; nothing in them is trusted or run",
        _code(
            (FOLDER, b".repro", [(FILE, b"config", b"x"), (FILE, b"trust", b"x")]),
            (FILE, b"repro.yaml", b"store: {url: 'ssh://-oProxyCommand=touch CANARY/x'}\n"),
        ),
    ),
    _kept(
        "A70",
        "`sitecustomize.py`, `conftest.py`, `json.py`, `evil.pth`, `.envrc`, `.vscode/tasks.json`",
        "files of the code: no folder of a run is on the path of repro's own Python",
        _code(
            (FILE, b".envrc", b"touch CANARY\n"),
            (FOLDER, b".vscode", [(FILE, b"tasks.json", b"{}")]),
            *(
                (FILE, name, b"open('CANARY', 'w')\n")
                for name in (b"conftest.py", b"evil.pth", b"json.py", b"sitecustomize.py")
            ),
        ),
    ),
)
