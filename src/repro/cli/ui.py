"""`repro ui`: the web page of the runs of this repository."""

import importlib.util
import os
import secrets
import signal
import sys
from contextlib import ExitStack
from dataclasses import replace

import click

from repro.cli import render
from repro.cli.browser import has_browser, opened
from repro.cli.context import open_here
from repro.cli.numbers import WholeNumber
from repro.errors import InvalidInputError, StorageError

_NEEDED = ("jinja2", "plotly", "pygments", "starlette", "uvicorn")


@click.command()
@click.option(
    "--port", type=WholeNumber(0, 65535), metavar="N",
    help="Listen on this port; 0 takes any. By default the first free one from 7373 on.",
)  # fmt: skip
@click.option("--no-open", is_flag=True, help="Do not open a browser; print the address alone.")
@click.option("--read-only", is_flag=True, help="Refuse changes of tags, notes and the trash.")
def ui(port: int | None, *, no_open: bool, read_only: bool) -> None:
    """Show runs as a web page, until ^C.

    The page is served to this machine alone, at an address with a token: who does not have that
    sees nothing. Through a tunnel, take the same port on both ends:
    `ssh -L 7373:127.0.0.1:7373 HOST`.
    """
    absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        raise InvalidInputError(
            f"the web page needs {absent[0]}, which is not installed here",
            hint="`pip install 'git-repro[ui]'`",
        )
    project = replace(open_here(), takes_old_index=True)
    # Here, for they are there only with the extra.
    from repro.web.pulse import Pulse  # noqa: PLC0415
    from repro.web.serve import open_port, serve  # noqa: PLC0415
    from repro.web.site import Site  # noqa: PLC0415

    listening = open_port(port)
    site = Site(
        project=project,
        port=listening.getsockname()[1],
        token=secrets.token_urlsafe(24),
        is_read_only=read_only,
        pulse=Pulse(project),
    )

    with ExitStack() as until_the_end:

        def say() -> None:
            render.out(site.address)
            render.flush()
            render.note("^C stops the server")
            if no_open or not has_browser(os.environ):
                return
            way = project.repository.private / f"ui-{site.port}.html"
            try:
                until_the_end.enter_context(opened(site.address, way, os.environ))
            except StorageError as error:
                render.note(f"no browser is opened: {error.message}")

        # Once the server has ended by it, the signal comes again, and nothing shall be left behind.
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        serve(listening, site, say)
