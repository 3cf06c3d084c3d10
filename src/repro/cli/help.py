"""`repro help`: the help of a verb, asked for as git's."""

import click
from click.shell_completion import CompletionItem

from repro.cli import render
from repro.cli.verbs import Verbs


def _complete(ctx: click.Context, _: click.Parameter, word: str) -> list[CompletionItem]:
    command: click.Command | None = ctx.find_root().command
    for before in ctx.params.get("words") or ():
        command = command.get_command(ctx, before) if isinstance(command, Verbs) else None
    table = command.table if isinstance(command, Verbs) else {}
    return [
        CompletionItem(verb, help=line)
        for verb, (_, line) in table.items()
        if verb.startswith(word)
    ]


@click.command()
@click.argument("words", nargs=-1, metavar="[VERB]...", shell_complete=_complete)
def help_(words: tuple[str, ...]) -> None:
    r"""Show what a verb does, or without VERB which there are.

    \b
    repro help run
    repro help data add
    """
    context = click.get_current_context().find_root()
    for word in words:
        if not isinstance(context.command, Verbs):
            break
        _, command, _ = context.command.resolve_command(context, [word])
        assert command is not None  # an unknown word is a UsageError
        context = command.context_class(command, info_name=word, parent=context)
    render.out(context.get_help())
