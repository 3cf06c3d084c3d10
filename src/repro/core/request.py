"""What the user asked to be recorded, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from repro.model.canonical import Json
from repro.model.randomness import RandomPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked to be recorded.

    Attributes:
        cwd: Where the command runs, inside the repository.
        config: Given with `-c` or in code; wins over files and command.
        environment: As `capture_environment` gives it.
        data: Paths of datasets beside those of `repro.yaml`, relative to `cwd`.
        resume: Id of the run to continue.
        run_id: The id that the run gets, which no other has; None draws one.
        sweep: Id of the sweep whose trial it is.
        trial: Which one, from 0.
        randomness: Where its random numbers come from; None leaves that to the command.
        submodules: Trees, in this repository, of submodules that lie there as plain files, by
            path.
        warnings: What is known already not to be as it should, in words.
    """

    command: tuple[str, ...]
    cwd: Path
    name: str | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
    config: Mapping[str, Json] = field(default_factory=dict)
    environment: Mapping[str, Json] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    resume: str | None = None
    parent: str | None = None
    rerun_of: str | None = None
    run_id: str | None = None
    sweep: str | None = None
    trial: int | None = None
    randomness: RandomPlan | None = None
    submodules: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
