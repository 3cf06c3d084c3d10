"""Each test leaves no run open behind it."""

from collections.abc import Iterator
from types import ModuleType

import pytest

import repro


@pytest.fixture
def sdk(repository: object) -> Iterator[ModuleType]:
    """The package, in a fresh repository; a run still open at the end is finished."""
    yield repro
    repro.finish()
