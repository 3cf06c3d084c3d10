"""Lines laid out by a template, as in `git for-each-ref`: `%(id) %(metrics.loss:.3f)`."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from repro.errors import UsageError
from repro.model.columns import Column
from repro.model.condition import Key, Space
from repro.model.fields import FIELDS
from repro.model.readable import format_age, plain_text
from repro.model.run import Record
from repro.model.text import escape
from repro.model.values import Value

_TOKEN = re.compile(
    r'%(?:%|(?P<code>[0-9a-fA-F]{2})|\((?P<inner>(?:[^)`"]|`[^`]*`|"(?:[^"\\]|\\.)*")*+)\))',
    re.DOTALL,
)
_WITH_FORM = re.compile(r'(?P<name>.*):(?P<form>[^:`"]*)\Z', re.DOTALL)
_FORM = re.compile(
    r"(?:(?P<fill>.)?(?P<align>[<>^]))?(?P<sign>[+ ]?)(?P<zero>0?)(?P<width>\d{0,3})"
    r"(?P<kind>,?(?:\.\d{1,2})?[defgEFG%]?)\Z"
)
_SHORT = {"base": 10, "snapshot": 10}  # characters


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value in a template.

    Attributes:
        form: `short`, `relative`, or how Python would format it: `.3f`, `>10`.
    """

    column: Column
    form: str


Template = tuple[str | Placeholder, ...]


def parse_template(text: str, find: Callable[[str], Column]) -> Template:
    """Read a template: `%(NAME)` or `%(NAME:FORM)`, `%%`, and `%xx` for a byte by its code.

    Args:
        find: Gives the column of a name.

    Raises:
        UsageError: A parenthesis is not closed, or a form is none.
        FilterError: From `find`.
    """
    parts: list[str | Placeholder] = []
    position = 0
    for token in _TOKEN.finditer(text):
        parts.append(_literal(text[position : token.start()]))
        position = token.end()
        if token["inner"] is not None:
            parts.append(_placeholder(token["inner"], find))
        else:
            code = bytes.fromhex(token["code"] or "25")
            parts.append(code.decode(errors="surrogateescape"))
    return (*parts, _literal(text[position:]))


def _literal(text: str) -> str:
    if "%(" in text:
        raise UsageError(
            f"`{escape(text[text.index('%(') :])}` in the format is not closed",
            hint="write `%(NAME)` for a value, `%%` for a percent sign",
        )
    return text


def _placeholder(inner: str, find: Callable[[str], Column]) -> Placeholder:
    parts = _WITH_FORM.match(inner)
    if parts is None:
        return Placeholder(find(inner), "")
    if not _is_form(parts["form"]):
        with suppress(UsageError):  # a metric may be called `train:loss`
            return Placeholder(find(inner), "")
    column = find(parts["name"])
    form = parts["form"]
    is_fit = _is_form(form)
    if form == "short":
        is_fit = _is_field(column.key, {"id", *_SHORT})
    elif form == "relative":
        is_fit = _is_field(column.key, {name for name, one in FIELDS.items() if one.is_moment})
    if not is_fit:
        raise UsageError(
            f"`{escape(form)}` is no form of `{escape(parts['name'])}`",
            hint="such as `%(id:short)`, `%(created:relative)`, `%(loss:.3f)`, `%(name:<20)`",
        )
    return Placeholder(column, form)


def _is_form(form: str) -> bool:
    return form in ("short", "relative") or _FORM.match(form) is not None


def _is_field(key: Key | None, names: set[str]) -> bool:
    return key is not None and key.space is Space.FIELD and key.name in names


def named_columns(template: Sequence[str | Placeholder]) -> list[Column]:
    """The columns whose values stand in a template."""
    return [part.column for part in template if isinstance(part, Placeholder)]


def fill_template(
    template: Sequence[str | Placeholder], record: Record, short: Mapping[str, str], now: float
) -> str:
    """Give the line of one run; what it lacks is empty, and nothing in it obeys a terminal.

    Args:
        short: Short forms of ids.
        now: Seconds since 1970.
    """
    return "".join(
        part if isinstance(part, str) else _fill(part, record, short, now) for part in template
    )


def _fill(placeholder: Placeholder, record: Record, short: Mapping[str, str], now: float) -> str:
    value, form = placeholder.column.value(record), placeholder.form
    if form == "relative":
        return format_age(value, now) if isinstance(value, str) else ""
    if form == "short":
        text = value if isinstance(value, str) else ""
        name = placeholder.column.title
        return escape(text[: _SHORT[name]] if name in _SHORT else short.get(text, text))
    match = _FORM.match(form)
    return escape(plain_text(value)) if not form or match is None else _lay_out(value, match)


def _lay_out(value: Value, form: re.Match[str]) -> str:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    text = _numeral(value, form) if is_number else escape(plain_text(value))
    align = form["align"] or (">" if is_number else "<")
    return f"{text:{form['fill'] or ' '}{align}{form['width'] or '0'}}"


def _numeral(value: Value, form: re.Match[str]) -> str:
    zero = "0" + form["width"] if form["zero"] and not form["align"] else ""
    spec = form["sign"] + zero + form["kind"]
    for number in (value, _as_float(value)):  # an integer has no `.3`, but it has a float
        with suppress(ValueError, OverflowError):
            return format(number, spec)
    return plain_text(value)


def _as_float(value: Value) -> Value:
    try:
        return float(value) if isinstance(value, int) else value
    except OverflowError:
        return value
