"""A place in a line of text, shown by carets under it."""

from repro.model.text import escape
from repro.model.width import places

_WIDTH = 76  # columns for the line, whatever the terminal: an error is read in logs, too
_BEFORE = 30  # columns of it before the place, where it is cut
_CUT = "…"


def point_at(text: str, start: int, end: int) -> tuple[str, str]:
    """Give `text` on one line and a line to go under it, with `^` from `start` to before `end`.

    Of a long text only what is around the place; at least one `^`, at the end of the text, too.
    """
    # One character more than there is room for: then it is cut, and seen to be.
    before = escape(text[max(0, start - _WIDTH - 1) : start])
    marked = escape(text[start : min(end, start + _WIDTH + 1)])
    after = escape(text[end : end + _WIDTH + 1])
    if places(before) + places(marked) + places(after) > _WIDTH:
        before = _fit(before[::-1], _BEFORE)[::-1]
        marked = _fit(marked, _WIDTH - places(before))
        after = _fit(after, _WIDTH - places(before) - places(marked))
    return before + marked + after, " " * places(before) + "^" * max(1, places(marked))


def _fit(text: str, room: int) -> str:
    if places(text) <= room:
        return text
    while places(text) >= max(room, 1):
        text = text[:-1]
    return f"{text}{_CUT}" if room > 0 else ""
