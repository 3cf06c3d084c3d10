"""Templates filled: what a page says as HTML, or one block of it.

Every text is escaped twice over: what HTML would obey, by jinja; what reorders or hides text, by
`model/text.escape`. A text of several lines takes the filter `lines`.
"""

import importlib.resources
import json
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import islice
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from repro.core.codediff import LONGEST
from repro.model.canonical import Json
from repro.model.importance import say_chance, say_strength
from repro.model.readable import format_age, format_duration, format_size, format_value
from repro.model.text import escape, split_code
from repro.model.values import ABSENT, is_number
from repro.model.verdict import Verdict
from repro.model.verdicttext import headline
from repro.version import VERSION
from repro.web.site import Site

FRAGMENT = "X-Fragment"  # a request with it wants one block of the page

_LONGEST = 4_000  # characters of a value
_LONGEST_TEXT = 100_000  # of a text of several lines
_MOST_ROWS = 2_000  # of a table that has no pages


@cache
def environment() -> Environment:
    """The templates of this package."""
    made = Environment(
        loader=PackageLoader("repro.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "lines": _lines,
        "rows": _rows,
        "age": format_age,
        "duration": format_duration,
        "size": format_size,
        "value": format_value,
        "strength": say_strength,
        "chance": say_chance,
        "exact": _exact,
        "coded": _coded,
        "verdict": _verdict,
    }
    made.tests["absent"] = _is_absent
    made.tests["finite"] = is_number
    made.globals |= {"most_rows": _MOST_ROWS, "most_lines": LONGEST}
    made.globals["version"] = VERSION
    return made


def site_of(request: Request) -> Site:
    """The site that a request came to."""
    site = request.app.state.site
    assert isinstance(site, Site)
    return site


def page(
    request: Request,
    template: str,
    values: Mapping[str, Any],
    *,
    status: int = 200,
    instead: str | None = None,
) -> HTMLResponse:
    """Fill a template, or the block of it that the request wants alone.

    Args:
        template: Its file name.
        values: Its variables; `site`, `now`, `path` and `seen` are there anyway.
        instead: The block for whoever wants another one, such as one that says what is wrong;
            the header `X-Instead` tells. It is no status, for browsers call that an error.
    """
    site = site_of(request)
    filled = environment().get_template(template)
    known = {
        "site": site,
        "now": site.project.clock(),
        "path": request.url.path,
        "seen": getattr(request.state, "seen", ""),
        **values,
    }
    block = request.headers.get(FRAGMENT)
    if block is not None and instead is not None:
        return HTMLResponse(_block(filled, instead, known), headers={"X-Instead": instead})
    if block is not None and block in filled.blocks:
        return HTMLResponse(_block(filled, block, known), status_code=status)
    return HTMLResponse(filled.render(known), status_code=status)


def _block(template: Template, name: str, values: dict[str, Any]) -> str:
    return "".join(template.blocks[name](template.new_context(values)))


def _shown(value: object) -> object:
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return escape(value)
    return value


def _exact(value: Json) -> str:
    """A value as JSON, whole but for what is endless."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _coded(text: str) -> Markup:
    """A sentence of ours; what stands between backticks in it is code."""
    return Markup().join(
        Markup("<code>{}</code>").format(escape(piece)) if is_code else escape(piece)
        for piece, is_code in split_code(text)
    )


def _verdict(verdict: Verdict) -> Markup:
    return _coded(headline(verdict))


def _is_absent(value: object) -> bool:
    return value is ABSENT


def _rows(rows: Iterable[Any]) -> list[Any]:
    """The rows that a table shows where there may be a hundred thousand."""
    return list(islice(rows, _MOST_ROWS))


def _lines(text: str) -> Markup:
    """A text of several lines, whole but for what is endless; its line ends stay."""
    text = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
    return Markup("\n").join(escape(line) for line in text.replace("\r\n", "\n").split("\n"))


@cache
def static_names() -> frozenset[str]:
    """The files of the folder `static`."""
    folder = importlib.resources.files("repro.web") / "static"
    return frozenset(entry.name for entry in folder.iterdir() if entry.is_file())
