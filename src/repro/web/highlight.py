"""Source text as HTML: every line by itself, its words in a few colours.

Whoever wrote the text is not trusted. Only known languages are read, no line that is very long,
and not for longer than a second; the rest is plain.
"""

import time
from collections.abc import Iterator
from itertools import groupby

from markupsafe import Markup
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType

from repro.model.text import escape

_LONGEST_LINE = 2_000  # characters; a regular expression may take quadratic time over one
_LONGEST_S = 1.0

_BY_ENDING = {
    "py": "python", "pyi": "python", "pyx": "cython", "pxd": "cython", "ipynb": "json",
    "json": "json", "jsonl": "json", "yaml": "yaml", "yml": "yaml", "toml": "toml", "cfg": "ini",
    "ini": "ini", "sh": "bash", "bash": "bash", "zsh": "bash", "slurm": "bash", "sbatch": "bash",
    "c": "c", "h": "c", "cc": "cpp", "cpp": "cpp", "hpp": "cpp", "cu": "cuda", "cuh": "cuda",
    "rs": "rust", "go": "go", "jl": "julia", "r": "splus", "lua": "lua", "java": "java",
    "scala": "scala", "kt": "kotlin", "js": "javascript", "mjs": "javascript", "ts": "typescript",
    "css": "css", "html": "html", "xml": "xml", "svg": "xml", "sql": "sql", "md": "markdown",
    "tex": "tex", "bib": "bibtex", "f90": "fortran", "cmake": "cmake", "proto": "protobuf",
    "dockerfile": "docker", "mk": "make", "diff": "diff", "patch": "diff",
}  # fmt: skip
_BY_NAME = {
    "dockerfile": "docker",
    "containerfile": "docker",
    "makefile": "make",
    "cmakelists.txt": "cmake",
    "pipfile": "toml",
    "snakefile": "python",
    "sconstruct": "python",
}
# The first that holds a kind of word says its class; others have no colour.
_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Token.Comment.Preproc, "t-d"),
    (Token.Comment, "t-c"),
    (Token.Literal.String.Doc, "t-c"),
    (Token.Literal.String.Escape, "t-n"),
    (Token.Literal.String, "t-s"),
    (Token.Literal.Number, "t-n"),
    (Token.Literal.Date, "t-n"),
    (Token.Keyword.Constant, "t-n"),
    (Token.Keyword, "t-k"),
    (Token.Operator.Word, "t-k"),
    (Token.Name.Function, "t-f"),
    (Token.Name.Class, "t-f"),
    (Token.Name.Decorator, "t-d"),
    (Token.Name.Builtin, "t-b"),
    (Token.Name.Exception, "t-b"),
    (Token.Name.Tag, "t-k"),
    (Token.Name.Attribute, "t-b"),
    (Token.Generic.Heading, "t-f"),
    (Token.Generic.Subheading, "t-f"),
)


def highlight(text: str, path: str) -> list[Markup]:
    """Give each line of a text as HTML; nothing of it is markup of its own.

    Args:
        text: Lines end with a newline.
        path: Says which language it is, by its end.
    """
    lines = text.removesuffix("\n").split("\n")
    lexer = _find_lexer(path)
    if lexer is None or any(len(line) > _LONGEST_LINE for line in lines):
        return [_plain(line) for line in lines]
    made: list[list[str]] = [[]]
    for name, words in groupby(_words(lexer, text), key=lambda pair: _class_of(pair[0])):
        first, *others = "".join(word for _, word in words).split("\n")
        made[-1].append(_mark(first, name))
        made += [[_mark(other, name)] for other in others]
    # Every part comes from `_mark`, which escapes it.
    return [Markup("".join(parts)) for parts in made[: len(lines)]]  # noqa: S704


def _words(lexer: Lexer, text: str) -> Iterator[tuple[_TokenType, str]]:
    """The words of a text, together all of it, whatever the lexer makes of it."""
    whole = text if text.endswith("\n") else f"{text}\n"
    stop = time.monotonic() + _LONGEST_S
    place = 0
    for start, kind, word in lexer.get_tokens_unprocessed(whole):
        if start != place or time.monotonic() > stop:
            break
        yield kind, word
        place += len(word)
    if place < len(whole):
        yield Token.Text, whole[place:]


def _find_lexer(path: str) -> Lexer | None:
    name = path.rpartition("/")[2].lower()
    known = _BY_NAME.get(name) or _BY_ENDING.get(name.rpartition(".")[2])
    return get_lexer_by_name(known) if known else None


def _class_of(kind: _TokenType) -> str | None:
    return next((name for one, name in _CLASSES if one in kind.split()), None)


def _mark(text: str, name: str | None) -> str:
    shown = _plain(text)
    if name is None or not text or text.isspace():
        return shown
    return f'<span class="{name}">{shown}</span>'


def _plain(text: str) -> Markup:
    return Markup("\t").join(Markup.escape(escape(part)) for part in text.split("\t"))
