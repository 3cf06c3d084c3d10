"""Names of runs, and refs, that are made to be something else."""

import json
from pathlib import Path

import pytest

from repro.cli.main import run_cli
from tests.support import git
from tests.support.cli import Cli
from tests.support.records import make_record, open_at, run_id, write_run

ODD = [
    "--upload-pack=touch CANARY", "-rf", "../../heads/main", "a.lock", "@{", "HEAD",
    "x" * 300, "x" * 65536, "\u0430" * 12, "\udcff\udcfe", "\u202e" * 4, "a\nb", "",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD, ids=lambda name: ascii(name[:20]))
def test_no_name_of_a_run_is_an_option(
    repository: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    write_run(open_at(repository), make_record())
    code = run_cli(["show", name])
    said = capsys.readouterr()
    assert code in (128, 129)
    assert "Traceback" not in said.err
    assert not (repository / "CANARY").exists()


def test_odd_refs_are_no_runs(repository: Path, cli: Cli) -> None:
    good = write_run(open_at(repository), make_record()).run.id
    commit = git(repository, "rev-parse", f"refs/repro/runs/{good}")
    names = [b"-rf", b"@", b"HEAD", b"RUN1", b"run1", "\u0430".encode() * 12, b"\xff\xfe", b"x/y"]
    lines = [f"{commit} refs/repro/runs/".encode() + name + b"\n" for name in names]
    mine = f"{commit} refs/repro/runs/{good}\n".encode()
    header = b"# pack-refs with: peeled fully-peeled \n"
    git(repository, "pack-refs", "--all")
    head = git(repository, "rev-parse", "HEAD")
    (repository / ".git/packed-refs").write_bytes(
        b"".join([header, f"{head} refs/heads/main\n".encode(), mine, *lines])
    )
    listed = json.loads(cli("ls", "--json").out)
    assert [run["id"] for run in listed] == [good]


def test_a_prefix_of_two_runs_is_refused(repository: Path, cli: Cli) -> None:
    for end in ("1", "2"):
        write_run(open_at(repository), make_record(id=run_id(f"same{end}")))
    said = cli("show", "same", code=128).err
    assert "same1" in said
    assert "same2" in said


def test_a_symbolic_ref_is_not_written_through(repository: Path, cli: Cli) -> None:
    good = write_run(open_at(repository), make_record()).run.id
    before = git(repository, "rev-parse", "main")
    other = run_id("sym")
    git(repository, "symbolic-ref", f"refs/repro/runs/{other}", "refs/heads/main")
    listed = json.loads(cli("ls", "--json").out)
    assert [run["id"] for run in listed] == [good]
    cli("tag", other, "evil", code=128)
    assert git(repository, "rev-parse", "main") == before


def test_a_ref_to_nothing_hides_no_other_run(repository: Path, cli: Cli) -> None:
    good = write_run(open_at(repository), make_record()).run.id
    place = repository / ".git/refs/repro/runs" / run_id("gone")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("deadbeef" * 5 + "\n")
    ended = cli("ls", "--json")
    assert [run["id"] for run in json.loads(ended.out)] == [good]
    assert place.exists()
