"""Completion scripts for bash, zsh and fish."""

import click
from click.shell_completion import get_completion_class

from repro.cli import render

# git's own completion calls `_git_<name>` for a command it finds on the PATH; the words of
# `git repro …` start one later.
# Behind the `=` of a setting its value follows, not a space. Where compopt is missing, as in the
# bash of macOS, the space is there.
_NO_SPACE = """[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null

    return 0"""

_GIT = r"""
_git_repro() {
    local IFS=$'\n' response
    COMPREPLY=()
    for response in $(env COMP_WORDS="repro ${COMP_WORDS[*]:2}" COMP_CWORD=$((COMP_CWORD - 1)) \
            _REPRO_COMPLETE=bash_complete repro); do
        COMPREPLY+=("${response#*,}")
    done
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}
"""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    r"""Print the completion script of SHELL.

    It completes verbs, options, run ids and run names; in bash also behind `git repro`.

    \b
    bash:  eval "$(repro completion bash)"      in ~/.bashrc
    zsh:   eval "$(repro completion zsh)"       in ~/.zshrc
    fish:  repro completion fish | source       in ~/.config/fish/config.fish
    """
    root = click.get_current_context().find_root().command
    found = get_completion_class(shell)
    if found is not None:  # click has all three
        # `source()` of bash asks which bash there is: `source_template` needs none at all.
        script = found(root, {}, "repro", "_REPRO_COMPLETE")
        text = script.source_template % script.source_vars()
        if shell == "bash":
            text = text.replace("return 0", _NO_SPACE, 1) + _GIT
        render.out(text)
