"""What a ledger gets next: the results that it lacks, and the claims that follow from them."""

from collections.abc import Callable, Mapping, Sequence

from repro.core.project import Project
from repro.core.sweep.claiming import find_next
from repro.core.sweep.protocols import Suggester
from repro.core.sweep.settle import Settled, tell_result
from repro.core.sweep.unknown import Unknown
from repro.model.ids import new_id
from repro.model.space import Params
from repro.model.sweep import Agent, Asked, Entry, Progress, SweepAt, Trial, TrialState
from repro.model.sweepspec import SweepSpec


class Draft:
    """The next write of one process into the ledger of a sweep.

    Attributes:
        unknown: Runs that the ledger does not know, by the number of their trial.
    """

    def __init__(
        self,
        project: Project,
        spec: SweepSpec,
        suggester: Suggester,
        agent: Agent,
    ) -> None:
        """Begin with nothing to write."""
        self._project = project
        self._spec = spec
        self._suggester = suggester
        self._agent = agent
        self.unknown: Mapping[int, Unknown] = {}
        self._settled: dict[str, Settled] = {}  # what the ledger does not know yet
        self._accepted: list[Settled] = []  # of these, what fits the ledger as it is
        self._is_dry = False  # whether the ledger at `_dry_at` leaves nothing to claim
        self._dry_at = ""

    def __bool__(self) -> bool:
        """Whether there are results to be told."""
        return bool(self._settled)

    @property
    def runs(self) -> list[str]:
        """The runs behind the results; of a trial that reuses an earlier run it is that one."""
        return [one.record.run.id for one in self._settled.values() if one.record is not None]

    def add(self, one: Settled) -> None:
        """Have a result told."""
        self._settled[one.entry.run] = one

    def is_dry(self, at: SweepAt) -> bool:
        """Whether the last write found that there is nothing to claim, and all is as it was."""
        return self._dry_at == at.commit

    def decide(
        self, at: SweepAt, *, free: int, may_begin: Callable[[Progress], bool]
    ) -> Sequence[Entry]:
        """The entries that the ledger gets next, whatever others wrote meanwhile.

        Args:
            free: How many trials can be started.
            may_begin: Whether any may, as things stand then.
        """
        self._accepted = [
            one for run, one in self._settled.items() if find_attempt(at.progress, run) is not None
        ]
        self._is_dry = False
        entries: list[Entry] = [one.entry for one in self._accepted]
        ledger = at.ledger.extended(entries)
        while free > 0 and may_begin(ledger.progress):
            following = find_next(self._spec, self._suggester, ledger)
            if following is None:
                self._is_dry = True
                break
            more, settled = self._claim(*following)
            if settled is None:
                free -= 1
            else:
                self._accepted.append(settled)
            entries += more
            ledger = ledger.extended(more)
        return entries

    def _claim(self, number: int, params: Params) -> tuple[list[Entry], Settled | None]:
        """The claim of a trial; with its result, where a run that nobody knew of has done it."""
        unknown = self.unknown.get(number)
        now = self._project.clock()
        if unknown is None:
            run = str(new_id(self._project.entropy))
            return [Asked(number=number, params=params, run=run, agent=self._agent, time=now)], None
        record = unknown.record
        run = record.run.id
        asked = Asked(number=number, params=unknown.params, run=run, agent=self._agent, time=now)
        settled = tell_result(self._project, self._spec, number, run, record, is_found=True)
        return [asked, settled.entry], settled

    def written(self, at: SweepAt) -> list[Settled]:
        """Begin anew, now that the ledger has all of it; the results that it took."""
        if self._is_dry:
            self._dry_at = at.commit
        accepted = self._accepted
        self._accepted, self._settled = [], {}
        return accepted


def find_attempt(progress: Progress, run: str) -> Trial | None:
    """The trial that waits for the end of this very attempt; None where there is none."""
    running = (one for one in progress.trials if one.state is TrialState.RUNNING)
    return next((trial for trial in running if trial.run == run), None)
