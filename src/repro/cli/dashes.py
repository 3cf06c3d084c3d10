"""The `--` of a command line: what stands behind it belongs to a command of the user's."""

from collections.abc import Sequence

import click


class Appending(click.Command):
    """A verb whose last argument, `appended`, takes words behind `--` and no others."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words before `--` as ours."""
        own, words = _split(args)
        rest = super().parse_args(ctx, own)
        stray = ctx.params["appended"]
        if stray and not ctx.resilient_parsing:
            ctx.fail(f"Got unexpected extra argument ({stray[0]})")
        ctx.params["appended"] = words
        return rest


class Trailing(click.Command):
    """A verb that gets the words behind `--` as `appended`, apart from all of its arguments."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words before `--` as ours."""
        own, words = _split(args)
        try:
            rest = super().parse_args(ctx, own)
        except click.UsageError as error:
            if "unexpected extra argument" in error.message and "--" not in args:
                told = f"{error.message}; put `--` before the command"
                raise click.UsageError(told, error.ctx) from None
            raise
        ctx.params["appended"] = words
        return rest


class Entering(click.Command):
    """A verb `RUN CMD...` whose options may stand before RUN and behind it, up to the command.

    The command starts with the first word behind RUN that is no option, or behind `--`; from
    there on every word is its own.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the options behind RUN before it, where they are read."""
        ctx.allow_interspersed_args = False
        name, *rest = self._arguments(ctx, args) or [""]
        if rest and rest[0].startswith("-") and rest[0] != "--":
            before = args[: len(args) - len(rest) - 1]
            words = self._arguments(ctx, rest)
            options = rest[: len(rest) - len(words)]
            if options[-1] == "--":
                options.pop()
            args = [*before, *options, name, "--", *words]
        return super().parse_args(ctx, args)

    def _arguments(self, ctx: click.Context, args: Sequence[str]) -> list[str]:
        """The words from the first on that is no option of ours."""
        found, _, _ = self.make_parser(ctx).parse_args(list(args))
        first, more = found.get("name"), found.get("command")
        # What is not there is None, or a mark of click's own.
        words = list(more) if isinstance(more, tuple) else []
        return [first, *words] if isinstance(first, str) else []


def _split(args: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    if "--" not in args:
        return list(args), ()
    at = args.index("--")
    return list(args[:at]), tuple(args[at + 1 :])
