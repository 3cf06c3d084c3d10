"""`repro show`: one run, whole or one part of it."""

import json
import math
import re
import shlex
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.cli import Cli
from tests.support.projects import begin, make_run, open_here
from tests.support.records import a_summary, make_record, open_at, run_id, write_run

from repro.model.run import Omitted


@pytest.fixture
def shown(repository: Path) -> Path:
    """A repository with one run that has everything, hostile text included."""
    record = make_record(
        id=run_id("aaaa"), name="evil\x1b]0;x\x07", note="line\x1b[2J\nsecond", tags=("good",),
        config={"lr": 0.1, "model": {"width": 3}}, summary={"best": 1},
        metrics={"loss": a_summary(math.nan, min=None, max=None, mean=None)},
        environment={"interpreter": {"implementation": "cpython", "version": "3.11"}},
        randomness={"seed": 77, "flags": {"torch": {"deterministic": True}}},
        omitted=(Omitted("a.bin", 1, "odd\x1b[31m"),),
        warnings=("careful",), lost_points=2, exit_code=3, status="failed",
    )  # fmt: skip
    files = {
        "output.log": b"\x1b[31mred\x1b[0m\nplain\n",
        "metrics/0.csv": b"step,time,loss\n0,1.5,0.5\n1,2.5,nan\n",
    }
    write_run(open_at(repository), record, files=files)
    return repository


def test_without_a_run_the_newest_is_shown(shown: Path, cli: Cli) -> None:
    assert cli("show").out == cli("show", "@").out


def test_all_of_a_run_is_shown_and_nothing_reaches_the_terminal_raw(shown: Path, cli: Cli) -> None:
    text = cli("show", "aaaa").out
    assert "\x1b" not in text
    assert "\x07" not in text
    for part in (
        "run aaaa00000000 (evil\\x1b]0;x\\x07)", "failed, exit code 3", "python train.py", "good",
        "    second", "model.width  3", "loss", "best  1", "cpython 3.11", "careful", "2 points",
        "a.bin  odd\\x1b[31m",
    ):  # fmt: skip
        assert part in text


def test_media_are_counted_by_name_and_listed_as_json(repository: Path, cli: Cli) -> None:
    live = begin(open_here(repository))
    item = {"kind": "histogram", "edges": [0.0, 1.0], "counts": [3], "skipped": 0}
    for step in range(2):
        media = {"w\x1b": [item, item], "x": [item]}
        live.journal.append({"k": "media", "t": 5.0, "s": step, "v": media})
    live.journal.close()

    text = cli("show", "@").out
    assert "  w\\x1b  4 histograms, steps 0 to 1\n" in text
    assert "  x      2 histograms, steps 0 to 1\n" in text
    shown = json.loads(cli("show", "@", "--json").out)["media"]
    assert len(shown) == 6
    assert shown[1] == {
        "name": "w\x1b", "step": 0, "time": 5.0, "place": 1, "kind": "histogram",
        "caption": None, "file": None,
    }  # fmt: skip


def test_media_that_cannot_be_read_hide_nothing_else(repository: Path, cli: Cli) -> None:
    files = {"media.jsonl": b'{"name":"\x1b'}
    write_run(open_at(repository), make_record(id=run_id("aaaa"), note="seen"), files=files)

    text, answer = cli("show", "aaaa"), cli("show", "aaaa", "--json")

    assert "    seen\n" in text.out
    assert "its media cannot be read: `media.jsonl` is cut off in its line 1" in text.err
    assert json.loads(answer.out)["media"] is None
    assert "its media cannot be read" in answer.err


def test_one_part_at_a_time(shown: Path, cli: Cli) -> None:
    assert cli("show", "@", "--config").out == "lr: 0.1\nmodel:\n  width: 3\n"
    assert "nan" in cli("show", "@", "--metrics").out
    env = cli("show", "@", "--env").out
    assert "interpreter.version" in env
    assert re.search(r"^randomness.seed +77$", env, re.MULTILINE)
    assert "randomness.flags.torch.deterministic" in env
    assert cli("show", "@", "--data").out == ""
    assert cli("show", "@", "--series", "loss").out == (
        "step\tvalue\ttime\n0\t0.5\t1.5\n1\tnan\t2.5\n"
    )


def test_datasets_are_a_table_and_odd_ones_are_no_error(repository: Path, cli: Cli) -> None:
    facts = {"path": "data/t\x1b", "digest": "xxh3:1", "files": 12345, "bytes": 2048, "kept": True}
    data = {"train": facts, "odd\x07": {"files": "many"}}
    write_run(open_at(repository), make_record(data=data))

    lines = cli("show", "@", "--data").out.splitlines()

    assert lines == [
        "dataset  files   size     kept  path        digest",
        "odd\\x07  -       -        no    -           -",
        "train    12,345  2.0 KiB  yes   data/t\\x1b  xxh3:1",
    ]
    assert all(f"  {line}" in cli("show", "@").out for line in lines)


