"""Who vouches for a run: its commit signed by the user, and the signatures of others checked."""

from collections.abc import Sequence
from dataclasses import dataclass

from repro.core.amend import describe_commit, find_commit
from repro.core.project import Project, who_am_i
from repro.core.reconcile import reconcile
from repro.errors import ReproError
from repro.model.text import escape
from repro.store.objects import Objects, parse_commit, read_commit, reading
from repro.store.quarantine import CommitSpec, open_quarantine, publish
from repro.store.refs import RUNS, RefUpdate, RunRefs
from repro.store.runs import read_record
from repro.store.signing import Checked, check_commits, is_signed, sign_commit

STATES = ("bad", "unknown key", "none", "good")  # the worst first

_MOST_MERGES = 100  # of one run; past that nothing vouches for it


@dataclass(frozen=True, slots=True)
class Signature:
    """Whether somebody vouches for a run; nothing is escaped.

    Attributes:
        state: `good`; `bad`: it is not of this content, or its key was revoked; `unknown key`:
            git cannot tell whose it is; `none`.
        signers: Whose keys they are as far as git knows, of a merge those of both sides.
    """

    run: str
    commit: str
    state: str
    signers: tuple[str, ...]


def sign_run(project: Project, run_id: str, *, patiently: bool = True) -> bool:
    """Sign a run: a commit with the same record on top of its own; whether that was needed.

    Args:
        patiently: Whether whoever keeps the key may ask the user, for as long as it takes.

    Raises:
        GitError: It cannot be signed.
        DamagedRecordError: There is no such run any more.
        UsageError: It is still in progress, elsewhere.
        ConflictError: Somebody else amended it meanwhile.
    """
    commit, held = find_commit(project, run_id)
    with reading(project.repository) as objects:
        _, payload = objects.read(commit)
        run = read_record(objects, commit).run
    if is_signed(payload):
        return False
    before = parse_commit(payload)
    spec = CommitSpec(
        message=describe_commit(run),
        when=project.clock(),
        author=who_am_i(project),
        parents=[*before.parents[:1], commit],
        tree=before.tree,
    )
    with open_quarantine(project.repository) as quarantine:
        signed = sign_commit(quarantine, spec, patiently=patiently)
        update = RefUpdate(RUNS + run_id, new=signed, old=held)
        publish(quarantine, tips=[signed], exclude=[commit], refs=[update])
    return True


def check_signatures(
    project: Project, ids: Sequence[str], *, by_network: bool = True
) -> list[Signature]:
    """Say who vouches for each of some runs, in their order; those that are gone are left out.

    A merge is vouched for by whoever signed both of its sides, if it is what merging them gives.

    Args:
        by_network: Whether X.509 signatures are looked at, for which servers may be asked; the
            key of such a one is unknown else.

    Raises:
        DamagedRecordError: A commit is missing.

    Cost: a git process for all of them, and one of the program that checks for each signature;
        makes merges again.
    """
    tips = RunRefs(project.repository).look_up(ids)
    with reading(project.repository) as objects:
        sides = {oid: _sides(objects, project, run_id, oid) for run_id, oid in tips.items()}
        payloads = {oid: objects.read(oid)[1] for found in sides.values() for oid in found}
    checked = check_commits(project.repository.git, payloads, by_network=by_network)
    return [
        _sum_up(run_id, tips[run_id], [checked[oid] for oid in sides[tips[run_id]]])
        for run_id in ids
        if run_id in tips
    ]


def signature_json(signature: Signature) -> dict[str, object]:
    """A signature as `--json` prints it, a stable shape to which keys may be added."""
    return {"state": signature.state, "signers": list(signature.signers)}


def describe_signature(signature: Signature) -> str:
    """A signature in a few words, escaped."""
    signers = ", ".join(map(escape, signature.signers))
    return f"{signature.state}, by {signers}" if signers else signature.state


def _sum_up(run_id: str, commit: str, sides: Sequence[Checked]) -> Signature:
    state = min((side.state for side in sides), key=STATES.index)
    signers = dict.fromkeys(side.signer for side in sides if side.signer)
    return Signature(run_id, commit, state, tuple(signers))


def _sides(objects: Objects, project: Project, run_id: str, tip: str) -> list[str]:
    """The commits that must be signed for `tip` to be: itself, or what it merges."""
    found: dict[str, None] = {}
    seen, waiting = {tip}, [tip]
    while waiting:
        oid = waiting.pop()
        parents = read_commit(objects, oid).parents[1:]
        is_merge = len(parents) == 2 and len(seen) < _MOST_MERGES
        if is_merge and _is_merge(project, run_id, oid, parents):
            waiting += [parent for parent in parents if parent not in seen]
            seen.update(parents)
        else:
            found[oid] = None
    return list(found)


def _is_merge(project: Project, run_id: str, oid: str, parents: Sequence[str]) -> bool:
    try:
        with open_quarantine(project.repository) as quarantine:
            return reconcile(quarantine, run_id, *parents) == oid
    except ReproError:  # such as of a disk that cannot be written
        return False
