"""`repro hook`: the hooks of git installed in a clone, and run."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click
from click.shell_completion import CompletionItem

import repro
from repro import hooks
from repro.cli import render
from repro.cli.opening import open_around
from repro.cli.verbs import Verbs
from repro.core.hooks.install import install_hooks, read_states, uninstall_hooks
from repro.errors import UsageError
from repro.model.nearest import say_meant
from repro.model.text import escape
from repro.store.hookfiles import Program

VERBS = {
    "install": ("repro.cli.hook:install", "Have git call repro at commits, rebases and pushes"),
    "uninstall": ("repro.cli.hook:uninstall", "Take the hooks away, and put back what was there"),
    "status": ("repro.cli.hook:status", "Show which hooks are installed"),
    "run": ("repro.cli.hook:run", "Run one hook, or one check, now"),
}


def _complete_hooks(_: click.Context, __: click.Parameter, word: str) -> list[CompletionItem]:
    return _fitting(hooks.GIT_HOOKS, word)


def _complete_hooks_and_checks(
    _: click.Context, __: click.Parameter, word: str
) -> list[CompletionItem]:
    return _fitting(hooks.GIT_HOOKS | hooks.CHECKS, word)


def _fitting(named: Mapping[str, str], word: str) -> list[CompletionItem]:
    return [
        CompletionItem(name, help=what) for name, what in named.items() if name.startswith(word)
    ]


@click.group(cls=Verbs, table=VERBS)
def hook() -> None:
    """Have git call repro: checks before commits, a trailer in them, runs pushed with them.

    Nothing needs them: recording works without any hook.
    """


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=_complete_hooks)
@click.option(
    "--local", is_flag=True,
    help="For this clone only, also where core.hooksPath names a folder that others share; the"
    " hooks in there are called as before.",
)  # fmt: skip
def install(names: tuple[str, ...], *, local: bool) -> None:
    """Install hooks of git in this clone, all of them by default.

    A hook that is there already is kept as NAME.before-repro and called first.
    """
    for name in names:
        if name not in hooks.GIT_HOOKS:
            raise UsageError(
                f"`{escape(name)}` is no hook of repro{say_meant(name, list(hooks.GIT_HOOKS))}",
                hint=f"the hooks are {', '.join(hooks.GIT_HOOKS)}",
            )
    package = Path(repro.__file__).with_name("__main__.py")
    program = Program(sys.executable, str(package))
    project = open_around()
    done = install_hooks(project.repository, names or tuple(hooks.GIT_HOOKS), program, local=local)
    if not done.changed:
        render.note(f"repro: the hooks are installed already, in `{escape(str(done.folder))}`")
        return
    render.note(f"repro: installed {', '.join(done.changed)} in `{escape(str(done.folder))}`")
    for name in done.kept:
        render.note(f"repro: the {name} hook that was there is called first")


@click.command()
def uninstall() -> int:
    """Take all hooks of repro away, and put back those that were there before.

    Exits with 1 where somebody changed one since: that one stays.
    """
    done = uninstall_hooks(open_around().repository)
    if done.hooks:
        render.note(f"repro: took {', '.join(done.hooks)} away")
    elif not done.left:
        render.note("repro: no hooks are installed")
    for path in done.left:
        render.note(f"repro: `{escape(path)}` was changed by hand, and stays")
    return int(bool(done.left))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def status(*, as_json: bool) -> None:
    """Show which hooks are installed, and where git looks for them."""
    folder, states = read_states(open_around().repository, list(hooks.GIT_HOOKS))
    if as_json:
        names = {name: state.value for name, state in states.items()}
        render.data_json({"folder": str(folder), "hooks": names})
        return
    rows = [[name, state.value, hooks.GIT_HOOKS[name]] for name, state in states.items()]
    render.out(render.table(rows, ["hook", "state", "what it does"]))
    render.note(f"git takes hooks from `{escape(str(folder))}`")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", metavar="NAME", shell_complete=_complete_hooks_and_checks)
@click.argument("words", nargs=-1, metavar="[ARG]...", type=click.UNPROCESSED)
def run(name: str, words: tuple[str, ...]) -> int:
    r"""Run a hook of git, or one of the checks, as git or pre-commit would.

    \b
    repro hook run pre-commit                    # all checks on what is staged
    repro hook run repro-large-files FILE...     # one check, of some files

    For hooks of your own, and for pre-commit.
    """
    return hooks.run_hook(name, words)
