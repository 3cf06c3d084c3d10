"""How wide a text is on a terminal."""

import unicodedata


def places(text: str) -> int:
    """How many places of a terminal line `text` takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
