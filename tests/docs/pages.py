"""The pages that are made from the code."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from repro import errors
from repro.cli.main import VERBS, repro
from repro.cli.verbs import Verbs
from tests.hostile.rows import PARTS
from tests.hostile.table import Case, Row

DOCS = Path(__file__).parents[2] / "docs"
CLI = DOCS / "reference" / "cli.md"
HOSTILE = DOCS / "reference" / "hostile.md"
EXIT_CODES = DOCS / "reference" / "exit-codes.md"
_MARK = "<!-- errors: generated from src/repro/errors.py by `python -m tests.docs` -->\n"
_END = "<!-- end -->\n"


def render_cli() -> str:
    """The reference of all verbs, from the commands themselves."""
    parts = [
        "# Commands\n\n",
        "Made from the commands by `python -m tests.docs`; `repro VERB --help` says the same.\n",
        "Also installed as `git-repro`, so that `git repro VERB` works.\n",
        "\nA run is named by its id or the first four or more characters of it, by its name ",
        "(the newest with that name), `@` (the newest run), `@{n}` (n runs before it), `@{-1}` ",
        "(the one last checked out), and `RUN~1` (its parent run).\n\n",
        _options(repro),
        "\n| Verb | |\n|---|---|\n",
        *(f"| [`{verb}`](#{verb}) | {line} |\n" for verb, (_, line) in VERBS.items()),
    ]
    context = click.Context(repro, info_name="repro")
    for verb in VERBS:
        command = repro.get_command(context, verb)
        assert command is not None
        inner = click.Context(command, info_name=verb, parent=context)
        parts.append(_verb(command, inner, verb))
        if isinstance(command, Verbs):
            parts.append(_inner_verbs(command, inner, verb))
    return "".join(parts)


def list_verbs() -> Iterator[click.Context]:
    """A context for each verb, those within another one included."""
    context = click.Context(repro, info_name="repro")
    for verb in VERBS:
        command = repro.get_command(context, verb)
        assert command is not None
        outer = click.Context(command, info_name=verb, parent=context)
        yield outer
        if not isinstance(command, Verbs):
            continue
        for name in command.table:
            inner = command.get_command(outer, name)
            assert inner is not None
            yield click.Context(inner, info_name=name, parent=outer)


def _inner_verbs(group: Verbs, context: click.Context, name: str) -> str:
    rows = [
        f"| [`{name} {verb}`](#{name}-{verb}) | {line} |\n"
        for verb, (_, line) in group.table.items()
    ]
    parts = ["\n| Verb | |\n|---|---|\n", *rows]
    for verb in group.table:
        command = group.get_command(context, verb)
        assert command is not None
        inner = click.Context(command, info_name=verb, parent=context)
        parts.append(_verb(command, inner, f"{name} {verb}"))
    return "".join(parts)


def _verb(command: click.Command, context: click.Context, name: str) -> str:
    usage = " ".join(command.collect_usage_pieces(context))
    text = inspect.cleandoc(command.help or "")
    return f"\n## {name}\n\n```\nrepro {name} {usage}\n```\n\n{_prose(text)}\n\n{_options(command)}"


def _prose(text: str) -> str:
    """Paragraphs as they are; those behind a \\b, which click leaves unwrapped, as blocks."""
    blocks = []
    for block in text.split("\n\n"):
        if block.startswith("\b\n"):
            blocks.append(f"```\n{block[2:]}\n```")
        else:
            blocks.append(block)
    return "\n\n".join(blocks)


def _options(command: click.Command) -> str:
    rows = []
    for param in command.params:
        if not isinstance(param, click.Option) or param.hidden:
            continue
        value = "" if param.is_flag or param.count else f" {_metavar(param)}"
        names = ", ".join(f"`{name}{value}`" for name in (*param.opts, *param.secondary_opts))
        rows.append(f"| {names} | {_cell(param.help or '')} |\n")
    return "".join(["| Option | |\n|---|---|\n", *rows]) if rows else ""


def _metavar(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return _cell("|".join(map(str, option.type.choices)))
    return str(option.type.name).upper()


def render_exit_codes(page: str) -> str:
    """The page with its table of errors made anew."""
    rows = [
        f"| `{error.slug}` | {code} | {inspect.cleandoc(error.__doc__ or '').splitlines()[0]} |\n"
        for error, code in _errors()
    ]
    before, _, rest = page.partition(_MARK)
    after = rest.partition(_END)[2]
    table = ["\n## Errors\n\n| `error` | Code | |\n|---|---|---|\n", *rows, "\n"]
    return before + _MARK + "".join(table) + _END + after


def _errors() -> list[tuple[type[errors.ReproError], str]]:
    found = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type)
        and issubclass(kind, errors.ReproError)
        and kind is not errors.ReproError
    ]
    return [
        (kind, "126, 127" if kind is errors.CommandError else str(kind.exit_code)) for kind in found
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def render_hostile() -> str:
    """The list of hostile inputs with what becomes of each, from the table that tests try."""
    count = sum(len(rows) for rows in PARTS.values())
    parts = [
        "# Hostile runs\n\n",
        "Made from the table that `tests/hostile` tries by `python -m tests.docs`.\n",
        f"All {count} inputs are refused in one line or handled: nothing is written outside of ",
        "its place, nothing is executed, other runs of the same fetch come in.\n",
        "Each is tried in an address space of 512 MiB.\n",
        "*Fetched* is what `repro fetch` makes of the run; *else* what `repro checkout -w` makes ",
        "of it where a plain `git fetch` brought it, which checks nothing.\n",
    ]
    for title, rows in PARTS.items():
        parts.append(f"\n## {title}\n\n| | Input | Fetched | Else | |\n|---|---|---|---|---|\n")
        parts += [_hostile_row(row) for row in rows]
    return "".join(parts)


def _hostile_row(row: Row) -> str:
    if isinstance(row, Case):
        fetched = "refused" if row.vetted == "refused" else "comes in"
        is_tried = row.id[0] in "AC" and row.plain != "either"
        cells = [row.id, row.what, fetched, row.plain if is_tried else "", row.then]
    else:
        cells = [row.id, row.what, "", "", row.outcome]
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |\n"
