"""A group of commands from a table, each imported when it is used."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

from repro.errors import UsageError
from repro.model.text import escape


class Verbs(click.Group):
    """A group whose commands are named by a table and imported when they are used.

    Attributes:
        table: Verb to `module:attribute` and one line of help, in the order of the help.
        headings: The verb that a section of the help starts with, to what stands above it.
    """

    def __init__(
        self,
        *args: Any,
        table: Mapping[str, tuple[str, str]],
        headings: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.table = table
        self.headings = headings or {}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; a group that needs a verb and gets no word gives its help."""
        return super().parse_args(ctx, args or (["--help"] if self.no_args_is_help else []))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order of the table."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb, imported now; None where there is none."""
        if cmd_name not in self.table:
            return None
        place, line = self.table[cmd_name]
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        command.short_help = line
        if command.help:
            # Click's mark of a block to leave unwrapped is one character; a raw docstring has two.
            command.help = command.help.replace("\\b\n", "\b\n")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the table, so that the help imports none of them."""
        heading, sections = "Commands", dict[str, list[tuple[str, str]]]()
        for verb, (_, line) in self.table.items():
            heading = self.headings.get(verb, heading)
            sections.setdefault(heading, []).append((verb, line))
        width = max(map(len, self.table))
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl([(verb.ljust(width), line) for verb, line in rows])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; an unknown verb gets the nearest ones named."""
        if args and args[0] not in self.table and not args[0].startswith("-"):
            raise self._unknown(ctx, args[0])
        return super().resolve_command(ctx, args)

    def _unknown(self, ctx: click.Context, word: str) -> UsageError:
        import difflib  # noqa: PLC0415  # for mistakes alone

        near = difflib.get_close_matches(word, self.table, n=3)
        hint = f"did you mean {' or '.join(f'`{verb}`' for verb in near)}?" if near else None
        where = ctx.command_path
        return UsageError(
            f"`{escape(word)}` is not a {where} command", hint=hint or f"see `{where} --help`"
        )
