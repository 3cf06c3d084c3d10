"""Objects fetched from a git remote or a bundle into a quarantine, by the git program."""

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from repro.errors import ReproError
from repro.model.readable import format_size
from repro.store.quarantine import Quarantine
from repro.store.transport_faults import explain_fault, first_words

# The user's settings say how the remote is reached; what else they would have a fetch do, write
# refs and tags, delete what is gone, look into submodules, leave objects out, is switched off.
_WORDS = (
    "-c",
    "fetch.fsckObjects=false",  # of one bad object git refuses all; they are vetted run by run
    "-c",
    "fetch.unpackLimit=1",
    "-c",
    "fetch.writeCommitGraph=false",
    "-c",
    "fetch.bundleURI=",  # it would come with refs of its own
    "fetch",
    "--progress",
    "--no-write-fetch-head",
    "--no-tags",
    "--no-prune",
    "--refmap=",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
    "--no-show-forced-updates",
    "--no-filter",
    "--stdin",
)
_UNKNOWN_SIZE = 1 << 30  # bytes: not into memory, for nobody says how much will come
_MOST_SAID = 1 << 16  # bytes that are kept of what the other side prints
_MOST_TRIES = 64  # connections that one bad run may cost
_WAIT_S = 2.0
_PROGRESS = re.compile(
    rb"^(?:remote: )?((?:Enumerating|Counting|Compressing|Receiving) objects|Resolving deltas)"
    rb": +\d+% \((\d+)/(\d+)\)(?:, (\d+(?:\.\d+)?) (bytes|KiB|MiB|GiB))?"
)
_UNITS = {b"bytes": 1, b"KiB": 1 << 10, b"MiB": 1 << 20, b"GiB": 1 << 30}
_FULL = re.compile(r"No space left on device|Out of diskspace|Disk quota exceeded")
_LOST = re.compile(
    r"unexpected disconnect[^\n]*|early EOF|RPC failed; curl (?:18|56)[^\n]*|Connection reset[^\n]*"
)
_GONE = re.compile(r"not our ref ([0-9a-f]{40,64})|unadvertised object ([0-9a-f]{40,64})")
# All objects came but some that these refer to: which runs lack them is found by vetting.
_GAPS = re.compile(r"did not send all necessary objects|shallow update not allowed")
_SPOILT = re.compile(
    r"repository corruption|bad object|unable to read|inflate|corrupt|is garbled|bad tree"
    r"|SHA-?1 COLLISION|hash mismatch|missing blob|missing tree|pack has bad|unresolved delta"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where objects come from.

    Attributes:
        word: A remote's name, an address, or the path of a bundle, as `git fetch` takes it.
        label: What messages call it, fit to be shown.
        host: Where it is, fit to be shown; empty on this machine.
    """

    word: str
    label: str
    host: str = ""


def receive(
    quarantine: Quarantine,
    source: Source,
    oids: Sequence[str],
    *,
    have: Sequence[str] = (),
    report: Callable[[str], None] = lambda _: None,
) -> dict[str, str]:
    """Bring commits with all they reach into a quarantine; no ref or file of the user's changes.

    They are asked for by their object ids, so that what comes is what was asked for, whatever
    the refs of the remote name by now.

    Args:
        have: Commits here that the source probably has, so that it sends less.
        report: Told in words how far it is.

    Returns:
        Why the others did not come, one line fit to be shown, by their object ids. What came may
        still lack objects, where the source lacks them.

    Raises:
        RemoteError: The source is not there, refuses, or the connection was lost.
        StorageError: The disk is full.

    Cost: one connection, some more where the source holds damaged objects.
    """
    quarantine.expect(_UNKNOWN_SIZE)
    failed: dict[str, str] = {}
    waiting = [list(dict.fromkeys(oids))]
    for _ in range(_MOST_TRIES):
        if not waiting:
            break
        part = waiting.pop()
        said = _fetch(quarantine, source, part, have, report) if part else None
        if said is None or _GAPS.search(said):
            continue
        gone = {one or other for one, other in _GONE.findall(said)} & set(part)
        if gone:
            failed |= dict.fromkeys(gone, "the other side moved or removed it meanwhile")
            waiting.append([oid for oid in part if oid not in gone])
        elif not _SPOILT.search(said):
            raise _failure(quarantine, source, said)
        elif len(part) == 1:
            failed[part[0]] = f"the other side cannot give it: {first_words(said)}"
        else:
            waiting += [part[: len(part) // 2], part[len(part) // 2 :]]
    failed |= {oid: "too much else was damaged on the other side" for one in waiting for oid in one}
    return failed


def _failure(quarantine: Quarantine, source: Source, said: str) -> ReproError:
    ours = "\n".join(line for line in said.splitlines() if not line.startswith("remote:"))
    if _FULL.search(ours):
        return quarantine.repository.git.failure(("fetch",), 128, ours)
    lost = _LOST.search(ours)  # what git then says of half a pack is no cause
    said = lost[0] if lost else said
    return explain_fault(said, name=source.label, host=source.host, doing="fetch from")


def _fetch(
    quarantine: Quarantine,
    source: Source,
    oids: Sequence[str],
    have: Sequence[str],
    report: Callable[[str], None],
) -> str | None:
    """Fetch once; what git said where it failed."""
    tips = [f"--negotiation-tip={oid}" for oid in have]
    process = quarantine.repository.git.spawn(*_WORDS, *tips, "--", source.word, env=quarantine.env)
    stdin, stderr = process.stdin, process.stderr
    assert stdin is not None
    assert stderr is not None  # pipes, by `spawn`
    try:
        with suppress(BrokenPipeError):  # it died; what it said is the error
            stdin.write("".join(f"{oid}\n" for oid in oids).encode())
            stdin.close()
        said = _listen(stderr, report)
        return said if process.wait() != 0 else None
    except BaseException:
        process.terminate()  # not kill: it has lock files of the user's repository to remove
        process.wait()
        raise
    finally:
        for stream in (stdin, process.stdout, stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def _listen(stderr: IO[bytes], report: Callable[[str], None]) -> str:
    """What git prints to its end, less its progress."""
    said = b""
    rest = b""
    while block := os.read(stderr.fileno(), 1 << 16):
        *lines, rest = re.split(rb"[\r\n]", (rest + block)[-_MOST_SAID:])
        for line in lines:
            if found := _PROGRESS.match(line):
                report(_describe(found))
            elif line.strip():
                said += line + b"\n"
        if len(said) > _MOST_SAID:
            said = said[: _MOST_SAID // 4] + b"\n" + said[-_MOST_SAID // 4 :]
    return (said + rest).decode(errors="replace").strip()


def _describe(found: re.Match[bytes]) -> str:
    phase, done, total, number, unit = found.groups()
    words = f"{phase.decode().lower()}, {int(done):,} of {int(total):,}"
    if number is None:
        return words
    return f"{words}, {format_size(int(float(number) * _UNITS[unit]))}"
