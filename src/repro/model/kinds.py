"""What a plain value is, in the words of those who write settings."""

from repro.model.canonical import Json


def name_kind(value: Json) -> str:
    """Give what a value is, as in "must be text, not a list"."""
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return kinds.get(type(value), "a mapping" if isinstance(value, dict) else "nothing")
