"""No path that a record names leads out of its folder or into `.git`."""

import pytest

from repro.errors import DamagedRecordError
from repro.model.paths import validate_path

HOSTILE = [
    "",
    ".",
    "..",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "/",
    "/etc/passwd",
    "//server/share",
    "../x",
    "a/../../b",
    "a/..",
    ".git",
    ".git/hooks/post-checkout",
    "sub/.git/config",
    ".GIT",
    ".Git/config",
    "git~1",
    "GIT~1/config",
    ".git ",
    ".git.",
    ".git...",
    ".git . .",
    ".git::$INDEX_ALLOCATION",
    ".git:x",
    ".git\\hooks",
    "a\\.git\\hooks",
    ".g\u200cit",
    ".gi\u200ct/config",
    "\ufeff.git",
    ".gi\u206ft",
    "..\\x",
    "a\\..\\..\\b",
    ".\u200c.",
    "C:\\x",
    "C:x",
    "c:/x",
    "a\0b",
    "a\nb",
    "n" * 256,
    "n" * 4097,
    "é" * 128,
    "/".join(["n" * 200] * 21),
    "\ud800",
]


@pytest.mark.parametrize("path", HOSTILE)
def test_a_hostile_path_is_refused(path):
    with pytest.raises(DamagedRecordError) as caught:
        validate_path(path)

    assert caught.value.hint
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 600


@pytest.mark.parametrize(
    "path",
    [
        "model.pt",
        "models/best model.pt",
        "a/b/c.txt",
        ".gitignore",
        ".github/workflows/x.yml",
        ".gitattributes",
        "git",
        "git~2",
        "x.git/y",
        "...",
        "..a/b..",
        "-rf",
        "--help",
        "$(id)",
        "~",
        "con.txt",
        "aux",
        "File",
        "a\\b",
        "time 12:30",
        "name\twith\x1b[31m",
        "学/é",
        b"\xff\xfe".decode(errors="surrogateescape"),
        "n" * 255,
        "é" * 127,
    ],
)
def test_an_ordinary_path_passes(path):
    validate_path(path)


def test_the_refusal_names_path_and_reason():
    with pytest.raises(DamagedRecordError, match=r"`a/../b\\x1b`, which leads out of its folder"):
        validate_path("a/../b\x1b")
