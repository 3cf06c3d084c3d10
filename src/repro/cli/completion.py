"""Completion scripts for bash, zsh and fish."""

from collections.abc import Iterable

import click
from click.shell_completion import BashComplete, add_completion_class, get_completion_class

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
        if [[ $response == plain,* ]]; then
            COMPREPLY+=("${response#*,}")
        else
            compopt -o default 2>/dev/null
        fi
    done
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}
"""


class _Bash(BashComplete):
    """As click's, with the words of a line as they were typed."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words in front of the one that is completed, and that one."""
        before, word = super().get_completion_args()
        return _join(before), word


def _join(words: Iterable[str]) -> list[str]:
    """Undo that bash takes the `=` of `--sort=loss` and of `lr=0.1` for a word of its own."""
    joined: list[str] = []
    is_open = False
    for word in words:
        if word == "=" and joined:
            is_open = not joined[-1].startswith("--")  # an option and its value may be two words
            joined[-1] += "=" if is_open else ""
        elif is_open:
            joined[-1] += word
            is_open = False
        else:
            joined.append(word)
    return joined


def prepare_completion() -> None:
    """Have click complete lines of bash as they were typed."""
    add_completion_class(_Bash)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    r"""Print the completion script of SHELL.

    It completes verbs, options, run ids and run names; in bash also behind `git repro`, where the
    completion of git is loaded. (`git repro --help` looks for a manual page, as git does for every
    command of others: `git repro -h` and `git repro help` give the help.)

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
