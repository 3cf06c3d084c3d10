"""`repro data ls`, `status`, `diff`: what is pinned, what is there, and what differs."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.projects import make_run, open_here

TRAIN = {"data/train/a/1.txt": "one\n", "data/train/b.txt": "two\n"}
CHANGES = (
    "1 added (4 bytes), 1 removed (4 bytes), 1 changed (4 bytes → 8 bytes)",
    "  M a/1.txt",
    "  D b.txt",
    "  A c.txt",
)


@pytest.fixture
def tracked(repository: Path, cli: Cli) -> Path:
    """A repository with the datasets `train` and, kept, `labels`."""
    write_files(repository, {**TRAIN, "data/labels.csv": "id\n"})
    cli("data", "add", "data/train")
    cli("data", "add", "--keep", "--name", "labels", "data/labels.csv")
    return repository


def edit(root: Path) -> None:
    write_files(root, {"data/train/a/1.txt": "changed\n", "data/train/c.txt": "new\n"})
    (root / "data/train/b.txt").unlink()


def status(cli: Cli) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cli("data", "status", "--json").out)
    return found


def test_ls_shows_what_is_pinned_without_looking_at_the_files(tracked: Path, cli: Cli) -> None:
    shutil.rmtree(tracked / "data")
    write_files(tracked, {"more": "x"})
    settings = (tracked / "repro.yaml").read_text()
    (tracked / "repro.yaml").write_text(
        f"{settings}  new: {{path: more, keep: true, follow: true}}\n"
    )

    found = json.loads(cli("data", "ls", "--json").out)
    table = cli("data", "ls").out.splitlines()

    digests = [one.pop("digest") for one in found]
    assert found == [
        {
            "name": "train",
            "path": "data/train",
            "keep": False,
            "follow": False,
            "files": 2,
            "bytes": 8,
            "kept": False,
        },
        {
            "name": "labels",
            "path": "data/labels.csv",
            "keep": True,
            "follow": False,
            "files": 1,
            "bytes": 3,
            "kept": True,
        },
        {
            "name": "new",
            "path": "more",
            "keep": True,
            "follow": True,
            "files": None,
            "bytes": None,
            "kept": None,
        },
    ]
    assert digests[2] is None
    assert [line.split("  ")[0] for line in table] == ["name", "train", "labels", "new"]
    assert f"2      8 bytes  no       as they are  {digests[0][:13]}" in table[1]
    assert "-      -        not yet  followed     not yet" in table[3]


def test_ls_for_programs_is_a_line_a_dataset(tracked: Path, cli: Cli) -> None:
    digests = [one["digest"] for one in json.loads(cli("data", "ls", "--json").out)]
    lines = [
        f"train\tdata/train\t2\t8\tno\tno\t{digests[0]}",
        f"labels\tdata/labels.csv\t1\t3\tyes\tno\t{digests[1]}",
    ]

    assert cli("data", "ls", "--porcelain").out.splitlines() == lines
    assert cli("data", "ls", "-z").out == "".join(f"{line}\0" for line in lines)


def test_without_datasets_each_verb_says_so(repository: Path, cli: Cli) -> None:
    for verb in ("ls", "status"):
        ended = cli("data", verb)
        assert ended.out == ""
        assert "`repro data add PATH` adds one" in ended.err
    assert cli("data", "diff", "--exit-code").out == ""
    assert json.loads(cli("data", "status", "--json").out) == {}
    assert json.loads(cli("data", "diff", "--json").out) == {}


def test_status_says_which_datasets_changed_and_how(tracked: Path, cli: Cli) -> None:
    assert cli("data", "status", "--exit-code").out == (
        "train  unchanged (2 files, 8 bytes)\nlabels  unchanged (1 file, 3 bytes)\n"
    )

    edit(tracked)
    ended = cli("data", "status")

    assert ended.out.splitlines() == [
        f"train  changed: {CHANGES[0]}",
        *CHANGES[1:],
        "labels  unchanged (1 file, 3 bytes)",
    ]
    assert "`repro data add` pins" in ended.err
    cli("data", "status", "--exit-code", code=1)
    cli("data", "status", "--exit-code", "labels", code=0)
    cli("data", "status", "--exit-code", "data/train", code=1)


def test_status_as_json_has_the_promised_shape(tracked: Path, cli: Cli) -> None:
    before = status(cli)["train"]
    edit(tracked)

    after = status(cli)["train"]

    assert before == {
        "path": "data/train",
        "state": "unchanged",
        "reason": None,
        "digest": before["locked"],
        "locked": before["locked"],
        "files": 2,
        "bytes": 8,
        "kept": False,
        "added": [],
        "removed": [],
        "changed": [],
        "unlisted": None,
    }
    assert after == {
        **before,
        "state": "changed",
        "digest": after["digest"],
        "bytes": 12,
        "added": ["c.txt"],
        "removed": ["b.txt"],
        "changed": ["a/1.txt"],
    }
    assert after["digest"] != before["digest"]


def test_status_names_what_is_wrong_with_each_dataset_and_fails_for_none(
    tracked: Path, cli: Cli
) -> None:
    (tracked / "data/labels.csv").unlink()
    os.mkfifo(tracked / "data/train/pipe")
    write_files(tracked, {"more/x": "x"})
    settings = (tracked / "repro.yaml").read_text()
    (tracked / "repro.yaml").write_text(f"{settings}  new: more\n")

    found = status(cli)
    lines = cli("data", "status").out.splitlines()

    assert {name: one["state"] for name, one in found.items()} == {
        "train": "unreadable",
        "labels": "missing",
        "new": "not pinned",
    }
    assert lines[0].startswith("train  cannot be read: ")
    assert "pipe" in lines[0]
    assert lines[1:] == [
        "labels  missing: there is nothing at `data/labels.csv`",
        "new  not pinned yet",
    ]
    cli("data", "status", "--exit-code", "new", code=1)


def test_what_is_pinned_but_not_in_the_settings_is_named(tracked: Path, cli: Cli) -> None:
    (tracked / "repro.yaml").unlink()

    found = status(cli)

    assert [one["state"] for one in found.values()] == ["not tracked", "not tracked"]
    assert "`repro.yaml` does not name it" in cli("status").out


def test_without_the_pinned_manifest_a_change_is_told_but_not_file_by_file(
    tracked: Path, cli: Cli
) -> None:
    shutil.rmtree(tracked / ".git/repro/store")
    assert status(cli)["train"]["state"] == "unchanged"

    edit(tracked)
    lines = cli("data", "status").out.splitlines()

    assert lines[0] == "train  changed"
    assert lines[1].startswith("  file by file unknown: the manifest of `train`")
    assert "`repro data pull`" in lines[1]
    assert "manifest" in status(cli)["train"]["unlisted"]
    assert cli("data", "diff", "--stat", "--exit-code", code=1).out == "train  differs\n"


def test_a_lock_with_conflicts_is_said_for_each_dataset(tracked: Path, cli: Cli) -> None:
    lock = tracked / "repro.lock"
    lock.write_text(f"<<<<<<< ours\n{lock.read_text()}=======\n>>>>>>> theirs\n")

    found = status(cli)

    assert {one["state"] for one in found.values()} == {"unknown"}
    assert "a merge left a conflict" in found["train"]["reason"]
    assert "a merge left a conflict" in cli("status").out
    assert "a merge left a conflict" in cli("data", "diff", code=128).err


def test_diff_without_words_is_the_lock_against_the_disk(tracked: Path, cli: Cli) -> None:
    assert cli("data", "diff", "--exit-code").out == ""

    edit(tracked)

    assert cli("data", "diff").out.splitlines() == [f"train  {CHANGES[0]}", *CHANGES[1:]]
    assert cli("data", "diff", "--stat").out == f"train  {CHANGES[0]}\n"
    assert cli("data", "diff", "--exit-code", code=1).out
    assert cli("data", "diff", "--exit-code", "--dataset", "labels").out == ""


def test_diff_as_json_has_the_promised_shape(tracked: Path, cli: Cli) -> None:
    edit(tracked)

    assert json.loads(cli("data", "diff", "--json").out) == {
        "train": {
            "added": ["c.txt"],
            "removed": ["b.txt"],
            "changed": ["a/1.txt"],
            "bytes": {"added": 4, "removed": 4, "changed": [4, 8]},
            "unlisted": None,
        }
    }


def test_diff_compares_runs_and_commits_in_any_pairing(tracked: Path, cli: Cli) -> None:
    git(tracked, "add", "-A")
    git(tracked, "commit", "-qm", "with data")
    make_run(open_here(tracked), name="a")
    edit(tracked)
    make_run(open_here(tracked), name="b")
    expected = [f"train  {CHANGES[0]}", *CHANGES[1:]]

    for words in (["a"], ["HEAD"], ["a", "b"], ["HEAD", "b"], ["main", "b"], ["a^{code}", "b"]):
        assert cli("data", "diff", *words).out.splitlines() == expected, words
    for words in (["b"], ["a", "HEAD"], ["a", "b^{code}"]):
        assert cli("data", "diff", *words).out == "", words
    assert cli("data", "diff", "HEAD~1", "HEAD").out.splitlines() == [
        "labels  1 added (3 bytes)",
        "  A labels.csv",
        "train   2 added (8 bytes)",
        "  A a/1.txt",
        "  A b.txt",
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["status", "trian"], 128, "did you mean `train`"),
        (["diff", "--dataset", "trian"], 128, "did you mean `train`"),
        (["diff", "nothing"], 128, "there is no run `nothing`"),
        (["diff", "--", "--output=x"], 128, "--output=x"),
        (["diff", "HEAD", "HEAD", "HEAD"], 129, "HEAD"),
    ],
)
def test_a_wrong_question_is_one_error(
    tracked: Path, cli: Cli, words: list[str], code: int, said: str
) -> None:
    ended = cli("data", *words, code=code)

    assert ended.out == ""
    assert said in ended.err


def test_a_long_list_is_cut_for_each_dataset_and_said(tracked: Path, cli: Cli) -> None:
    write_files(tracked, {"many/0": "x"})
    cli("data", "add", "many")
    write_files(tracked, {f"many/{n}": "x" for n in range(1, 101)})
    write_files(tracked, {"data/train/b.txt": "changed\n"})

    lines = cli("data", "diff").out.splitlines()

    assert lines[0].startswith("many   100 added (")
    assert lines[41:] == [
        "  … and 60 more: `--json` has all",
        "train  1 changed (4 bytes → 8 bytes)",
        "  M b.txt",
    ]
    assert len(json.loads(cli("data", "diff", "--json").out)["many"]["added"]) == 100


def test_names_from_the_disk_are_escaped(tracked: Path, cli: Cli) -> None:
    write_files(tracked, {"data/train/e\x1b[2Jvil\n": "x"})
    Path(os.fsdecode(os.fsencode(tracked) + b"/data/train/\xff")).write_bytes(b"x")

    for words in (["data", "diff"], ["data", "status"]):
        text = cli(*words).out
        assert "A e\\x1b[2Jvil\\n\n" in text
        assert "A \\xff\n" in text
        assert "\x1b" not in text
    assert json.loads(cli("data", "diff", "--json").out)["train"]["added"] == [
        "e\x1b[2Jvil\n",
        "\udcff",
    ]
