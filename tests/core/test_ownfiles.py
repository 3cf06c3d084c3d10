"""No file in the folder of a run is lost, whether the record can have it or not."""

import os
import shutil
from pathlib import Path

from tests.support import git, write_files
from tests.support.projects import begin, open_here

from repro.core.outputs import store_artifact
from repro.core.ownfiles import set_aside
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.core.record import recover_runs, seal_run
from repro.core.start import LiveRun


def read_unkept(project: Project) -> dict[str, str]:
    """The files that were set aside, by name below the folder of all runs."""
    top = project.repository.private / "unkept"
    files = sorted(path for path in top.rglob("*") if path.is_file())
    return {path.relative_to(top).as_posix(): path.read_text() for path in files}


def leave(live: LiveRun, files: dict[str, str]) -> None:
    """Write files into the folder of the run, which then ends."""
    write_files(live.dir / "files", files)
    live.journal.close()


def test_a_file_that_no_record_can_have_outlives_the_folder_of_its_run(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    odd = {".env": "K=1", "A.txt": "A", "a.txt": "a", "sub/.git/config": "c", "sub/b": "b"}
    leave(live, odd)
    (live.dir / "files/linked").symlink_to(repository / "train.py")
    os.mkfifo(live.dir / "files/pipe")

    record = seal_run(project, live.dir)

    assert "A.txt" in {one.path for one in record.artifacts}
    assert read_unkept(project) == {
        f"{live.id}/.env": "K=1", f"{live.id}/a.txt": "a", f"{live.id}/sub/.git/config": "c",
    }  # fmt: skip
    assert not live.dir.exists()
    [said] = [one for one in record.run.warnings if "does not have: 3;" in one]
    assert said.endswith(f"`.git/repro/unkept/{live.id}` has them")


def test_a_run_all_of_whose_files_are_kept_leaves_none_behind(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    leave(live, {"a.pt": "a", "sub/b.pt": "b"})

    record = seal_run(project, live.dir)

    assert read_unkept(project) == {}
    assert record.run.warnings == ()


def test_a_file_that_was_logged_with_other_bytes_under_its_name_is_set_aside(
    repository: Path,
) -> None:
    project = open_here(repository)
    live = begin(project)
    write_files(repository, {"out/m.pt": "logged"})
    for name in ("m.pt", "same.pt"):
        kept = store_artifact(live.dir, project.store, repository / "out/m.pt", name)
        live.journal.append(
            {"k": "artifact", "t": project.clock(), "path": name, "size": kept.size,
             "digest": kept.digest, "where": kept.where}
        )  # fmt: skip
    leave(live, {"m.pt": "ledger", "same.pt": "logged"})

    record = seal_run(project, live.dir)

    assert read_unkept(project) == {f"{live.id}/m.pt": "ledger"}
    assert git(repository, "show", f"{record.commit}:artifacts/m.pt") == "logged"


def test_what_was_written_after_a_seal_that_was_killed_is_set_aside(
    repository: Path, tmp_path: Path
) -> None:
    project = open_here(repository)
    live = begin(project)
    leave(live, {"a.pt": "a", "b.pt": "b"})
    shutil.copytree(live.dir, tmp_path / "copy")
    seal_run(project, live.dir)
    shutil.copytree(tmp_path / "copy", live.dir)
    write_files(live.dir / "files", {"b.pt": "B", "c.pt": "c"})

    assert recover_runs(project).problems == ()

    assert read_unkept(project) == {f"{live.id}/b.pt": "B", f"{live.id}/c.pt": "c"}
    assert resolve_run(project, live.id).run.warnings == ()


def test_files_of_a_run_that_was_continued_stand_beside_those_of_before(tmp_path: Path) -> None:
    for said in ("first", "second"):
        live = tmp_path / "live/aaaaaaaaaaaa"
        write_files(live / "files", {".env": said})
        set_aside(live, tmp_path, {}, {})

    assert (tmp_path / "unkept/aaaaaaaaaaaa/.env").read_text() == "first"
    assert (tmp_path / "unkept/aaaaaaaaaaaa-2/.env").read_text() == "second"
