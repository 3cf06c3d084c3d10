"""A bundle, cloned by git alone, is what an RO-Crate validator calls one.

Run by hand: `pip install roc-validator`, then `python -m pytest tests/examples/test_ro_crate.py`.
The validator reads the JSON-LD context of RO-Crate from the network.
"""

import urllib.request
from pathlib import Path

import pytest
from tests.support import git, write_files
from tests.support.datasets import add_data
from tests.support.projects import make_run, open_here

from repro.core.bundle import bundle_runs
from repro.core.query import resolve_run

_CONTEXT = "https://w3id.org/ro/crate/1.1/context"

services = pytest.importorskip("rocrate_validator.services")
models = pytest.importorskip("rocrate_validator.models")


@pytest.fixture
def online() -> None:
    try:
        urllib.request.urlopen(_CONTEXT, timeout=5).close()
    except OSError as error:
        pytest.skip(f"{_CONTEXT} cannot be read: {error}")


@pytest.mark.usefixtures("online")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # those of the validator's own code
def test_a_bundle_is_a_valid_process_run_crate(repository: Path) -> None:
    write_files(repository, {"data/a b": "1\n", "LICENSE": "MIT\n"})
    add_data(repository, "data", keep=True)
    project = open_here(repository)
    runs = [make_run(project, {"loss": 0.5}, name="a & b"), make_run(project, status="failed")]
    target = repository.parent / "x.bundle"
    records = [resolve_run(project, run.id) for run in runs]
    bundle_runs(project, records, target, with_data=True)
    crate = repository.parent / "crate"
    git(repository.parent, "clone", "-q", str(target), str(crate))

    settings = services.ValidationSettings(
        rocrate_uri=str(crate),
        profile_identifier="process-run-crate-0.5",
        requirement_severity=models.Severity.REQUIRED,
    )
    result = services.validate(settings)

    assert not result.has_issues(), [issue.message for issue in result.get_issues()]
