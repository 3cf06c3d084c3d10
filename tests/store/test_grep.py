"""`git grep` over blobs and texts."""

import shutil
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.records import open_at

from repro.errors import UsageError
from repro.store import grep
from repro.store.git import Git
from repro.store.grep import Hit, Pattern, grep_blobs, grep_texts


def write_blob(root: Path, text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    return git(root, "hash-object", "-w", "--stdin", stdin=data)


def search(root: Path, oids, *texts, **changes):
    missing = []
    pattern = Pattern(texts, **changes)
    found = dict(grep_blobs(open_at(root).git, oids, pattern, on_missing=missing.append))
    return found, missing


def test_lines_that_fit_are_given_by_blob_in_the_order_asked_for(repository):
    a = write_blob(repository, "lr = 1\nx\nLR = 2\nlr = 3")
    b = write_blob(repository, "nothing")
    c = write_blob(repository, "lr: é\0?\r\n")

    found, _ = search(repository, [c, b, a], "lr")
    assert list(found) == [c, a]
    assert found[a] == [Hit(1, "lr = 1"), Hit(4, "lr = 3")]
    assert search(repository, [a], "lr", ignores_case=True)[0][a][1] == Hit(3, "LR = 2")


@pytest.mark.parametrize(
    ("syntax", "text", "lines"),
    [
        ("basic", "a+", [2]), ("fixed", "a+", [2]), ("extended", "a+", [1, 2]),
        ("perl", r"a(?=b)", [3]), ("fixed", "a.b", []), (None, "^ab$", [3]), (None, "", [1, 2, 3]),
    ],
)  # fmt: skip
def test_patterns_are_those_of_git(repository, syntax, text, lines):
    blob = write_blob(repository, "aa\na+\nab\n" if syntax != "extended" else "aa\na+\nb\n")
    found, _ = search(repository, [blob], text, syntax=syntax)

    assert [hit.line for hit in found.get(blob, [])] == lines


def test_any_of_several_patterns_may_fit_and_a_dash_is_no_option(repository):
    blob = write_blob(repository, "--open-files-in-pager=true\n-e\nx\n")

    found, _ = search(repository, [blob], "--open-files-in-pager=true", "-e")
    assert [hit.line for hit in found[blob]] == [1, 2]


def test_a_wrong_pattern_is_named_with_its_fault(repository):
    blob = write_blob(repository, "x")

    for syntax in ("basic", "perl"):
        with pytest.raises(UsageError, match="the pattern is wrong: 'x\\['"):
            search(repository, [blob], "x[", syntax=syntax)
        with pytest.raises(UsageError, match="the pattern is wrong: 'x\\['"):
            list(grep_texts(open_at(repository).git, [b"x"], Pattern(("x[",), syntax)))


def test_a_binary_file_is_one_hit_without_a_line(repository):
    blob = write_blob(repository, b"\0\x01lr\n")

    assert search(repository, [blob], "lr")[0] == {blob: [Hit(None, "")]}


def test_bytes_that_are_no_utf8_and_controls_come_as_they_are(repository):
    blob = write_blob(repository, b"lr \xff \x1b[2J\n")

    [hit] = search(repository, [blob], "lr")[0][blob]
    assert hit.text.encode(errors="surrogateescape") == b"lr \xff \x1b[2J"


def test_a_missing_or_corrupt_blob_hides_no_other(repository, monkeypatch):
    blobs = [write_blob(repository, f"lr {n}\n") for n in range(9)]
    lost, broken = blobs[2], blobs[6]
    for oid in (lost, broken):
        path = repository / f".git/objects/{oid[:2]}/{oid[2:]}"
        path.unlink()
        if oid == broken:
            path.write_bytes(b"rubbish")

    found, missing = search(repository, blobs, "lr")
    assert list(found) == [oid for oid in blobs if oid not in (lost, broken)]
    assert set(missing) == {lost, broken}


def test_more_blobs_than_one_process_takes_are_all_searched(repository, monkeypatch):
    monkeypatch.setattr(grep, "_BATCH", 4)
    blobs = [write_blob(repository, f"lr {n}\n") for n in range(11)]

    assert list(search(repository, blobs, "lr")[0]) == blobs
    assert search(repository, [], "lr") == ({}, [])


def test_nothing_that_the_user_set_changes_the_answer(repository):
    git(repository, "config", "grep.lineNumber", "false")
    git(repository, "config", "grep.column", "true")
    git(repository, "config", "color.grep", "always")
    git(repository, "config", "core.pager", "false")
    git(repository, "config", "diff.evil.textconv", "touch evil; false")
    write_files(repository, {".gitattributes": "* diff=evil\n"})
    blob = write_blob(repository, "a\nlr\n")

    assert search(repository, [blob], "lr")[0] == {blob: [Hit(2, "lr")]}
    assert not (repository / "evil").exists()


def test_the_pattern_type_that_the_user_set_counts(repository):
    git(repository, "config", "grep.patternType", "fixed")
    blob = write_blob(repository, "a.b\naxb\n")

    assert [hit.line for hit in search(repository, [blob], "a.b")[0][blob]] == [1]


def test_texts_that_are_no_objects_are_searched_alike(repository):
    texts = [b"x\n"] * 12 + [b"lr\nx\nlr", b"", b"\0lr"]
    found = dict(grep_texts(open_at(repository).git, texts, Pattern(("lr",))))

    assert found == {12: [Hit(1, "lr"), Hit(3, "lr")], 14: [Hit(None, "")]}
    assert list(grep_texts(open_at(repository).git, [], Pattern(("lr",)))) == []


def test_a_search_that_is_left_early_leaves_no_process(repository):
    blob = write_blob(repository, "lr\n" * 300_000)
    started = []

    class Watched(Git):
        def spawn(self, *args, env=None, cwd=None):
            started.append(super().spawn(*args, env=env, cwd=cwd))
            return started[-1]

    watched = Watched(repository, open_at(repository).git.environ)
    stream = grep._stream(watched, [*Pattern(("lr",)).words(), blob])
    next(stream)
    del stream
    assert started[0].returncode is not None


def test_the_folder_of_the_texts_is_gone_at_the_end(repository, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    for _ in grep_texts(open_at(repository).git, [b"lr"], Pattern(("lr",))):
        assert list((tmp_path / "t").iterdir())

    assert list((tmp_path / "t").iterdir()) == []
    shutil.rmtree(tmp_path / "t")
