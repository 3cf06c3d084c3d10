"""A run is started, logged to, sealed and recovered; the user's repository never notices."""

import gc
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from tests.store.forms import FORMS, submodule_inside
from tests.support import git, write_files
from tests.support.projects import NOW, begin, make_run, open_here, ticking

from repro.core.amend import amend_run
from repro.core.outputs import store_artifact
from repro.core.query import resolve_run
from repro.core.record import recover_runs, seal_run
from repro.core.trust import is_own
from repro.errors import DamagedRecordError, InvalidInputError, StorageError, UsageError
from repro.model.canonical import MAX_BYTES
from repro.model.run import Status
from repro.store.refs import LIVE, RUNS, list_refs


def test_a_run_is_a_commit_above_its_snapshot_above_its_base(repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD")
    write_files(repository, {"train.py": "print('edited')\n", "new.py": "new\n"})

    run = make_run(open_here(repository), {"loss": 0.5}, name="first")

    ref = RUNS + run.id
    assert git(repository, "rev-parse", f"{ref}^^") == base
    assert git(repository, "show", f"{ref}^:train.py") == "print('edited')"
    assert git(repository, "diff", "--name-only", base, f"{ref}^") == "new.py\ntrain.py"
    assert git(repository, "log", "-1", "--format=%s", ref) == f"run {run.id}: first"
    trailers = git(repository, "log", "-1", "--format=%(trailers)", ref).strip()
    assert trailers == f"Repro-Run: {run.id}\nRepro-Status: finished"


def test_the_snapshot_of_a_clean_tree_is_the_base_itself(repository: Path) -> None:
    run = make_run(open_here(repository))

    assert git(repository, "rev-parse", f"{RUNS}{run.id}^") == git(repository, "rev-parse", "HEAD")
    assert not run.dirty


def test_plain_git_reads_the_record(repository: Path) -> None:
    write_files(
        repository, {"params.yaml": "model:\n  width: 3\n", "repro.yaml": "config: [params.yaml]\n"}
    )
    project = open_here(repository)

    run = make_run(
        project,
        {"loss": 0.5},
        steps=3,
        command=("python", "train.py", "--lr", "1e-3"),
        config={"dropout": 0.1},
    )

    shown = git(repository, "show", f"{RUNS}{run.id}:config.yaml")
    assert shown == "model:\n  width: 3\nlr: 0.001\ndropout: 0.1"
    assert '"count": 3' in git(repository, "show", f"{RUNS}{run.id}:metrics.json")
    assert (
        git(repository, "show", f"{RUNS}{run.id}:metrics/0.csv").splitlines()[0] == "step,time,loss"
    )
    assert '"status": "finished"' in git(repository, "show", f"{RUNS}{run.id}:run.json")


def test_while_it_runs_a_live_ref_holds_the_code_and_then_goes(repository: Path) -> None:
    write_files(repository, {"new.py": "new\n"})
    project = open_here(repository)

    live = begin(project)
    held = list_refs(project.repository.git, LIVE, RUNS)
    assert list(held) == [LIVE + live.id]
    assert git(repository, "show", f"{LIVE}{live.id}:new.py") == "new"
    live.journal.close()
    seal_run(project, live.dir)

    assert list(list_refs(project.repository.git, LIVE, RUNS)) == [RUNS + live.id]
    assert list(project.live.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_repository_records_a_run(form: str, tmp_path: Path) -> None:
    root = FORMS[form](tmp_path)
    write_files(root, {"new.py": "new\n"})

    run = make_run(open_here(root), {"loss": 1.0})

    assert git(root, "show", f"{RUNS}{run.id}^:new.py") == "new"
    git(root, "fsck", "--strict", "--connectivity-only")


def test_nothing_of_the_users_changes(repository: Path) -> None:
    write_files(repository, {"train.py": "staged\n", "untracked.py": "x\n"})
    git(repository, "add", "train.py")
    write_files(repository, {"train.py": "unstaged\n"})
    (repository / ".git" / "hooks").mkdir(exist_ok=True)
    for hook in ("pre-commit", "post-checkout", "reference-transaction", "post-index-change"):
        path = repository / ".git" / "hooks" / hook
        path.write_text(f"#!/bin/sh\ntouch {repository}/../{hook}-ran\n")
        path.chmod(0o755)
    git(repository, "config", "commit.gpgSign", "true")

    def state() -> list[object]:
        return [
            (repository / ".git" / "index").read_bytes(),
            (repository / ".git" / "HEAD").read_bytes(),
            (repository / ".git" / "config").read_bytes(),
            (repository / ".git" / "logs" / "HEAD").read_bytes(),
            git(repository, "--no-optional-locks", "status", "--porcelain"),
            git(repository, "branch", "-a"),
            git(repository, "stash", "list"),
            git(repository, "log", "--oneline"),
        ]

    before = state()
    make_run(open_here(repository), {"loss": 1.0})

    assert state() == before
    assert not list(repository.parent.glob("*-ran"))


def test_without_a_user_name_recording_works(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
    ):
        monkeypatch.delenv(name)
    git(repository, "config", "user.useConfigOnly", "true")

    run = make_run(open_here(repository))

    assert run.status is Status.FINISHED


def test_before_the_first_commit_the_snapshot_has_no_parent(tmp_path: Path) -> None:
    root = tmp_path / "unborn"
    root.mkdir()
    git(root, "init", "-q")
    write_files(root, {"a.py": "1\n"})

    run = make_run(open_here(root))

    assert run.base is None
    assert git(root, "rev-list", "--count", RUNS + run.id) == "2"


def test_config_secrets_are_redacted(repository: Path) -> None:
    run = make_run(
        open_here(repository),
        command=("python", "train.py", "--api-key", "s3cr3t-value", "--lr=1"),
        config={"db": {"password": "hunter2-value"}},
    )

    everything = git(repository, "show", f"{RUNS}{run.id}:run.json")
    everything += git(repository, "show", f"{RUNS}{run.id}:config.yaml")
    assert "s3cr3t" not in everything
    assert "hunter2" not in everything


def test_sealing_the_same_journal_twice_gives_the_same_commit(
    repository: Path, tmp_path: Path
) -> None:
    write_files(repository, {"new.py": "new\n"})
    project = open_here(repository)
    live = begin(project)
    live.journal.log(0, project.clock(), {"loss": 1.0})
    live.journal.close()
    shutil.copytree(live.dir, tmp_path / "copy")
    anchor = git(repository, "rev-parse", LIVE + live.id)

    seal_run(project, live.dir)
    first = git(repository, "rev-parse", RUNS + live.id)
    git(repository, "update-ref", "-d", RUNS + live.id)
    git(repository, "update-ref", LIVE + live.id, anchor)
    shutil.copytree(tmp_path / "copy", live.dir)
    seal_run(open_here(repository, ticking(2e9)), live.dir)

    assert git(repository, "rev-parse", RUNS + live.id) == first


@pytest.mark.parametrize("is_on", [True, False])
def test_sealing_leaves_the_garbage_collector_as_it_was(repository: Path, *, is_on: bool) -> None:
    was_on = gc.isenabled()
    try:
        (gc.enable if is_on else gc.disable)()
        make_run(open_here(repository), {"loss": 0.5})
        assert gc.isenabled() is is_on
    finally:
        (gc.enable if was_on else gc.disable)()


def test_a_run_sealed_but_not_cleaned_up_is_cleaned_up(repository: Path, tmp_path: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    live.journal.close()
    shutil.copytree(live.dir, tmp_path / "copy")
    seal_run(project, live.dir)
    first = git(repository, "rev-parse", RUNS + live.id)
    shutil.copytree(tmp_path / "copy", live.dir)

    recovered = recover_runs(project)

    assert [run.id for run in recovered.runs] == [live.id]
    assert git(repository, "rev-parse", RUNS + live.id) == first
    assert not live.dir.exists()


def test_a_run_in_progress_is_left_alone(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)

    assert recover_runs(project).runs == ()
    assert live.dir.exists()
    live.journal.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.support.projects import begin, open_here
project = open_here(Path(sys.argv[1]))
live = begin(project, name="killed")
for step in range(10):
    live.journal.log(step, project.clock(), {"loss": 1.0 / (step + 1)})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_run_is_sealed_as_lost_with_all_its_points(repository: Path) -> None:
    top = Path(__file__).parents[2]
    environ = {**os.environ, "PYTHONPATH": str(top)}
    subprocess.run([sys.executable, "-c", KILLED, str(repository)], env=environ, check=False)
    project = open_here(repository)

    [run] = recover_runs(project).runs

    assert run.status is Status.LOST
    assert run.name == "killed"
    table = git(repository, "show", f"{RUNS}{run.id}:metrics/0.csv").splitlines()
    assert len(table) == 11
    assert recover_runs(project).runs == ()


def test_a_damaged_live_folder_is_named_and_hides_no_other(repository: Path) -> None:
    project = open_here(repository)
    bad = begin(project)
    bad.journal.close()
    good = begin(project)
    good.journal.close()
    (bad.dir / "start.json").write_text("{")

    recovered = recover_runs(project)

    assert [run.id for run in recovered.runs] == [good.id]
    assert [bad.id in problem for problem in recovered.problems] == [True]
    assert (bad.dir / "start.json").exists()


def test_a_start_that_fails_leaves_nothing(repository: Path) -> None:
    write_files(repository, {"new.py": "new\n"})
    git(repository, "config", "filter.bad.clean", "false")
    git(repository, "config", "filter.bad.required", "true")
    write_files(repository, {".gitattributes": "*.py filter=bad\n"})
    project = open_here(repository)

    with pytest.raises(Exception, match="clean filter"):
        begin(project)

    assert list(project.live.iterdir()) == []
    assert list_refs(project.repository.git, "refs/repro/") == {}


def test_a_start_that_fails_after_its_snapshot_leaves_nothing(repository: Path) -> None:
    write_files(repository, {"repro.yaml": "config: [missing.yaml]\n"})
    project = open_here(repository)

    with pytest.raises(InvalidInputError, match="missing"):
        begin(project)

    assert list(project.live.iterdir()) == []
    assert list_refs(project.repository.git, "refs/repro/") == {}


def test_a_run_whose_folder_was_deleted_is_said_to_be_gone_and_leaves_nothing(
    repository: Path,
) -> None:
    write_files(repository, {"new.py": "new\n"})
    project = open_here(repository)
    live = begin(project)
    live.journal.close()
    shutil.rmtree(live.dir)

    with pytest.raises(DamagedRecordError, match=f"all that run `{live.id}` logged"):
        seal_run(project, live.dir)

    assert list_refs(project.repository.git, "refs/repro/") == {}


def test_a_name_with_a_nul_gives_a_commit_that_fsck_accepts(repository: Path) -> None:
    run = make_run(open_here(repository), name="a\0b")

    git(repository, "fsck", "--strict")
    assert git(repository, "log", "-1", "--format=%s", RUNS + run.id) == f"run {run.id}: a\\x00b"
    assert run.name == "a\0b"


def test_of_artifacts_that_need_one_name_the_newer_is_kept_and_the_other_said(
    repository: Path,
) -> None:
    project = open_here(repository)
    live = begin(project)
    for path in ("a/b", "c", "a", "c/d"):
        kept = store_artifact(live.dir, project.store, repository / "train.py", path)
        live.journal.append({"k": "artifact", "t": project.clock(), **asdict(kept)})
    live.journal.close()

    run = seal_run(project, live.dir).run

    listed = git(repository, "ls-tree", "-r", "--name-only", f"{RUNS}{run.id}:artifacts")
    assert listed.split() == ["a", "c/d"]
    found = json.loads(git(repository, "show", f"{RUNS}{run.id}:artifacts.json"))
    assert [artifact["path"] for artifact in found] == ["a", "c/d"]
    assert sorted(warning.split("`")[1] for warning in run.warnings) == ["a/b", "c"]


def test_an_artifact_whose_bytes_are_gone_is_not_in_the_record(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    kept = store_artifact(live.dir, project.store, repository / "train.py", "model")
    live.journal.append({"k": "artifact", "t": project.clock(), **asdict(kept)})
    live.journal.close()
    shutil.rmtree(live.dir / "artifacts")

    run = seal_run(project, live.dir).run

    assert git(repository, "show", f"{RUNS}{run.id}:artifacts.json") == "[]"
    assert run.warnings == ("artifact `model` is not kept: its bytes are gone",)


def test_a_start_too_large_to_be_read_back_is_refused_and_leaves_nothing(
    repository: Path,
) -> None:
    project = open_here(repository)

    with pytest.raises(InvalidInputError, match="config and note have"):
        begin(project, note="x" * MAX_BYTES)

    assert list(project.live.iterdir()) == []


def test_summaries_too_many_to_be_read_back_are_left_out_and_the_points_kept(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("repro.core.seal.MAX_BYTES", 1000)

    run = make_run(open_here(repository), {f"m{n}": 1.0 for n in range(9)})

    shown = git(repository, "show", f"{RUNS}{run.id}:metrics.json")
    assert json.loads(shown) == {"metrics": {}, "summary": {}}
    assert "m8" in git(repository, "show", f"{RUNS}{run.id}:metrics/0.csv")
    assert run.warnings == ("9 metrics are too many to be summarised; `metrics/` has all points",)


@pytest.mark.parametrize("name", ["start.json", "seal.lock", "journal-1-0.jsonl", "output.log"])
def test_a_folder_in_the_place_of_a_file_hides_no_other_run(repository: Path, name: str) -> None:
    project = open_here(repository)
    bad = begin(project)
    bad.journal.close()
    good = begin(project)
    good.journal.close()
    (bad.dir / name).unlink(missing_ok=True)
    (bad.dir / name).mkdir()

    recovered = recover_runs(project)

    assert [run.id for run in recovered.runs] == [good.id]
    assert [bad.id in problem for problem in recovered.problems] == [True]


@pytest.mark.parametrize(
    "record",
    [
        {"k": "log", "s": [], "t": NOW, "m": {"loss": 1.0}},
        {"k": "log", "s": 1 << 63, "t": NOW, "m": {"loss": 1.0}},
        {"k": "log", "s": 1, "t": "now", "m": {"loss": 1.0}},
        {"k": "log", "s": 1, "t": 1e300, "m": {"loss": 1.0}},
        {"k": "end", "status": "happy", "t": NOW},
        {"k": "end", "status": "finished", "exit_code": "x", "t": NOW},
        {
            "k": "artifact",
            "path": "../x",
            "size": 1,
            "digest": f"sha256:{'a' * 64}",
            "where": "git",
        },
        {"k": "artifact", "path": "x", "size": 1, "digest": "sha256:../../x", "where": "git"},
        {"k": "name", "v": 5},
        {"k": "tags", "v": [5]},
        {"k": "warning", "v": {}},
        {"k": "config", "c": 5},
        {"k": "journal", "rank": "first", "t": NOW},
        {"k": "journal", "rank": 0, "t": "now"},
    ],
)
def test_a_record_with_values_of_another_kind_costs_itself_alone(
    repository: Path, record: dict
) -> None:
    project = open_here(repository)
    live = begin(project)
    live.journal.log(0, project.clock(), {"loss": 1.0})
    live.journal.append(record)
    live.journal.close()

    run = seal_run(project, live.dir).run

    assert (run.status, run.skipped_lines) == (Status.LOST, 1)
    assert git(repository, "show", f"{RUNS}{run.id}:metrics/0.csv").count("\n") == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_repository_is_one_clear_error(repository: Path) -> None:
    (repository / ".git").chmod(0o555)
    try:
        with pytest.raises(StorageError, match="permission denied"):
            begin(open_here(repository))
    finally:
        (repository / ".git").chmod(0o755)


def test_a_resumed_run_keeps_its_points_and_moves_forward(repository: Path) -> None:
    project = open_here(repository)
    first = make_run(project, {"loss": 1.0}, steps=3, status="failed", tags=("a",))
    before = git(repository, "rev-parse", RUNS + first.id)
    write_files(repository, {"train.py": "print('fixed')\n"})

    live = begin(project, resume=first.id, tags=("b",))
    live.journal.log(3, project.clock(), {"loss": 0.25})
    live.journal.append({"k": "end", "t": project.clock(), "status": "finished", "exit_code": 0})
    live.journal.close()
    run = seal_run(project, live.dir).run

    assert run.id == first.id
    assert [attempt.status for attempt in run.attempts] == [Status.FAILED, Status.FINISHED]
    assert run.tags == ("a", "b")
    parents = git(repository, "rev-list", "--parents", "-1", RUNS + run.id).split()
    assert parents[1:] == [run.snapshot, before]
    assert len(git(repository, "show", f"{RUNS}{run.id}:metrics/0.csv").splitlines()) == 5


def test_a_run_in_progress_cannot_be_resumed(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)

    with pytest.raises(UsageError, match="in progress"):
        begin(project, resume=live.id)
    live.journal.close()


def test_the_dirty_content_of_a_submodule_survives_the_submodule(tmp_path: Path) -> None:
    root = submodule_inside(tmp_path)
    write_files(root, {"lib/new.py": "NEW\n"})

    run = make_run(open_here(root))
    shutil.rmtree(root / "lib")
    shutil.rmtree(root / ".git" / "modules")
    git(root, "gc", "-q", "--prune=now")

    assert git(root, "show", f"{RUNS}{run.id}:submodules/lib/new.py") == "NEW"


def test_a_record_of_another_shape_is_skipped_and_counted(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    live.journal.log(0, project.clock(), {"loss": 1.0})
    live.journal.append({"k": "log", "s": 1, "t": project.clock(), "m": {"loss": None}})
    live.journal.append({"k": "summary"})
    live.journal.append({"k": "of a later version", "t": project.clock()})
    live.journal.close()

    run = seal_run(project, live.dir).run

    assert run.skipped_lines == 2
    assert len(git(repository, "show", f"{RUNS}{run.id}:metrics/0.csv").splitlines()) == 2


def test_a_resumed_run_keeps_what_its_earlier_attempts_left(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    (live.dir / "output.log").write_bytes(b"first attempt\n")
    small, digest = b"weights", "sha256:" + hashlib.sha256(b"weights").hexdigest()
    (live.dir / "artifacts").mkdir()
    (live.dir / "artifacts" / digest[7:]).write_bytes(small)
    for record in (
        {"k": "define", "n": "acc", "goal": "maximize"},
        {"k": "log", "s": 0, "t": project.clock(), "m": {"acc": 0.5}},
        {"k": "system", "t": project.clock(), "m": {"cpu": 10.0}},
        {"k": "summary", "s": {"best": 3}},
        {"k": "artifact", "path": "w.bin", "size": 7, "digest": digest, "where": "git"},
        {"k": "end", "t": project.clock(), "status": "failed", "exit_code": 1},
    ):
        live.journal.append(record)
    live.journal.close()
    seal_run(project, live.dir)

    again = begin(project, resume=live.id)
    (again.dir / "output.log").write_bytes(b"second attempt\n")
    again.journal.append({"k": "system", "t": project.clock(), "m": {"cpu": 20.0}})
    again.journal.log(1, project.clock(), {"acc": 0.75})
    again.journal.close()
    seal_run(project, again.dir)

    ref = RUNS + live.id
    assert git(repository, "show", f"{ref}:output.log") == "first attempt\nsecond attempt"
    assert git(repository, "show", f"{ref}:artifacts/w.bin") == "weights"
    assert '"w.bin"' in git(repository, "show", f"{ref}:artifacts.json")
    assert '"best": 3' in git(repository, "show", f"{ref}:metrics.json")
    assert '"goal": "maximize"' in git(repository, "show", f"{ref}:metrics.json")
    assert len(git(repository, "show", f"{ref}:metrics/system.csv").splitlines()) == 3


def test_files_that_come_back_with_other_line_ends_are_named(repository: Path) -> None:
    git(repository, "config", "core.autocrlf", "true")
    write_files(repository, {"mixed.txt": b"a\r\nb\n", "dos.txt": b"a\r\nb\r\n"})

    run = make_run(open_here(repository))

    [warning] = run.warnings
    assert warning.startswith("`mixed.txt` will come back with other line ends")


def test_what_was_said_of_a_run_while_it_was_continued_stays_said(repository):
    project = open_here(repository)
    run = make_run(project, {"loss": 0.5}, tags=("a",))
    live = begin(project, resume=run.id)
    amend_run(project, run.id, lambda run: replace(run, tags=(*run.tags, "b"), note="pulled"))
    said = git(repository, "rev-parse", f"refs/repro/runs/{run.id}")
    live.journal.log(1, project.clock(), {"loss": 0.1})
    live.journal.append({"k": "end", "t": project.clock(), "status": "finished", "exit_code": 0})
    live.journal.close()

    seal_run(project, live.dir)

    record = resolve_run(project, run.id)
    assert len(record.run.attempts) == 2
    assert (record.run.tags, record.run.note) == (("a", "b"), "pulled")
    assert record.metrics["loss"].last == 0.1
    git(repository, "merge-base", "--is-ancestor", said, record.commit)
    assert is_own(project, record)
    assert not live.dir.exists()
