"""The application: the routes behind the guard, and every failure as a page."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from repro.errors import ReproError
from repro.web.failures import Failures, say_error, say_http
from repro.web.guard import Guard
from repro.web.routes import ROUTES
from repro.web.site import Site


def make_app(site: Site) -> Starlette:
    """Give the application that shows the record of `site`."""
    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(Guard, site=site), Middleware(Failures)],
        exception_handlers={ReproError: say_error, HTTPException: say_http},
    )
    app.state.site = site
    return app
