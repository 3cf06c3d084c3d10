"""The sweeps of a clone: listed, and found by what a user calls them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from repro.core.frozen_sweep import read_frozen
from repro.core.project import Project
from repro.core.sweep.damage import read_or_explain, tell_of
from repro.errors import AmbiguousRunError, DamagedRecordError, ReproError, UnknownRunError
from repro.model.ids import is_id, is_id_prefix, shorten_ids
from repro.model.run import Record
from repro.model.sharing import Refusal
from repro.model.sweep import Sweep, SweepAt
from repro.model.text import escape
from repro.store.objects import reading
from repro.store.refs import SWEEPS, list_refs

_NEWEST = "@"
_MOST_ASKED = 8  # sweeps whose metric is looked up at once


@dataclass(frozen=True, slots=True)
class KnownSweeps:
    """All sweeps of a clone.

    Attributes:
        sweeps: The newest first.
        problems: Those that cannot be read; they hide no other.
        damaged: What each of these was made from, by its id, where that can be read.
    """

    sweeps: tuple[SweepAt, ...]
    problems: tuple[Refusal, ...]
    damaged: Mapping[str, Sweep]

    @property
    def short(self) -> dict[str, str]:
        """The shortest unique prefix of the id of each."""
        return shorten_ids(at.sweep.id for at in self.sweeps)


def list_sweeps(project: Project) -> KnownSweeps:
    """Give all sweeps.

    Cost: reads the whole ledger of each, some ms for a thousand trials.
    """
    refs = list_refs(project.repository.git, SWEEPS)
    sweeps: list[SweepAt] = []
    problems: list[Refusal] = []
    damaged: dict[str, Sweep] = {}
    with reading(project.repository) as objects:
        for ref, commit in refs.items():
            name = ref.removeprefix(SWEEPS)
            try:
                sweeps.append(read_or_explain(objects, name, commit).at)
            except ReproError as error:
                problems.append(Refusal(name, error.message, error.hint or "", kind="sweep"))
                head = tell_of(objects, commit)
                if head is not None:
                    damaged[name] = head
    sweeps.sort(key=lambda at: (at.sweep.created, at.sweep.id), reverse=True)
    return KnownSweeps(tuple(sweeps), tuple(problems), damaged)


def find_sweep(project: Project, text: str) -> SweepAt:
    """Give the sweep that is called `text`: `@` for the newest, a name, an id or its prefix.

    A name need not be unique: the newest wins, before any id that starts like it.

    Raises:
        UnknownRunError: None is called that.
        AmbiguousRunError: Several ids start like that.
        DamagedRecordError, NewerFormatError: It is there, and cannot be read.
    """
    if is_id(text):
        git = project.repository.git
        commit = list_refs(git, SWEEPS + text).get(SWEEPS + text)
        if commit is not None:
            with reading(project.repository) as objects:
                return read_or_explain(objects, text, commit).at
    known = list_sweeps(project)
    # One that cannot be read is still what it is called: no other is taken for it.
    heads = {at.sweep.id: at.sweep for at in known.sweeps} | dict(known.damaged)
    newest = sorted(heads, key=lambda one: (heads[one].created, one), reverse=True)
    called = newest[:1] if text == _NEWEST else []
    called = called or [one for one in newest if heads[one].spec.name == text]
    ids = [*newest, *(problem.run for problem in known.problems if problem.run not in heads)]
    starting = [one for one in ids if one.startswith(text)] if is_id_prefix(text) else []
    if not called and len(starting) > 1:
        raise AmbiguousRunError(
            f"`{text}` is the start of {len(starting)} sweeps",
            candidates=starting,
            hint="give more of the id: `repro sweep ls` lists them",
        )
    for one in called or starting:
        return _give(known, one)
    raise UnknownRunError(
        f"there is no sweep `{escape(text[:200])}`",
        hint="`repro sweep ls` lists them" if ids else "`repro sweep -p …` makes one",
    )


def _give(known: KnownSweeps, sweep_id: str) -> SweepAt:
    for problem in known.problems:
        if problem.run == sweep_id:
            raise DamagedRecordError(problem.reason, hint=problem.hint or None)
    return next(at for at in known.sweeps if at.sweep.id == sweep_id)


def short_sweep(project: Project, sweep_id: str) -> str:
    """The shortest prefix of `sweep_id`, of at least six characters, that no other sweep has."""
    ids = [ref.removeprefix(SWEEPS) for ref in list_refs(project.repository.git, SWEEPS)]
    return shorten_ids({sweep_id, *ids})[sweep_id]


def find_metrics(project: Project, sweep_ids: Iterable[str]) -> list[str]:
    """The metrics that some sweeps search by; of one that is not here, or damaged, none.

    Cost: one look at the refs, and one small file of each sweep, of at most `_MOST_ASKED`.
    """
    asked = list(dict.fromkeys(sweep_ids))[:_MOST_ASKED]
    if not asked:
        return []
    refs = list_refs(project.repository.git, SWEEPS)
    names: dict[str, None] = {}
    with reading(project.repository) as objects:
        for commit in filter(None, (refs.get(SWEEPS + one) for one in asked)):
            head = tell_of(objects, commit)
            if head is not None and head.spec.metric:
                names[head.spec.metric] = None
    return list(names)


def suggest_sweeps(project: Project, prefix: str) -> list[tuple[str, str]]:
    """Names of sweeps that start with `prefix`, then ids, each with what it is."""
    known = list_sweeps(project)
    names = dict.fromkeys(at.sweep.spec.name for at in known.sweeps if at.sweep.spec.name)
    short = known.short
    ids = [short[at.sweep.id] for at in known.sweeps if at.sweep.id.startswith(prefix)]
    found = [(name, "name") for name in names if name.startswith(prefix)]
    return [*found, *((one, "sweep") for one in ids)]


def read_base(project: Project, at: SweepAt) -> Record:
    """The frozen record of a sweep: what all of its trials start from.

    Raises:
        DamagedRecordError: It breaks FORMAT.md, or is not what the sweep would execute.
    """
    with reading(project.repository) as objects:
        return read_frozen(objects, at.sweep)
