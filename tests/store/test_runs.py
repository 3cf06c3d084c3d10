"""The record as a tree: written and read back the same, and nothing wrong gets in."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support import git
from tests.support.records import a_summary, make_record, open_at, run_id, write_run

from repro.errors import DamagedRecordError, NewerFormatError
from repro.model.canonical import parse_json
from repro.model.run import Artifact, Attempt, Curation, Omitted, Record, Status
from repro.model.series import Point, format_series, format_system
from repro.store.objects import open_objects
from repro.store.runs import (
    decode_record,
    decode_run,
    encode_record,
    encode_run,
    read_record_files,
    read_series,
    read_system,
)

SHA = "sha256:" + "a" * 64


def read(root: Path, commit: str, *, brief: bool = False) -> Record:
    objects = open_objects(open_at(root), many=False)
    try:
        return decode_record(read_record_files(objects, commit, brief=brief))
    finally:
        objects.close()


def full_record() -> Record:
    time = "2026-11-24T20:05:01.250000Z"
    return make_record(
        name="a name", tags=("v1", "v2"), note="first\nsecond", status=Status.FAILED,
        created=time, exit_code=3, signal="SIGTERM", branch="main", dirty=True,
        parent=run_id("bbbb"), rerun_of=run_id("cccc"), sweep="s", trial=3, identity="sha256:x",
        omitted=(Omitted("big\n.bin", 3 << 20, "too large"), Omitted("x", None, "unreadable")),
        attempts=(
            Attempt(
                started=time, ended=time, status=Status.LOST, exit_code=None, host="h",
                snapshot=None,
            ),
        ),
        lost_points=3, skipped_lines=1, warnings=("careful",),
        foreign=("/a.py",), unwatched=("python -I",),
        config={"lr": 0.1, "model": {"width": 3, "layers": [1, 2]}, "none": None, "on": True},
        metrics={"loss": a_summary(0.5, goal="minimize"), "bad": a_summary(math.inf, mean=None)},
        summary={"note": "good"}, data={"train": {"path": "data/train", "digest": "xxh3:1"}},
        environment={"interpreter": {"version": "3.11"}},
        artifacts=(
            Artifact("out/model.pt", 3, SHA, "git"), Artifact("big.pt", 1 << 40, SHA, "store"),
        ),
    )  # fmt: skip


def test_a_record_comes_back_the_same(repository: Path) -> None:
    written = write_run(open_at(repository), full_record())
    assert written == read(repository, written.commit)


def test_a_metric_that_is_nan_comes_back_as_nan(repository: Path) -> None:
    record = make_record(metrics={"loss": a_summary(math.nan, min=None, max=None, mean=None)})
    commit = write_run(open_at(repository), record).commit
    assert math.isnan(read(repository, commit).metrics["loss"].last)


def test_the_order_of_the_config_is_kept(repository: Path) -> None:
    written = write_run(open_at(repository), make_record(config={"z": 1, "a": {"y": 2, "b": 3}}))
    config = read(repository, written.commit).config
    assert list(config) == ["z", "a"]
    assert list(config["a"]) == ["y", "b"]  # type: ignore[arg-type]


def test_a_brief_record_lacks_environment_and_artifacts_only(repository: Path) -> None:
    written = write_run(open_at(repository), full_record())
    expected = replace(written, environment={}, artifacts=())
    assert expected == read(repository, written.commit, brief=True)


def test_json_files_are_canonical_and_name_the_format() -> None:
    files = encode_record(full_record())
    assert sorted(files) == [
        "artifacts.json", "config.yaml", "data.json", "environment.json", "metrics.json",
        "run.json",
    ]  # fmt: skip
    for name in files:
        if name.endswith(".json"):
            value = json.loads(files[name], parse_constant=pytest.fail)
            text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
            assert text.encode() == files[name]
    assert json.loads(files["run.json"])["format"] == 1
    assert json.loads(files["metrics.json"])["metrics"]["bad"]["last"] == "Infinity"


def test_keys_of_a_newer_repro_are_kept() -> None:
    value: dict[str, Any] = {**encode_run(full_record().run), "colour": {"is": "red"}}
    run = decode_run(value, "run.json")
    assert run.extra == {"colour": {"is": "red"}}
    assert encode_run(run) == value


def test_a_newer_format_is_one_clear_error(repository: Path) -> None:
    record = make_record()
    value = {**encode_run(record.run), "format": 7, "id": str(record.run.id), "command": "changed"}
    commit = write_run(
        open_at(repository), record, files={"run.json": json.dumps(value).encode()}
    ).commit
    with pytest.raises(NewerFormatError) as caught:
        read(repository, commit)
    assert caught.value.message == (
        f"run `{record.run.id}` was written by a newer repro (format 7; this one reads up to 1)"
    )
    assert caught.value.hint is not None
    assert "upgrade" in caught.value.hint


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", "1"), ("format", True), ("id", "../../../x"), ("id", None), ("name", 3),
        ("status", "winning"), ("created", "yesterday"), ("created", "2026-99-24T20:05:01.250000Z"),
        ("duration_s", "long"), ("duration_s", "NaN"), ("duration_s", "-Infinity"),
        ("command", "python"), ("command", [1]), ("cwd", "/etc"),
        ("cwd", "../.."), ("cwd", ".git/hooks"), ("exit_code", 1.5), ("exit_code", 1 << 70),
        ("base", "--output=x"), ("snapshot", "HEAD"), ("dirty", "yes"), ("user", None),
        ("parent", "-x"), ("tags", {}), ("tags", [None]), ("omitted", [3]), ("omitted", [{}]),
        ("attempts", [{"started": "x"}]), ("lost_points", None),
    ],
)  # fmt: skip
def test_a_wrong_value_in_run_json_names_its_key(key: str, value: Any) -> None:
    with pytest.raises(DamagedRecordError, match=key if key != "cwd" else "path"):
        decode_run({**encode_run(full_record().run), key: value}, "run.json")


def test_run_json_that_is_no_object_is_damaged() -> None:
    with pytest.raises(DamagedRecordError, match=r"run\.json"):
        decode_run([], "run.json")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("run.json", "[", "run.json"),
        ("run.json", '{"format": 1, "format": 1}', "run.json"),
        ("config.yaml", "a: !!python/object:os.system x", "config.yaml"),
        ("metrics.json", '{"metrics": {"loss": {"last": "high"}}}', "last"),
        ("metrics.json", '{"metrics": []}', "metrics.json"),
        ("artifacts.json", "{}", "artifacts"),
        ("artifacts.json", '[{"path": "../x", "size": 1, "digest": "d", "where": "git"}]', "path"),
        (
            "artifacts.json",
            '[{"path": "x", "size": 1, "digest": "md5:1", "where": "git"}]',
            "digest",
        ),
        (
            "artifacts.json",
            f'[{{"path": "x", "size": 1, "digest": "{SHA}", "where": "w"}}]',
            "where",
        ),
        ("data.json", '{"d": {"path": "../etc"}}', "path"),
        ("data.json", '{"d": 3}', "data.json"),
        ("environment.json", "3", "environment.json"),
    ],
)
def test_a_wrong_file_is_damaged_and_named(
    repository: Path, name: str, content: str, said: str
) -> None:
    written = write_run(open_at(repository), make_record(), files={name: content.encode()})
    with pytest.raises(DamagedRecordError, match=said):
        read(repository, written.commit)


def test_a_commit_that_is_no_run_is_damaged(repository: Path) -> None:
    with pytest.raises(DamagedRecordError, match="no run"):
        read(repository, git(repository, "rev-parse", "HEAD"))


def test_a_snapshot_that_is_not_the_first_parent_is_damaged(repository: Path) -> None:
    record = make_record(base="1" * 40, snapshot="1" * 40)
    written = write_run(open_at(repository), record)
    with pytest.raises(DamagedRecordError, match="first parent"):
        read(repository, written.commit)


def test_a_missing_part_is_damaged_and_named(repository: Path) -> None:
    written = write_run(open_at(repository), make_record(config={"only": "here"}))
    blob = git(repository, "rev-parse", f"{written.commit}:config.yaml")
    [pack] = (repository / ".git/objects/pack").glob("*.pack")
    moved = repository / "moved.pack"
    pack.rename(moved)
    pack.with_suffix(".idx").unlink()
    git(repository, "unpack-objects", "-q", stdin=moved.read_bytes())
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(DamagedRecordError, match=r"config\.yaml.*missing"):
        read(repository, written.commit)


def test_parts_that_a_record_lacks_are_empty(repository: Path) -> None:
    git(repository, "checkout", "-q", "--orphan", "bare")
    record = make_record()
    run_json = encode_record(record)["run.json"]
    (repository / "run.json").write_bytes(run_json)
    git(repository, "rm", "-q", "--cached", "train.py")
    git(repository, "add", "run.json")
    git(repository, "commit", "-q", "-m", "a run")
    found = read(repository, git(repository, "rev-parse", "HEAD"))
    assert (found.config, found.metrics, found.data, found.artifacts) == ({}, {}, {}, ())


def test_points_come_back_exactly(repository: Path) -> None:
    series = {
        "loss": [Point(step, 1 / (step + 1), 1e9 + step) for step in range(10)],
        'odd, "name"': [Point(3, math.inf, 1.5)],
    }
    system = {"cpu": [Point(0, 12.5, 1.0)]}
    files = {**format_series(series), "metrics/system.csv": format_system(system)}
    written = write_run(open_at(repository), make_record(), files=files)
    objects = open_objects(open_at(repository), many=False)
    assert series == read_series(objects, written.commit)
    assert system == read_system(objects, written.commit)
    objects.close()


def test_a_run_without_points_has_none(repository: Path) -> None:
    written = write_run(open_at(repository), make_record())
    objects = open_objects(open_at(repository), many=False)
    assert read_series(objects, written.commit) == {}
    assert read_system(objects, written.commit) == {}
    objects.close()


def test_points_in_the_content_store_are_followed_there(repository: Path) -> None:
    series = {"loss": [Point(0, 0.5, 1.0)]}
    [(path, table)] = format_series(series).items()
    pointers = json.dumps({path: {"digest": SHA, "size": len(table)}}).encode()
    written = write_run(open_at(repository), make_record(), files={"metrics/store.json": pointers})
    objects = open_objects(open_at(repository), many=False)
    assert series == read_series(objects, written.commit, stored={SHA: table}.__getitem__)
    with pytest.raises(DamagedRecordError, match="content store"):
        read_series(objects, written.commit)
    objects.close()


def test_run_json_is_strict_json() -> None:
    assert parse_json(encode_record(full_record())["run.json"], name="run.json")


STAMP = "2026-11-24T20:05:01.250000Z"


def test_stamps_come_back_the_same() -> None:
    curation = Curation(
        name=STAMP, note=STAMP, tags={"a": STAMP}, untagged={"b": STAMP},
        files={"verdict.json": STAMP}, extra={"new": [1]},
    )  # fmt: skip
    run = make_record(tags=("a",), curation=curation).run
    assert decode_run(encode_run(run), "run.json") == run


@pytest.mark.parametrize(
    "changes",
    [
        {"name": 3},
        {"name": None},
        {"note": "yesterday"},
        {"tags": {"a": "9999-01-01T00:00:00.000000Z"}},
        {"tags": ["a"]},
        {"untagged": {f"t{number}": STAMP for number in range(20_001)}},
        {"files": {"verdict.json": None}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_stamps_that_nobody_could_have_made_are_refused(changes: dict[str, Any]) -> None:
    value = encode_run(make_record().run)
    value["curation"] = {"name": STAMP, "note": STAMP, **changes}
    with pytest.raises(DamagedRecordError, match="curation"):
        decode_run(value, "run.json")


def test_a_run_that_nobody_changed_has_no_stamps_in_its_record() -> None:
    assert "curation" not in encode_run(make_record(tags=("a",)).run)
