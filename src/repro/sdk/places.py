"""A wrong filter, said in Python as on the command line: with carets under the place."""

from collections.abc import Iterator
from contextlib import contextmanager

from repro.errors import FilterError


@contextmanager
def showing_place() -> Iterator[None]:
    """Have the text of a `FilterError` show where in the filter it is, and what to do.

    Raises:
        FilterError: The one that is raised inside.
    """
    try:
        yield
    except FilterError as error:
        # A program that never queries need not load what draws it.
        from repro.model.caret import point_at  # noqa: PLC0415

        line, carets = point_at(error.text, error.start, error.end)
        hint = [f"hint: {error.hint}"] if error.hint else []
        error.args = ("\n".join([error.message, f"    {line}", f"    {carets}", *hint]),)
        raise