def test_output_is_given_byte_for_byte(shown: Path, cli: Cli) -> None:
    assert cli("show", "@", "--output").out == "\x1b[31mred\x1b[0m\nplain\n"


def test_output_on_a_terminal_keeps_colours_and_nothing_else(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = b"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J\tx\n"
    write_run(open_at(repository), make_record(), files={"output.log": output})
    monkeypatch.setattr("repro.cli.render.width", lambda: 80)
    assert cli("show", "@", "--output").out == (
        "\x1b[31mred\x1b[0m \\x1b]0;title\\x07 \\x1b[2J        x\n"
    )


def test_the_patch_is_what_the_snapshot_changed(repository: Path, cli: Cli) -> None:
    write_files(repository, {"train.py": "print('changed')\n", "new.txt": "new\n"})
    make_run(open_here(repository))
    patch = cli("show", "@", "--patch").out
    git(repository, "stash", "-q", "-u")
    git(repository, "apply", stdin=patch.encode())
    assert (repository / "train.py").read_text() == "print('changed')\n"
    assert (repository / "new.txt").read_text() == "new\n"


def test_json_has_the_whole_run(shown: Path, cli: Cli) -> None:
    value = json.loads(cli("show", "@", "--json").out)
    assert value["name"] == "evil\x1b]0;x\x07"
    assert value["metrics"]["loss"]["last"] == "NaN"
    assert value["environment"]["interpreter"]["version"] == "3.11"
    assert value["artifacts"] == []
    assert value["verdict"] is None


def test_parts_have_json_too(shown: Path, cli: Cli) -> None:
    assert json.loads(cli("show", "@", "--config", "--json").out) == {
        "lr": 0.1,
        "model": {"width": 3},
    }
    assert json.loads(cli("show", "@", "--series", "loss", "--json").out) == [
        [0, 0.5, 1.5],
        [1, "NaN", 2.5],
    ]
    assert set(json.loads(cli("show", "@", "--metrics", "--json").out)) == {"loss"}


def test_a_run_in_progress_is_shown(repository: Path, cli: Cli) -> None:
    live = begin(open_here(repository))
    live.journal.log(0, 1.0, {"loss": 0.5})
    (live.dir / "output.log").write_bytes(b"so far\n")
    assert "running" in cli("show", "@").out
    assert cli("show", "@", "--output").out == "so far\n"
    assert json.loads(cli("show", "@", "--series", "loss", "--json").out) == [[0, 0.5, 1.0]]
    live.journal.close()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nothing"], 128, "there is no run `nothing`"),
        (["@", "--config", "--env"], 129, "two parts"),
        (["@", "--series", "los"], 128, "did you mean `loss`"),
        (["@", "--output", "--json"], 129, "no JSON"),
        (["@{-1}"], 128, "no run was checked out"),
    ],
)
def test_a_wrong_question_is_one_error(
    shown: Path, cli: Cli, words: list[str], code: int, said: str
) -> None:
    ended = cli("show", *words, code=code)
    assert ended.out == ""
    assert said in ended.err
    assert "hint" in ended.err


def test_candidates_are_listed(repository: Path, cli: Cli) -> None:
    for tail in "bc":
        write_run(open_at(repository), make_record(id=run_id(f"aaaa{tail}")))
    ended = cli("show", "aaaa", code=128)
    assert "aaaab0000000" in ended.err
    assert "aaaac0000000" in ended.err


def test_an_error_in_json_names_its_slug(repository: Path, cli: Cli) -> None:
    ended = cli("show", "nothing", "--json", code=128)
    assert json.loads(ended.err)["error"] == "unknown-run"


def test_a_newer_run_says_so_with_the_next_step(repository: Path, cli: Cli) -> None:
    record = make_record()
    content = b'{"format": 7, "id": "%b"}' % record.run.id.encode()
    write_run(open_at(repository), record, files={"run.json": content})
    ended = cli("show", record.run.id, code=128)
    assert "was written by a newer repro (format 7; this one reads up to 1)" in ended.err
    assert "hint: upgrade repro" in ended.err


def test_the_history_says_who_said_what_and_lets_nothing_through_raw(
    repository: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(open_here(repository), name="old")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Eve\x1b[2J")
    assert cli("show", "@", "--history").out == ""
    cli("note", "@", "a\x1b[2J\nb")
    cli("rename", "@", "new")
    text = cli("show", "@", "--history").out
    assert "\x1b" not in text
    first, second = text.splitlines()[-2:]
    assert "Eve" in first
    assert "a\\x1b[2J\\nb" in first
    assert second.split()[-3:] == ["name", "old", "new"]
    steps = json.loads(cli("show", "@", "--history", "--json").out)
    assert [step["changes"][0]["what"] for step in steps] == ["note", "name"]


def test_a_command_is_shown_so_that_a_shell_reads_the_same_words(repository, cli):
    cli("run", "--", "sh", "-c", "echo 'a  b' >&2")

    line = next(line for line in cli("show", "@").out.splitlines() if line.startswith("command"))
    assert shlex.split(line)[1:] == ["sh", "-c", "echo 'a  b' >&2"]
