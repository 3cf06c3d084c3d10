"""Refs sent to a remote: never forced, answered for one by one."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.support import git
from tests.support.remotes import add_origin, make_bare, runs_of

from repro.store import outgoing
from repro.store.git import open_repository
from repro.store.outgoing import Outgoing, send_refs
from repro.store.remoterefs import find_remote
from repro.store.transport_faults import RefFault

IDS = [f"abcdefgh123{number}" for number in range(5)]


@pytest.fixture
def bare(tmp_path: Path, repository: Path) -> Path:
    bare = make_bare(tmp_path / "bare.git")
    add_origin(repository, bare)
    return bare


@pytest.fixture
def send(repository: Path, bare: Path) -> Callable[..., dict[str, RefFault | None]]:
    plain = open_repository(repository, os.environ).git
    return partial(send_refs, plain, find_remote(plain, None, push=True))


def sending(oid: str, *ids: str) -> list[Outgoing]:
    return [Outgoing(f"refs/repro/runs/{run_id}", oid) for run_id in ids]


def test_more_refs_than_a_command_line_holds_go_in_parts(repository, bare, send, monkeypatch):
    monkeypatch.setattr(outgoing, "_BATCH", 2)
    head = git(repository, "rev-parse", "HEAD")
    told: list[int] = []

    answered = send(sending(head, *IDS), told.append)

    assert answered == dict.fromkeys((f"refs/repro/runs/{run_id}" for run_id in IDS), None)
    assert told == [2, 2, 1]
    assert runs_of(bare) == dict.fromkeys(IDS, head)


def test_a_ref_is_never_moved_back_nor_aside(repository, bare, send):
    old = git(repository, "rev-parse", "HEAD")
    new = git(repository, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "new")
    aside = git(repository, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "aside")
    send(sending(new, IDS[0]))

    for oid in (old, aside):
        [fault] = send(sending(oid, IDS[0])).values()
        assert fault is not None
        assert fault.is_moved

    assert runs_of(bare) == {IDS[0]: new}


def test_one_ref_that_is_refused_keeps_no_other_back(repository, bare, send):
    head = git(repository, "rev-parse", "HEAD")
    git(bare, "update-ref", f"refs/repro/runs/{IDS[0]}/in-the-way", head)

    answered = send(sending(head, *IDS[:2]))

    assert answered[f"refs/repro/runs/{IDS[0]}"] is not None
    assert answered[f"refs/repro/runs/{IDS[1]}"] is None
