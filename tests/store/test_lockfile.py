"""repro.lock pins datasets: one text for one value, and every mistake named with its line."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import git, write_files

from repro.errors import InvalidInputError, StorageError
from repro.store.lockfile import Locked, read_lock, update_lock, write_lock

TRAIN = Locked(
    path="data/train",
    digest="xxh3:" + "0123456789abcdef" * 2,
    files=100_000,
    size=2**63 - 1,
    kept=False,
    manifest="sha256:" + "0123456789abcdef" * 4,
    manifest_size=4096,
)
LABELS = replace(TRAIN, path="/data/labels, all: {of} # them.csv", files=1, size=0, kept=True)
HEX = "0123456789abcdef"
HEADER = "# Written by `repro data`. Commit it: it pins the data that the code was used with.\n"
TRAIN_LINE = (
    f'train: {{path: data/train, digest: "xxh3:{HEX * 2}", files: 100000, '
    f'bytes: 9223372036854775807, kept: false, manifest: "sha256:{HEX * 4}", '
    "manifest_bytes: 4096}\n"
)
LABELS_LINE = (
    f'labels: {{path: "/data/labels, all: {{of}} # them.csv", digest: "xxh3:{HEX * 2}", files: 1, '
    f'bytes: 0, kept: true, manifest: "sha256:{HEX * 4}", manifest_bytes: 4096}}\n'
)
TEXT = f"{HEADER}\n{LABELS_LINE}\n{TRAIN_LINE}"
# An entry as other tools may lay it out: each key on a line of its own.
SPREAD = f"""\
# c
train:
  path: data/train
  digest: xxh3:{HEX * 2}
  files: 100000
  bytes: 9223372036854775807
  kept: false
  manifest: sha256:{HEX * 4}
  manifest_bytes: 4096
