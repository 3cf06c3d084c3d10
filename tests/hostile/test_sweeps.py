"""Sweeps that somebody made to do harm: refused in one line, and nothing of them is executed."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from repro.cli.main import run_cli
from repro.core.project import Project
from repro.core.vetted_sweep import VettedSweeps, vet_sweeps
from repro.model.canonical import format_json
from repro.model.run import Status
from repro.model.space import Uniform
from repro.model.sweep import Sweep
from repro.model.sweepspec import Method
from repro.store.quarantine import open_quarantine
from repro.store.runs import encode_record
from repro.store.sweepentries import format_page
from repro.store.sweeps import encode_sweep
from tests.hostile.making import FILE, FOLDER, GITLINK, LINK, Maker
from tests.support import git, make_repository
from tests.support.projects import open_here
from tests.support.sweeps import ask, make_spec

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
BEAT = b'{"k":"beat","by":"annaannaanna","t":1}\n'


class Forge:
    """Writes sweeps as an attacker would, each with an id of its own."""

    def __init__(self, folder: Path, base: str) -> None:
        self.maker = Maker(folder, base)
        self.made: dict[str, str] = {}

    def sweep(
        self,
        *,
        files: Mapping[str, bytes] | None = None,
        entries: list[tuple[bytes, bytes, str]] | None = None,
        base_id: str = "",
        base_command: tuple[str, ...] | None = None,
        parents: Callable[[str], list[str]] = lambda base: [base],
        head: Mapping[str, Any] | None = None,
        **spec: Any,
    ) -> str:
        """The id of a sweep that is sound but for what is asked for."""
        maker, sweep_id = self.maker, f"s{len(self.made):011d}"
        wanted = make_spec(**spec)
        snapshot = maker.snapshot(maker.code)
        record = maker.record(base_id or sweep_id, snapshot)
        command = wanted.command if base_command is None else base_command
        run = replace(record.run, command=command, status=Status.FINISHED)
        base = maker.commit_record(encode_record(replace(record, run=run)), snapshot)
        sweep = Sweep(
            id=sweep_id, base=base, created=record.run.created, user="eve", host="x", spec=wanted
        )
        said = {"sweep.json": format_json({**encode_sweep(sweep), **(head or {})})}
        tree = maker.folders({**said, **(files or {})})
        tree = maker.extend(tree, entries or [])
        self.made[sweep_id] = maker.commit(tree, parents(base), message=b"sweep\n")
        return sweep_id

    def vet(self, project: Project) -> VettedSweeps:
        """What becomes of all of them."""
        self.maker.flush()
        with open_quarantine(project.repository) as quarantine:
            target = quarantine.folders[0]
            for path in self.maker.folder.rglob("*"):
                if path.is_file():
                    place = target / path.relative_to(self.maker.folder)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(path.read_bytes())
            return vet_sweeps(quarantine, self.made)

    def install(self, root: Path) -> None:
        """Have them in a repository as a plain `git fetch` brings them, which checks nothing."""
        self.maker.flush()
        target = root / ".git/objects"
        for path in self.maker.folder.rglob("*"):
            if path.is_file():
                place = target / path.relative_to(self.maker.folder)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(path.read_bytes())
        for sweep_id, oid in self.made.items():
            git(root, "update-ref", f"refs/repro/sweeps/{sweep_id}", oid)


@pytest.fixture
def forge(tmp_path: Path) -> tuple[Forge, Path]:
    root = make_repository(tmp_path / "project")
    return Forge(tmp_path / "attack", git(root, "rev-parse", "HEAD")), root


def page(*lines: bytes) -> bytes:
    return b"".join(lines)


def test_hostile_sweeps_are_refused_one_by_one(forge: tuple[Forge, Path]) -> None:
    maker, root = forge
    make = maker.maker
    claim = format_page([ask(0, "annaannaanna")])
    good = maker.sweep(files={"journal/000000.jsonl": claim})
    full = page(*[BEAT] * 100)
    blob = make.blob(BEAT)
    odd = {
        maker.sweep(base_command=("true",)): "another command",
        maker.sweep(base_id="annaannaanna"): "another run",
        maker.sweep(head={"id": "annaannaanna"}): "another sweep",
        maker.sweep(head={"format": 99}): "format 99",
        maker.sweep(head={"spec": {"method": "grid"}}): "sweep.json",
        maker.sweep(parents=lambda _: [make.base]): "",
        maker.sweep(parents=lambda _: []): "no parent",
        maker.sweep(parents=lambda _: ["1" * 40]): "",
        maker.sweep(files={"run.sh": b"rm -rf ~\n"}): "run.sh",
        maker.sweep(entries=[(LINK, b"journal", make.blob(b"/etc"))]): "no folder",
        maker.sweep(entries=[(GITLINK, b"journal", make.base)]): "no folder",
        maker.sweep(
            entries=[(FOLDER, b"journal", make.tree([(LINK, b"000000.jsonl", blob)]))]
        ): "no plain file",
        maker.sweep(
            entries=[(FOLDER, b"journal", make.tree([(GITLINK, b"000000.jsonl", make.base)]))]
        ): "no plain file",
        maker.sweep(
            entries=[(FOLDER, b"journal", make.tree([(FILE, b"\x1b[31m.jsonl", blob)]))]
        ): "lacks a page",
        maker.sweep(files={"journal/000001.jsonl": BEAT}): "lacks a page",
        maker.sweep(files={"journal/000000.jsonl": BEAT, "journal/000001.jsonl": full}): "entries",
        maker.sweep(files={"journal/000000.jsonl": page(full, BEAT)}): "101 entries",
        maker.sweep(files={"journal/000000.jsonl": claim[:-1]}): "cut off",
        maker.sweep(files={"journal/000000.jsonl": b"[" * 10000 + b"\n"}): "no JSON",
        maker.sweep(
            files={"journal/000000.jsonl": claim.replace(b'"lr":0.1', b'"lr":NaN')}
        ): "its space does not have",
        maker.sweep(
            files={"journal/000000.jsonl": claim.replace(b'"lr":0.1', b'"lr":1' + b"0" * 4000)}
        ): "",
        maker.sweep(
            files={"journal/000000.jsonl": claim.replace(b'"lr":0.1', b'"lr":0.1,"--x=\\u001b":1')}
        ): "its space does not have",
        maker.sweep(
            files={"journal/000000.jsonl": claim.replace(b'"n":0', b'"n":1' + b"0" * 30)}
        ): "000000.jsonl:1",
    }
    vetted = maker.vet(open_here(root))
    refused = {one.run: one.reason for one in vetted.refused}
    assert set(vetted.accepted) == {good}
    assert sorted(refused) == sorted(odd)
    assert [(word, refused[one]) for one, word in odd.items() if word not in refused[one]] == []
    assert not [text for text in refused.values() if _CONTROL.search(text) or "\n" in text]


def test_a_ledger_without_end_is_refused_by_its_size(forge: tuple[Forge, Path]) -> None:
    maker, root = forge
    make = maker.maker
    full = make.blob(page(*[BEAT] * 100))
    n_pages = 10_001
    pages = make.tree([(FILE, f"{n:06d}.jsonl".encode(), full) for n in range(n_pages)])
    long = maker.sweep(entries=[(FOLDER, b"journal", pages)])
    [refused] = maker.vet(open_here(root)).refused
    assert refused.run == long
    assert "more than the limit of 1,000,000 entries" in refused.reason


def test_nothing_of_a_hostile_sweep_runs_unasked_and_its_names_are_escaped(
    forge: tuple[Forge, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cli(*words: str) -> tuple[str, str]:
        capsys.readouterr()
        run_cli(words)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return said.out, said.err

    maker, root = forge
    monkeypatch.chdir(root)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "q7Zt2mXv9LpK4sWd8RbN")
    touch = ("sh", "-c", "touch CANARY; echo ${envvar:AWS_SECRET_ACCESS_KEY}", "\x1b[31m\u202e")
    shown = maker.sweep(
        command=touch,
        name="\x1b]0;x\x07\u202ename",
        note="\x1b[2J",
        method=Method.RANDOM,
        space={"lr": Uniform(0, 1)},
    )
    option = maker.sweep(command=("--help", "-rf"), name="--yes")
    other = maker.sweep(command=touch, base_command=("true",))
    maker.install(root)
    for words in (["sweep", "ls"], ["sweep", "ls", "--json"], ["sweep", "show", shown], ["fsck"]):
        said = "".join(cli(*words))
        assert not _CONTROL.search(said), words
        assert "q7Zt2m" not in said
    said = "".join(cli("sweep", "resume", shown))
    assert "touch CANARY; echo ${envvar:AWS_SECRET_ACCESS_KEY}" in said
    assert "there is nobody to ask" in said
    assert not _CONTROL.search(said)
    assert "nobody to ask" in cli("sweep", "resume", option)[1]
    assert "another command" in cli("sweep", "resume", other, "--yes")[1]
    cli("sweep", "resume", option, "--yes")
    assert not list(root.parent.rglob("CANARY"))
    assert git(root, "status", "--porcelain") == ""
    assert {one["id"] for one in json.loads(cli("sweep", "ls", "--json")[0])} >= {shown, option}
