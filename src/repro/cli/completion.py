"""Completion scripts for bash, zsh and fish."""

import click
from click.shell_completion import get_completion_class

from repro.cli import render

# git calls `_git_<name>` for its external commands; its words start one later.
_GIT = """
_git_repro() {
    local IFS=$'\\n'
    local words="repro ${COMP_WORDS[*]:2}"
    COMPREPLY=($(env COMP_WORDS="$words" COMP_CWORD=$((COMP_CWORD - 1)) \\
        _REPRO_COMPLETE=bash_complete repro | sed 's/^plain,//'))
}
"""


@click.command(short_help="Print the completion script of a shell")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    r"""Print the completion script of SHELL.

    \b
    bash:  eval "$(repro completion bash)"      in ~/.bashrc
    zsh:   eval "$(repro completion zsh)"       in ~/.zshrc
    fish:  repro completion fish | source       in ~/.config/fish/config.fish
    """
    cls = get_completion_class(shell)
    assert cls is not None  # one of the three that click has
    root = click.get_current_context().find_root().command
    script = cls(root, {}, "repro", "_REPRO_COMPLETE").source()
    render.out(script + (_GIT if shell == "bash" else ""))
