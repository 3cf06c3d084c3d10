"""`repro sweep`: the map of its verbs; any other first word starts a sweep."""

import difflib
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from repro.cli.verbs import Verbs
from repro.errors import UsageError
from repro.model.ids import is_id_prefix
from repro.model.text import escape

START = "start"
_LONGEST = 50  # characters of a word that looks like a verb, or an id

VERBS = {
    START: ("repro.cli.sweepstart:start", "Start a sweep; the word may be left out"),
    "ls": ("repro.cli.sweepls:ls", "List the sweeps"),
    "show": ("repro.cli.sweepshow:show", "Show a sweep, its trials, and which params matter"),
    "best": ("repro.cli.sweepbest:best", "Show the best trial, or bring its code back"),
    "resume": ("repro.cli.sweepresume:resume", "Go on with a sweep, with more trials on request"),
    "agent": ("repro.cli.sweepagent:agent", "Run trials of a sweep that machines share"),
    "rm": ("repro.cli.sweepresume:rm", "Remove a sweep to the trash; its runs stay"),
    "stop": ("repro.cli.sweepresume:stop", "Have a sweep start no more trials, wherever it runs"),
}

# What engines call on other machines: no help names it.
_HIDDEN = {"work": ("repro.cli.sweepwork:work", "")}


class _Sweeps(Verbs):
    """The verbs; what is none of them is what a sweep is started from."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words as they stand behind `start` where none of the verbs stands first."""
        args = args or ["--help"]
        first = args[0]
        if first in _HIDDEN:
            self.table = {**self.table, **_HIDDEN}
        if first not in self.table and first not in ctx.help_option_names:
            self._check(first)
            args = [START, *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs, and what may stand behind `start`."""
        found = super().shell_complete(ctx, incomplete)
        start = self.get_command(ctx, START)
        assert start is not None
        if incomplete.startswith("-"):
            inner = click.Context(start, info_name=START, parent=ctx)
            return [*found, *start.shell_complete(inner, incomplete)]
        # First, for click's script of bash forgets what stands in front of it.
        return [CompletionItem(incomplete, type="file"), *found]

    def _check(self, word: str) -> None:
        """Refuse a word that is neither a verb nor a file, when it looks like a verb.

        Raises:
            UsageError: It does.
        """
        if not word.isalnum() or len(word) > _LONGEST or Path(word).exists():
            return
        near = difflib.get_close_matches(word, self.table, n=1)
        hint = f"did you mean `repro sweep {near[0]}`?" if near else None
        if hint is None and is_id_prefix(word):
            hint = f"`repro sweep show {word}` shows a sweep, `repro sweep resume {word}` goes on"
        raise UsageError(
            f"`{escape(word)}` is neither a verb of `repro sweep` nor a file with a sweep",
            hint=hint or "`repro sweep SPEC.yaml -- CMD`; `repro sweep --help` lists the verbs",
        )


@click.group(
    cls=_Sweeps, table=VERBS, subcommand_metavar="[SPEC] [-p K=SPACE]... [-- CMD...] | VERB ..."
)
def sweep() -> None:
    r"""Search for good params: every trial is a run of one frozen snapshot.

    \b
    repro sweep sweep.yaml -- python train.py
    repro sweep -p 'lr=loguniform(1e-5,1e-1)' -p opt=sgd,adam \
        --metric val_loss --goal minimize -n 50 -j 2 -- python train.py
    repro sweep show @
    repro sweep best @ --where 'duration < 60' --checkout -w ../best

    A sweep is named by its id or the first four or more characters of it, by its name, or by `@`,
    the newest. `repro sweep start --help` lists the options that start one.
    """
