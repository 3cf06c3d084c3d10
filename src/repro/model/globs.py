"""Patterns for paths, with the meaning that `.gitignore` gives them."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Give a test whether a path, relative to the root with `/`, matches any pattern.

    A pattern without a slash matches a name in any folder, one with a slash from the root;
    `*` and `?` stay within a name, `**` crosses folders; what matches a folder matches all in it.
    """
    expressions = [_expression(pattern) for pattern in patterns]
    return lambda path: any(expression.match(path) for expression in expressions)


@lru_cache(maxsize=512)
def _expression(pattern: str) -> re.Pattern[str]:
    anchored = "/" in pattern.rstrip("/")
    body = pattern.strip("/").removeprefix("./")
    parts = ["" if anchored else "(?:.*/)?"]
    position = 0
    while position < len(body):
        if body.startswith("**/", position):
            parts.append("(?:.*/)?")
            position += 3
        elif body.startswith("**", position):
            parts.append(".*")
            position += 2
        else:
            char = body[position]
            if char == "[" and "]" in body[position + 2 :]:
                end = body.index("]", position + 2)
                inside = body[position + 1 : end].replace("\\", "\\\\")
                parts.append(f"[{'^' + inside[1:] if inside[0] == '!' else inside}]")
                position = end
            else:
                parts.append({"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char)))
            position += 1
    return re.compile("".join(parts) + "(?:/.*)?\\Z", re.DOTALL)
