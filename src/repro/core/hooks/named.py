"""The runs that the commits of a push name."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from repro.core.hooks.trailer import TRAILER
from repro.core.project import Project
from repro.model.ids import is_id
from repro.store.objects import is_oid
from repro.store.refs import RunRefs


@dataclass(frozen=True, slots=True)
class Move:
    """A ref that is about to be pushed.

    Attributes:
        local: An object id, or the full name of a ref.
        remote: The object id there; zeros stand for none.
    """

    local: str
    remote: str


def parse_moves(told: str) -> list[Move]:
    """What git gives its hook `pre-push`: refs that are deleted, and those of repro, left out."""
    moves = []
    for line in told.splitlines():
        words = line.split(" ")
        if len(words) != 4:
            continue
        local_ref, local, _, remote = words
        is_named = is_oid(local) or local.startswith("refs/")
        is_ours = local_ref.startswith("refs/repro/")
        if is_named and is_oid(remote) and local.strip("0") and not is_ours:
            moves.append(Move(local, remote))
    return moves


def find_named_runs(project: Project, moves: Sequence[Move], remote: str) -> list[str]:
    """The runs of this clone that trailers of the commits name which the remote lacks.

    Args:
        remote: Its name, or an address; what git knows of it is not looked through again.

    Cost: one git process, which reads the commits that are pushed.
    """
    if not moves:
        return []
    tips = [move.local for move in moves]
    known = [f"^{move.remote}" for move in moves if move.remote.strip("0")]
    # A pattern of its own would exclude too much.
    tracked = [f"--remotes={remote}"] if not set(remote) & set("*?[\\") else []
    told = project.repository.git.run(
        "log",
        "--no-show-signature",
        "--basic-regexp",  # whatever `grep.patternType` says
        f"--grep=^{TRAILER}: ",
        f"--format=%(trailers:key={TRAILER},valueonly)",
        "--ignore-missing",  # what somebody else pushed meanwhile
        "--stdin",
        "--not",
        *tracked,
        stdin="".join(f"{one}\n" for one in [*tips, *known]).encode(),
    ).out
    words = dict.fromkeys(os.fsdecode(told).split())
    own = RunRefs(project.repository).own if any(map(is_id, words)) else {}
    return [word for word in words if word in own]