"""


def text_of(root):
    return (root / "repro.lock").read_text()


def test_without_a_file_nothing_is_locked(tmp_path):
    assert read_lock(tmp_path) == {}


def test_what_is_locked_is_sorted_text_that_reads_back(tmp_path):
    assert write_lock(tmp_path, {"train": TRAIN, "labels": LABELS})

    assert text_of(tmp_path) == TEXT
    assert list(read_lock(tmp_path).items()) == [("labels", LABELS), ("train", TRAIN)]


def test_the_same_values_do_not_touch_the_file(tmp_path):
    write_lock(tmp_path, {"train": TRAIN, "labels": LABELS})
    before = (tmp_path / "repro.lock").stat()

    assert not write_lock(tmp_path, {"labels": LABELS, "train": TRAIN})
    assert not update_lock(tmp_path, "train", TRAIN, guard=tmp_path / "guard")
    assert before == (tmp_path / "repro.lock").stat()


def test_nothing_locked_is_no_file(tmp_path):
    assert not write_lock(tmp_path, {})
    write_lock(tmp_path, {"train": TRAIN})

    assert write_lock(tmp_path, {})
    assert os.listdir(tmp_path) == ["home"]


def test_a_file_that_was_checked_out_with_other_line_ends_keeps_them(tmp_path):
    write_files(tmp_path, {"repro.lock": TEXT.replace("\n", "\r\n")})

    assert not write_lock(tmp_path, {"labels": LABELS, "train": TRAIN})
    assert write_lock(tmp_path, {"train": TRAIN})

    data = (tmp_path / "repro.lock").read_bytes()
    assert data == (HEADER + "\n" + TRAIN_LINE).replace("\n", "\r\n").encode()
    assert read_lock(tmp_path) == {"train": TRAIN}


def test_a_new_file_has_the_usual_mode_and_an_old_one_keeps_its_own(tmp_path):
    mask = os.umask(0o027)
    try:
        write_lock(tmp_path, {"train": TRAIN})
    finally:
        os.umask(mask)
    assert (tmp_path / "repro.lock").stat().st_mode & 0o777 == 0o640
    (tmp_path / "repro.lock").chmod(0o604)

    write_lock(tmp_path, {"labels": LABELS})

    assert (tmp_path / "repro.lock").stat().st_mode & 0o777 == 0o604


def test_unknown_keys_are_ignored_and_not_kept(tmp_path):
    write_files(tmp_path, {"repro.lock": SPREAD + "  newer: [1, 2]\n"})

    assert read_lock(tmp_path) == {"train": TRAIN}
    assert update_lock(tmp_path, "train", TRAIN, guard=tmp_path / "guard")
    assert text_of(tmp_path) == HEADER + "\n" + TRAIN_LINE


WRONG = {
    "path": ["3", "''", "../up", ".git/x", ".", '"a\\u0007b"', '"a\\nb"', "[a]", "null"],
    "digest": [
        *["abc", '"xxh3:"', "3", "null", f"sha256:{'a' * 64}", f'"xxh3:{"a" * 32}\\n"'],
        *[f"xxh3:{'A' * 32}", f"xxh3:{'a' * 33}"],
    ],
    "files": ["-1", "1.5", "'3'", "true", str(2**63), "1e3", "null", "9" * 5000],
    "bytes": ["-1", "1.5", "'3'", "false", str(2**63), ".inf", "null"],
    "kept": ["1", "maybe", "'true'", "null"],
    "manifest": ["abc", f"sha256:{'a' * 63}", f"sha256:{'A' * 64}", f"xxh3:{'a' * 32}", "{}"],
}
KEYS = list(WRONG)


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_named_with_line_and_key(tmp_path, key, value):
    lines = SPREAD.split("\n")
    number = 2 + KEYS.index(key)
    lines[number] = f"  {key}: {value}"
    write_files(tmp_path, {"repro.lock": "\n".join(lines)})

    with pytest.raises(InvalidInputError, match=rf"`repro\.lock` line {number + 1}: ") as caught:
        read_lock(tmp_path)

    assert f"`train.{key}`" in caught.value.message or value in ("1e3", "9" * 5000)
    assert caught.value.hint


@pytest.mark.parametrize("key", WRONG)
def test_an_absent_value_is_named(tmp_path, key):
    lines = SPREAD.split("\n")
    del lines[2 + KEYS.index(key)]
    write_files(tmp_path, {"repro.lock": "\n".join(lines)})

    with pytest.raises(InvalidInputError, match=f"line 2: `train.{key}` is missing"):
        read_lock(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "line 1: the file must be a mapping"),
        ("a\n", "line 1: the file must be a mapping"),
        ("# c\ntrain: data\n", "line 2: `train` must be a mapping"),
        ("\ntrain:\n", "line 2: `train` must be a mapping"),
        ('"a\\nb": {}\n', "line 1: `a\\\\nb` is no name"),
        (f"{'n' * 201}: {{}}\n", "line 1: `n+` is no name"),
        ("a: {}\na: {}\n", "line 2: the key `a` occurs twice"),
        ("a: *b\n", "line 1: the alias"),
        (b"a: \xff\n", "line 1: not UTF-8"),
        ("a: !!python/name:os.system {}\n", "line 1: the tag"),
    ],
)
def test_a_file_of_another_form_is_named_with_its_line(tmp_path, text, message):
    write_files(tmp_path, {"repro.lock": text})

    with pytest.raises(InvalidInputError, match=rf"`repro\.lock` {message}"):
        read_lock(tmp_path)


def test_a_file_cut_short_anywhere_is_refused_or_has_whole_entries_only(tmp_path):
    write_lock(tmp_path, {"train": TRAIN, "labels": LABELS})
    whole = (tmp_path / "repro.lock").read_bytes()
    entries = {"labels": LABELS, "train": TRAIN}
    for size in range(len(whole)):
        (tmp_path / "repro.lock").write_bytes(whole[:size])
        try:
            found = read_lock(tmp_path)
        except InvalidInputError:
            continue
        assert found.items() <= entries.items()


@given(st.binary(max_size=200), st.integers(0, len(TEXT)))
def test_whatever_stands_in_it_is_an_error_or_a_lock(tmp_path_factory, junk, place):
    root = tmp_path_factory.mktemp("project")
    data = TEXT.encode()
    (root / "repro.lock").write_bytes(data[:place] + junk + data[place + len(junk) :])
    try:
        found = read_lock(root)
    except InvalidInputError:
        return
    write_lock(root, found)
    assert read_lock(root) == found


@pytest.mark.parametrize(
    "locked",
    [
        {"": TRAIN},
        {"a\nb": TRAIN},
        {"train": replace(TRAIN, path="x\udcff")},
        {"train": replace(TRAIN, digest="abc")},
        {"train": replace(TRAIN, size=-1)},
    ],
)
def test_what_would_not_read_back_is_not_written(tmp_path, locked):
    write_lock(tmp_path, {"train": TRAIN})
    before = text_of(tmp_path)

    with pytest.raises(InvalidInputError):
        write_lock(tmp_path, locked)

    assert text_of(tmp_path) == before


@pytest.mark.parametrize("name", ["<<", "null", "1", "a: b", "# c", "'", '"', "größe 🎉", "a/b"])
def test_awkward_names_come_back(tmp_path, name):
    write_lock(tmp_path, {name: TRAIN})

    assert read_lock(tmp_path) == {name: TRAIN}


def test_one_dataset_is_locked_and_unlocked_beside_the_others(tmp_path):
    guard = tmp_path / "git/repro/guard"

    assert update_lock(tmp_path, "train", TRAIN, guard=guard)
    assert update_lock(tmp_path, "labels", LABELS, guard=guard)
    assert read_lock(tmp_path) == {"train": TRAIN, "labels": LABELS}
    assert update_lock(tmp_path, "train", None, guard=guard)
    assert not update_lock(tmp_path, "train", None, guard=guard)
    assert read_lock(tmp_path) == {"labels": LABELS}
    assert update_lock(tmp_path, "labels", None, guard=guard)
    assert not (tmp_path / "repro.lock").exists()


def test_processes_that_lock_at_once_lose_nothing(tmp_path):
    code = (
        "import sys; from dataclasses import replace; from pathlib import Path\n"
        "from repro.store.lockfile import Locked, update_lock\n"
        "for n in range(10):\n"
        "    name = f'{sys.argv[1]}{n}'\n"
        "    locked = Locked(name, 'xxh3:' + 'a' * 32, 1, 1, False, 'sha256:' + 'b' * 64, 7)\n"
        "    update_lock(Path(sys.argv[2]), name, locked, guard=Path(sys.argv[3]))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, letter, tmp_path, tmp_path / "guard"])
        for letter in "abc"
    ]

    assert [process.wait() for process in processes] == [0, 0, 0]
    assert len(read_lock(tmp_path)) == 30


def commit_on(root, branch, locked):
    git(root, "checkout", "-q", "-B", branch)
    write_lock(root, locked)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", branch)


def test_git_merges_changes_of_neighbours_and_never_mixes_entries(repository):
    first, second = replace(TRAIN, path="a"), replace(TRAIN, path="b")
    commit_on(repository, "main", {"a": first, "b": second})
    commit_on(repository, "other", {"a": replace(first, files=2), "b": second})
    git(repository, "checkout", "-q", "main")
    commit_on(repository, "main", {"a": first, "b": replace(second, size=3), "c": TRAIN})

    git(repository, "merge", "-q", "other")

    merged = {"a": replace(first, files=2), "b": replace(second, size=3), "c": TRAIN}
    assert read_lock(repository) == merged


@pytest.fixture(params=["merge", "diff3"])
def conflict(request, repository):
    """A merge of two branches: each changed `train`, and added and removed a dataset."""
    git(repository, "config", "merge.conflictStyle", request.param)
    base = {"train": TRAIN, "labels": LABELS, "old": replace(TRAIN, path="old")}
    commit_on(repository, "main", base)
    git(repository, "branch", "other")
    sides = {}
    for number, branch in enumerate(["main", "other"]):
        git(repository, "checkout", "-q", branch)
        sides[branch] = {**base, "train": replace(TRAIN, files=number)}
        sides[branch][branch] = replace(TRAIN, path=branch)
        commit_on(repository, branch, sides[branch])
    subprocess.run(["git", "merge", "-q", "main"], cwd=repository, check=False)
    assert "<<<<<<< " in text_of(repository)
    return repository, sides


def test_a_conflict_is_named_with_its_line_and_the_way_out(conflict):
    root, _ = conflict
    line = text_of(root).split("\n").index("<<<<<<< HEAD") + 1

    with pytest.raises(InvalidInputError, match=f"line {line}: a merge left a conflict") as caught:
        read_lock(root)

    assert "`repro data add …`" in caught.value.hint


def test_locking_anew_ends_a_conflict_and_keeps_what_both_sides_agree_on(conflict):
    root, sides = conflict
    new = replace(TRAIN, files=7)

    assert update_lock(root, "train", new, guard=root / ".git/guard")

    both = {**sides["main"], **sides["other"]}
    assert read_lock(root) == {**both, "train": new}


def test_after_a_conflict_nothing_is_locked_where_the_sides_differ(conflict):
    root, sides = conflict

    assert update_lock(root, "labels", LABELS, guard=root / ".git/guard")

    both = {**sides["main"], **sides["other"]}
    del both["train"]
    assert read_lock(root) == both


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, make):
    make(tmp_path / "repro.lock")

    with pytest.raises(InvalidInputError, match=r"`repro\.lock` is not a file"):
        read_lock(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_is_read_only_is_named(tmp_path):
    root = tmp_path / "project"
    root.mkdir(mode=0o500)
    try:
        with pytest.raises(StorageError, match=r"repro\.lock"):
            write_lock(root, {"train": TRAIN})
    finally:
        root.chmod(0o700)
