"""A browser that is let in, without a network."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.support.projects import open_here
from tests.support.web import PORT, TOKEN

from repro.web.app import make_app
from repro.web.pulse import Pulse
from repro.web.site import Site


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Source text is coloured however busy the machine is."""
    monkeypatch.setattr("repro.web.highlight._LONGEST_S", 3600.0)


@pytest.fixture
def browse() -> Callable[..., TestClient]:
    """Gives a client of the page of a repository, which has the token unless told otherwise."""

    def make(root: Path, *, token: str | None = TOKEN, is_read_only: bool = False) -> TestClient:
        project = replace(open_here(root), takes_old_index=True)  # as `repro ui` does
        site = Site(
            project=project, port=PORT, token=TOKEN, is_read_only=is_read_only, pulse=Pulse(project)
        )
        client = TestClient(make_app(site), base_url=f"http://127.0.0.1:{PORT}")
        client.headers["accept"] = "text/html"
        if token is not None:
            client.cookies.set(f"repro-{PORT}", token)
        return client

    return make
