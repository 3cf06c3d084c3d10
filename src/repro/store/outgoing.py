"""Refs of runs sent to a git remote: created or moved forward there, never forced.

What is replaced or deleted is so from where it was seen, and only there.
"""

import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from repro.errors import GitError
from repro.store.git import Git, Result
from repro.store.remoterefs import ANY_CODE, GitRemote
from repro.store.transport_faults import RefFault, cut_flood, explain_fault, explain_ref

_BATCH = 4000  # refs in one push: more are too long for a command line
_LINE = re.compile(r"(.)\t([^\t\n]*):([^\t\n]*)\t(.*)")
_UNSENT = ("remote failure", "unpacker error")

# Settings of the user about pushing branches mean no runs.
_SETTINGS = ("push.pushOption=", "push.negotiate=false", "push.useForceIfIncludes=false")
_OPTIONS = (
    "--porcelain",
    "--no-verify",
    "--no-signed",
    "--no-follow-tags",
    "--no-recurse-submodules",
    "--no-atomic",
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A ref to send.

    Attributes:
        ref: Its name here, `refs/repro/…`.
        oid: The commit that it is to name there; None has it deleted, which needs a lease.
        lease: What it names there now, empty for nothing: then it is set to any commit, if that is
            still so.
    """

    ref: str
    oid: str | None
    lease: str | None = None


def send_refs(
    git: Git,
    remote: GitRemote,
    outgoing: Sequence[Outgoing],
    on_sent: Callable[[int], None] = lambda _: None,
    *,
    env: Mapping[str, str] | None = None,
) -> dict[str, RefFault | None]:
    """Create refs on a remote, or move them forward.

    git itself never moves one to what does not descend from where it is, and the server moves
    none that is not where it was when the push began. Objects go before refs.

    Args:
        on_sent: Told how many refs were answered for, batch by batch.
        env: Variables for git, such as those of a quarantine with what is sent.

    Returns:
        Each ref by its name here, with the reason where the remote did not take it. Where the
        connection is lost after a batch, what was not answered for is not in it.

    Raises:
        RemoteError: Nothing could be sent at all.
        GitError: git cannot read what is to be sent.
    """
    answered: dict[str, RefFault | None] = {}
    rest = iter(outgoing)
    while batch := list(islice(rest, _BATCH)):
        pushed = _push(git, remote, batch, env)
        found = _read_answers(remote, pushed)
        answered.update(found)
        if len(found) < len(batch):
            if not answered:
                raise _failure(remote, pushed)
            break
        on_sent(len(found))
    return answered


def _push(
    git: Git, remote: GitRemote, batch: Sequence[Outgoing], env: Mapping[str, str] | None
) -> Result:
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    leases = [
        f"--force-with-lease={remote.carried(one.ref)}:{one.lease}"
        for one in batch
        if one.lease is not None
    ]
    refs = [f"{one.oid or ''}:{remote.carried(one.ref)}" for one in batch]
    words = [*_OPTIONS, *leases, "--", remote.source(push=True), *refs]
    return git.run(*settings, "push", *words, env=env, ok=ANY_CODE)


def _read_answers(remote: GitRemote, pushed: Result) -> dict[str, RefFault | None]:
    found: dict[str, RefFault | None] = {}
    said = cut_flood(pushed.err)
    for line in os.fsdecode(pushed.out).splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        flag, _, ref, summary = match.groups()
        if flag != "!":
            found[remote.local(ref)] = None
        elif not any(saying in summary for saying in _UNSENT):
            found[remote.local(ref)] = explain_ref(
                summary, said, name=remote.label, carrier=remote.carrier
            )
    return found


def _failure(remote: GitRemote, pushed: Result) -> Exception:
    """Why nothing at all was sent."""
    for saying in ("bad object", "unable to read", "missing blob", "missing tree", "is corrupt"):
        if saying in pushed.err and "remote:" not in pushed.err:
            return GitError(
                f"git cannot read what is to be pushed: {saying}",
                hint="`git fsck` says which objects are wrong",
            )
    # Of a server that goes while git writes to it, git dies without a word.
    said = "Broken pipe" if pushed.code == -signal.SIGPIPE and not pushed.err else pushed.err
    return explain_fault(said, name=remote.label, host=remote.push_host, doing="push to")
