"""dulwich, which shares no code with us, finds what FORMAT.md promises; it never writes."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from dulwich.objects import Blob, Commit, Tree
from dulwich.repo import Repo
from tests.support import git, write_files
from tests.support.projects import begin, end, make_run, open_here

from repro.core.curate import tag_run
from repro.core.mediakept import keep_bytes
from repro.core.query import resolve_run
from repro.model.run import Run


@pytest.fixture
def run(repository: Path) -> Run:
    """A run of a dirty working tree, with points, a config and odd text."""
    write_files(repository, {"train.py": "print('changed')\n", "new/é.txt": b"\0\xff"})
    return make_run(
        open_here(repository), {"loss": 0.1, "odd, name": "Infinity"}, steps=3, name="é \u202e",
        config={"lr": 1e-3, "z": {"b": [1, None], "a": True}, "text": "0123"},
    )  # fmt: skip


@pytest.fixture
def reader(repository: Path, run: Run) -> Iterator[Repo]:
    with Repo(str(repository)) as repo:
        yield repo


def commit_of(reader: Repo, run: Run) -> Commit:
    found = reader[reader.refs[f"refs/repro/runs/{run.id}".encode()]]
    assert isinstance(found, Commit)
    return found


def content(reader: Repo, commit: Commit, path: str) -> bytes:
    tree = reader[commit.tree]
    assert isinstance(tree, Tree)
    _, oid = tree.lookup_path(reader.__getitem__, path.encode())
    blob = reader[oid]
    assert isinstance(blob, Blob)
    return blob.data


def test_a_run_is_one_ref_and_nothing_is_left_in_live(reader: Repo, run: Run) -> None:
    names = {name.decode() for name in reader.refs.keys(base=b"refs/repro")}
    assert names == {f"runs/{run.id}"}


def test_the_parent_of_a_run_is_the_code_and_its_parent_the_base(
    repository: Path, reader: Repo, run: Run
) -> None:
    commit = commit_of(reader, run)
    [snapshot] = commit.parents
    code = reader[snapshot]
    assert isinstance(code, Commit)
    assert [git(repository, "rev-parse", "HEAD").encode()] == code.parents
    assert content(reader, code, "train.py") == b"print('changed')\n"
    assert content(reader, code, "new/é.txt") == b"\0\xff"
    assert snapshot.decode() == run.snapshot


def test_the_commit_message_names_the_run(reader: Repo, run: Run) -> None:
    message = commit_of(reader, run).message.decode()
    assert message.startswith(f"run {run.id}: ")
    assert f"\nRepro-Run: {run.id}\nRepro-Status: finished\n" in message


def test_run_json_says_what_was_run(reader: Repo, run: Run) -> None:
    value = json.loads(content(reader, commit_of(reader, run), "run.json"))
    assert value["format"] == 1
    assert (value["id"], value["name"], value["status"]) == (run.id, "é \u202e", "finished")
    assert value["command"] == ["python", "train.py"]
    assert (value["base"], value["snapshot"]) == (run.base, run.snapshot)
    assert value["dirty"] is True


def test_the_config_is_yaml_in_the_order_given(reader: Repo, run: Run) -> None:
    config = yaml.safe_load(content(reader, commit_of(reader, run), "config.yaml"))
    assert config == {"lr": 1e-3, "z": {"b": [1, None], "a": True}, "text": "0123"}
    assert list(config) == ["lr", "z", "text"]


def test_every_json_file_is_canonical(reader: Repo, run: Run) -> None:
    commit = commit_of(reader, run)
    tree = reader[commit.tree]
    assert isinstance(tree, Tree)
    names = [entry.path.decode() for entry in tree.items()]
    promised = {"run.json", "metrics.json", "data.json", "environment.json", "artifacts.json"}
    assert promised <= set(names)
    for name in promised:
        data = content(reader, commit, name)
        value = json.loads(data, parse_constant=pytest.fail)
        text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
        assert text.encode() == data


def test_metrics_and_points_are_there(reader: Repo, run: Run) -> None:
    commit = commit_of(reader, run)
    metrics = json.loads(content(reader, commit, "metrics.json"))["metrics"]
    assert (metrics["loss"]["last"], metrics["loss"]["count"]) == (0.1, 3)
    assert metrics["odd, name"]["max"] == "Infinity"
    lines = content(reader, commit, "metrics/0.csv").decode().splitlines()
    assert lines[0] == 'step,time,loss,"odd, name"'
    assert lines[1].startswith("0,")
    assert lines[1].endswith(",0.1,inf")


def test_media_are_lines_of_json_with_their_bytes_beside_them(
    repository: Path, reader: Repo
) -> None:
    project = open_here(repository)
    live = begin(project)
    data = b"\x89PNG\r\n\x1a\n"
    digest = keep_bytes(live.dir, data, "png").digest
    file = {"type": "png", "size": 8, "digest": digest, "where": "git"}
    items = [{"kind": "image", "file": file, "caption": "é\n"}, {"kind": "image", "file": file}]
    live.journal.append({"k": "media", "t": 5.0, "s": 7, "v": {"x": items}})
    end(live, repository)

    commit = commit_of(reader, live.run)
    text = content(reader, commit, "media.jsonl")
    lines = [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]
    assert lines[0] == {
        "name": "x", "step": 7, "time": 5.0, "place": 0, "kind": "image", "caption": "é\n",
        "file": file,
    }  # fmt: skip
    assert [line["place"] for line in lines] == [0, 1]
    written = [
        json.dumps(line, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        for line in lines
    ]
    assert "".join(f"{line}\n" for line in written).encode() == text
    assert content(reader, commit, f"media/{hashlib.sha256(data).hexdigest()}.png") == data


def test_an_amended_run_keeps_code_and_history_as_parents(
    repository: Path, reader: Repo, run: Run
) -> None:
    before = commit_of(reader, run)
    project = open_here(repository)
    tag_run(project, resolve_run(project, run.id), ["good"])
    after = commit_of(reader, run)
    assert after.parents == [before.parents[0], before.id]
    assert json.loads(content(reader, after, "run.json"))["tags"] == ["good"]
    for path in ("config.yaml", "metrics.json", "metrics/0.csv"):
        assert content(reader, before, path) == content(reader, after, path)
