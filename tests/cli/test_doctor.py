import json
import shutil
import subprocess
import sys

import pytest
from tests.support import git, write_files
from tests.support.datasets import add_data
from tests.support.projects import make_run, open_here
from tests.support.records import make_record, write_run


@pytest.fixture
def run(repository):
    return make_run(open_here(repository), command=("sh", "train.sh"))


def test_what_is_ok_is_one_line(cli, run):
    ended = cli("doctor", run.id, "--offline")

    lines = ended.out.splitlines()
    assert lines[0].startswith(f"run {run.id[:6]}: ")
    assert lines[-1].startswith("  ok        code, base")
    assert ended.err == ""


def test_verbose_shows_what_is_ok(cli, run):
    said = cli("doctor", run.id, "--offline", "-v").out

    assert "  ok        code" in said
    assert "all 2 objects of the snapshot are here" in said


def test_what_is_missing_ends_in_1_and_says_what_to_do(cli, repository):
    write_files(repository, {"data/train/a.txt": "one\n"})
    run = make_run(add_data(repository, keep=False))
    shutil.rmtree(repository / "data/train")

    ended = cli("doctor", run.id, "--offline", code=1)

    assert "1 missing" in ended.out.splitlines()[0]
    assert "  missing   data:train" in ended.out
    assert "→ put the files back as they were" in ended.out


def test_degraded_alone_ends_in_0(cli, repository):
    write_files(repository, {".env": "KEY=1\n"})
    run = make_run(open_here(repository), command=("sh",))

    ended = cli("doctor", run.id, "--offline")

    assert "  degraded  secrets" in ended.out


def test_json_has_the_documented_shape(cli, run):
    value = json.loads(cli("doctor", run.id, "--offline", "--json").out)

    assert list(value) == ["run", "ok", "items"]
    assert (value["run"], value["ok"]) == (run.id, True)
    assert {tuple(item) for item in value["items"]} == {("item", "state", "detail", "hint")}
    assert {item["state"] for item in value["items"]} <= {"ok", "degraded", "missing"}


def test_json_of_several_runs_is_an_array_in_the_order_asked_for(cli, repository, run):
    other = make_run(open_here(repository))

    value = json.loads(cli("doctor", run.id, other.id, "--offline", "--json").out)

    assert [one["run"] for one in value] == [run.id, other.id]


def test_all_examines_every_run_newest_first(cli, repository, run):
    project = open_here(repository, clock=lambda: 1_790_000_000.0)
    other = make_run(project)

    said = cli("doctor", "--all", "--offline").out
    value = json.loads(cli("doctor", "--all", "--offline", "--json").out)

    assert [one["run"] for one in value] == [other.id, run.id]
    assert said.index(other.id[:6]) < said.index(run.id[:6])


def test_all_of_one_run_is_an_array_too(cli, run):
    value = json.loads(cli("doctor", "--all", "--offline", "--json").out)

    assert [one["run"] for one in value] == [run.id]


def test_all_where_there_is_no_run_is_done_at_once(cli, repository):
    assert cli("doctor", "--all", "--json").out == "[]\n"


def test_a_run_that_cannot_be_read_hides_no_other(cli, repository, run):
    project = open_here(repository)
    write_run(project.repository, make_record(), files={"run.json": b"{}\n"})

    ended = cli("doctor", "--all", "--offline")

    assert run.id[:6] in ended.out
    assert "repro: warning: " in ended.err


@pytest.mark.parametrize("words", [(), ("--all", "@")])
def test_neither_or_both_is_a_wrong_command_line(cli, run, words):
    assert "doctor RUN" in cli("doctor", *words, code=129).err


def test_an_unknown_run_is_an_error(cli, run):
    assert "there is no run" in cli("doctor", "nobody", code=128).err


def test_what_a_terminal_would_obey_is_shown_escaped(cli, repository):
    project = open_here(repository)
    record = make_record(command=("\x1b[2J",), data={"\x1b[31m": {"path": "x"}})
    run = write_run(project.repository, record).run

    assert "\x1b" not in cli("doctor", run.id, "--offline", "-v", code=1).out


def test_a_run_ends_with_the_short_form(repository):
    write_files(repository, {"data/train/a.txt": "one\n"})
    add_data(repository, keep=False)
    words = ("run", "--", "sh", "-c", "true", "--api-key", "k")

    done = subprocess.run(
        [sys.executable, "-m", "repro", *words], capture_output=True, text=True, check=True
    )

    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == (
        "repro: reproducible: yes, as long as dataset `train` stays as it is,"
        " given `--api-key` again"
    )


def test_a_run_that_could_not_be_reproduced_says_why_at_its_end(repository):
    write_files(repository, {"repro.yaml": "snapshot: {max_file: 1KiB}\n", "big.bin": "x" * 2000})

    done = subprocess.run(
        [sys.executable, "-m", "repro", "run", "--", "true"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    short = git(repository, "for-each-ref", "--format=%(refname:lstrip=3)", "refs/repro/runs")[:6]
    assert done.stderr.splitlines()[-1] == (
        "repro: reproducible: no — `big.bin` is not in the record (too large)"
        f" · repro doctor {short}"
    )


def test_code_that_records_alone_hears_of_it_only_when_it_is_not(repository):
    script = "import repro; repro.init(); repro.finish()"
    ask = [sys.executable, "-c", script]
    good = subprocess.run(ask, capture_output=True, text=True, check=True)
    write_files(repository, {"repro.yaml": "snapshot: {max_file: 1KiB}\n", "big.bin": "x" * 2000})
    bad = subprocess.run(ask, capture_output=True, text=True, check=True)

    assert "reproducible" not in good.stderr
    assert "repro: reproducible: no — `big.bin` is not in the record" in bad.stderr
