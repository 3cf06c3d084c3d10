"""What a dataset is on disk, told without loading all that compares its versions."""

from dataclasses import replace

from repro.core.datasets import Dataset, measure_dataset
from repro.core.measured import Measured, OnProgress
from repro.core.project import Project
from repro.store.statcache import StatCache

Facts = tuple[str, int, int]  # digest, files, bytes, as `repro.lock` has them


def measure_present(
    project: Project, dataset: Dataset, cache: StatCache, *, on_progress: OnProgress | None = None
) -> Measured | None:
    """Measure a dataset as it lies here; None where nothing does.

    Raises:
        ReproError: It cannot be read, or recorded.

    Cost: as `repro.core.measure.measure`; no byte of it is kept.
    """
    try:
        dataset.place(project.repository.root).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        pass  # what measures it says more
    looked_at = replace(dataset, keep=False)
    return measure_dataset(project, looked_at, cache, on_progress=on_progress)


def read_present(
    project: Project, dataset: Dataset, cache: StatCache, *, on_progress: OnProgress | None = None
) -> Facts | None:
    """Give the facts that pin a dataset as it lies here, as `measure_present` does."""
    measured = measure_present(project, dataset, cache, on_progress=on_progress)
    if measured is None:
        return None
    return f"xxh3:{measured.digest}", measured.files, measured.size
