"""Media are kept before they are named, sealed within limits, read with distrust, carried along."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.projects import begin, open_here
from tests.support.records import make_record, open_at, write_run

from repro.core.baggage import find_baggage
from repro.core.fsck_record import Seen, check_record
from repro.core.media import list_media, next_step, read_image, read_medium, read_rows
from repro.core.mediakept import keep_bytes
from repro.core.mediaseal import seal_media
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.core.record import seal_run
from repro.core.start import LiveRun
from repro.core.verify import verify_runs
from repro.errors import DamagedRecordError, StorageError
from repro.model.medium import CellImage, MediaFile, Medium
from repro.store.content import ContentStore
from repro.store.media import encode_item, format_media, format_rows
from repro.store.objects import reading

PNG = b"\x89PNG\r\n\x1a\n"


def a_medium(file: MediaFile, **values: Any) -> Medium:
    known = {"name": "x", "step": 0, "time": 1.0, "place": 0, "kind": "image"}
    return Medium(**{**known, "file": file, **values})


def log_media(project: Project, live: LiveRun, step: int, *media: Medium) -> None:
    items = [encode_item(one) for one in media]
    live.journal.append({"k": "media", "t": project.clock(), "s": step, "v": {"x": items}})


def seal(project: Project, live: LiveRun) -> Any:
    live.journal.append({"k": "end", "t": project.clock(), "status": "finished", "exit_code": 0})
    live.journal.close()
    return resolve_run(project, seal_run(project, live.dir).run.id)


def big(number: int) -> bytes:
    """A picture beyond what goes into git."""
    return PNG + bytes([number]) * (1 << 20)


def test_those_of_a_run_in_progress_are_read_from_its_folder(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    small, large = keep_bytes(live.dir, PNG, "png"), keep_bytes(live.dir, big(1), "png")
    log_media(project, live, 4, a_medium(small), a_medium(large, caption="large"))

    record = resolve_run(project, live.run.id)
    first, second = list_media(project, record)
    assert (first.step, second.caption, second.place) == (4, "large", 1)
    assert read_image(project, record, first).data == PNG
    assert read_image(project, record, second).data == big(1)
    sealed = seal(project, live)
    assert next_step(project, sealed) == 5
    # Whoever still has the record of the run in progress sees no difference.
    assert read_image(project, record, first).data == PNG
    assert [one.place for one in list_media(project, sealed)] == [0, 1]


def test_a_line_that_no_repro_wrote_is_counted_and_hides_no_other(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    file = keep_bytes(live.dir, PNG, "png")
    log_media(project, live, 1, a_medium(file))
    for value in ({"x": [{"kind": "html"}]}, {"x": [3]}, [], {"": [encode_item(a_medium(file))]}):
        live.journal.append({"k": "media", "t": project.clock(), "s": 1, "v": value})

    record = seal(project, live)

    assert record.run.skipped_lines == 4
    assert len(list_media(project, record)) == 1


def _unlink(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(b"")  # as a power loss may leave it


@pytest.mark.parametrize("lose", [_unlink, _cut])
def test_media_whose_bytes_are_gone_are_left_out_and_that_is_said(
    repository: Path, lose: Callable[[Path], None]
) -> None:
    project = open_here(repository)
    live = begin(project)
    kept, gone = keep_bytes(live.dir, PNG, "png"), keep_bytes(live.dir, PNG + b"2", "png")
    log_media(project, live, 1, a_medium(kept), a_medium(gone))
    lose(live.dir / gone.path)

    record = seal(project, live)

    assert record.run.warnings == ("1 media are not kept: their bytes are gone",)
    assert [one.place for one in list_media(project, record)] == [0]


def test_past_the_limits_bytes_go_to_the_store_and_media_are_counted(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("repro.core.mediaseal.GIT_MEDIA_LIMIT", 30)
    monkeypatch.setattr("repro.core.mediaseal.MOST_MEDIA", 4)
    content = ContentStore(tmp_path / "store")
    files = [keep_bytes(repository, PNG + b"x" * number, "png") for number in (1, 2, 15, 2, 3)]
    media = {
        ("x", step): (a_medium(file, step=step, time=float(step)),)
        for step, file in enumerate(files)
    }

    sealed = seal_media(repository, content, media, {}, lambda _: "<redacted>")

    assert set(sealed.files) == {"media.jsonl", files[0].path, files[1].path}
    assert content.read(files[2].digest) == PNG + b"x" * 15
    assert sealed.warnings == ["1 media are not kept: a record holds no more than the first 4"]
    lines = sealed.files["media.jsonl"]
    assert isinstance(lines, bytes)
    assert [line.count(b'"store"') for line in lines.splitlines()] == [0, 0, 1, 0]


def test_secrets_in_captions_are_marked(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    caption = f"token={token}"
    log_media(project, live, 1, a_medium(keep_bytes(live.dir, PNG, "png"), caption=caption))

    [medium] = list_media(project, seal(project, live))

    assert medium.caption is not None
    assert token not in medium.caption
    assert "<redacted:" in medium.caption


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is gone"):
        keep_bytes(tmp_path / "gone", PNG, "png")


def named(data: bytes, kind: str = "png", digest: str = "") -> tuple[MediaFile, dict[str, bytes]]:
    digest = digest or f"sha256:{hashlib.sha256(data).hexdigest()}"
    file = MediaFile(kind, len(data), digest, "git")  # type: ignore[arg-type]
    return file, {file.path: data}


def record_of(repository: Path, medium: Medium, files: dict[str, bytes]) -> Any:
    files = {**files, "media.jsonl": format_media([medium])}
    return write_run(open_at(repository), make_record(), files=files)


@pytest.mark.parametrize(
    ("data", "digest", "reason"),
    [
        (b"<svg onload='alert(1)'/>", "", "is no picture"),
        (b"<html>", "", "is no picture"),
        (PNG + b"\0\0\0\rIHDR\0\1\x86\xa0\0\1\x86\xa0", "", "100,000 x 100,000 pixels"),
        (PNG, "sha256:" + "0" * 64, "are not those of its digest"),
    ],
)
def test_what_only_says_that_it_is_a_picture_is_refused(
    repository: Path, data: bytes, digest: str, reason: str
) -> None:
    file, files = named(data, digest=digest)
    record = record_of(repository, a_medium(file), files)
    project = open_here(repository)

    [medium] = list_media(project, record)
    with pytest.raises(DamagedRecordError, match=reason):
        read_medium(project, record, medium)


def test_a_picture_has_the_type_of_its_bytes(repository: Path) -> None:
    file, files = named(b"GIF89a\x01\0\x01\0")
    record = record_of(repository, a_medium(file), files)
    project = open_here(repository)

    assert read_image(project, record, list_media(project, record)[0]).content_type == "image/gif"


def test_no_more_rows_are_given_than_asked_for(repository: Path) -> None:
    file, files = named(format_rows(["a"], [[1], [CellImage(0)], [3]]), "json")
    table = a_medium(file, kind="table", rows=3, columns=1)
    record = record_of(repository, table, files)
    project = open_here(repository)

    found = read_rows(project, record, list_media(project, record)[0], limit=2)

    assert (found.rows, found.total) == (((1,), (CellImage(0),)), 3)


def test_bytes_that_are_not_there_are_said(repository: Path) -> None:
    file, _ = named(PNG)
    record = record_of(repository, a_medium(file), {})
    project = open_here(repository)

    with pytest.raises(DamagedRecordError, match="is not in the record"):
        read_image(project, record, a_medium(file))


def test_no_more_is_read_of_the_store_than_the_record_says(repository: Path) -> None:
    project = open_here(repository)
    digest = ContentStore(project.store).put_bytes(big(1))
    medium = a_medium(MediaFile("png", 8, digest, "store"))
    record = record_of(repository, medium, {})

    with pytest.raises(DamagedRecordError, match="has not the 8 bytes"):
        read_image(project, record, medium)


def test_media_of_a_run_in_progress_are_those_of_now_unless_older_ones_will_do(
    repository: Path,
) -> None:
    project = open_here(repository)
    live = begin(project)
    log_media(project, live, 1, a_medium(keep_bytes(live.dir, PNG, "png")))
    record = resolve_run(project, live.run.id)

    before = list_media(project, record)
    log_media(project, live, 0, a_medium(keep_bytes(live.dir, PNG + b"1", "png")))

    assert list_media(project, record, most_age_s=60.0) == before
    assert [one.step for one in list_media(project, record)] == [0, 1]
    assert [one.step for one in list_media(project, record, most_age_s=60.0)] == [0, 1]


def check(project: Project, record: Any) -> tuple[list[tuple[str, str]], Seen]:
    seen = Seen()
    with reading(project.repository) as objects:
        content = ContentStore(project.store)
        found = check_record(objects, content, record.run.id, record.commit, seen)
    return [(one.promise, one.reason) for one in found], seen


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda files: {}, "it is not in the record"),
        (lambda files: dict.fromkeys(files, PNG + b"!"), "its bytes are not those of its digest"),
    ],
)
def test_fsck_names_what_media_lack(
    repository: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]], reason: str
) -> None:
    file, files = named(PNG)
    project = open_here(repository)

    assert check(project, record_of(repository, a_medium(file), files))[0] == []
    assert check(project, record_of(repository, a_medium(file), change(files)))[0] == [
        ("F1", reason)
    ]


def test_large_ones_are_among_the_bytes_that_a_run_needs(repository: Path) -> None:
    project = open_here(repository)
    live = begin(project)
    file = keep_bytes(live.dir, big(1), "png")
    log_media(project, live, 1, a_medium(file), a_medium(file))
    record = seal(project, live)

    assert set(check(project, record)[1].wanted) == {file.digest}
    [wanted] = find_baggage(project, [record]).runs
    assert (wanted.sha256, wanted.size) == (file.digest.removeprefix("sha256:"), len(big(1)))


def test_media_are_no_part_of_a_verdict(repository: Path) -> None:
    project = open_here(repository)
    records = []
    for number in range(2):
        live = begin(project)
        live.journal.log(0, project.clock(), {"loss": 1.0})
        log_media(project, live, 1, a_medium(keep_bytes(live.dir, PNG + bytes([number]), "png")))
        records.append(seal(project, live))

    assert verify_runs(project, *records).outcome == "identical"
