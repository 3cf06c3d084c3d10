"""Can a run still be reproduced today: each of its conditions looked at, none hiding another."""

from collections.abc import Callable, Iterable, Iterator

from repro.core.doctor_around import Around
from repro.core.doctor_code import check_base, check_code, check_lfs, check_submodules
from repro.core.doctor_command import (
    check_command,
    check_omitted,
    check_randomness,
    check_secrets,
)
from repro.core.doctor_data import check_data
from repro.core.doctor_editables import check_editables
from repro.core.doctor_interpreter import check_gpus, check_platform
from repro.core.doctor_packages import check_environment
from repro.core.measured import OnProgress
from repro.core.project import Project
from repro.core.search_path import check_search_path
from repro.errors import ReproError
from repro.model.diagnosis import Diagnosis, Item, degraded
from repro.model.run import Record

Check = Callable[[], Iterable[Item]]


def examine(
    project: Project,
    record: Record,
    *,
    ask_index: bool = True,
    around: Around | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    on_progress: OnProgress | None = None,
) -> Diagnosis:
    """Say of each condition of a run whether it can be had again today.

    Nothing is changed or fetched, and nothing of the run is executed.

    Args:
        ask_index: Whether the package index, and the store of the project, may be asked.
        around: What earlier examinations have learnt of this machine.
        on_step: Told the name of each check as it begins.
        on_progress: Called several times a second while datasets are read.

    Cost: walks the objects of the code; hashes files of datasets that are new since the last
    time; one request for each package that is not installed as it was.
    """
    known = around if around is not None else Around(project, ask_index=ask_index)
    checks: dict[str, Check] = {
        "code": lambda: check_code(project, record),
        "base": lambda: check_base(project, record),
        "submodules": lambda: check_submodules(project, record),
        "lfs": lambda: check_lfs(project, record),
        "omitted": lambda: check_omitted(project, record),
        "data": lambda: check_data(
            project, record, ask_store=known.ask_index, on_progress=on_progress
        ),
        "environment": lambda: check_environment(project, record, known),
        "search path": lambda: check_search_path(record),
        "editables": lambda: check_editables(project, record),
        "platform": lambda: check_platform(record, known.environment(record)),
        "gpu": lambda: check_gpus(record, known.environment(record)),
        "command": lambda: check_command(project, record),
        "secrets": lambda: check_secrets(project, record),
        "randomness": lambda: check_randomness(record),
    }
    return Diagnosis(record.run.id, tuple(_guarded(checks, on_step)))


def _guarded(checks: dict[str, Check], on_step: Callable[[str], None]) -> Iterator[Item]:
    for name, check in checks.items():
        on_step(name)
        try:
            yield from check()
        except ReproError as error:
            yield degraded(name, f"cannot be examined: {error.message}", error.hint)
        except OSError as error:
            yield degraded(name, f"cannot be examined: {error}")
