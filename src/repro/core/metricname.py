"""Which metric a word stands for."""

from repro.errors import FilterError
from repro.model.binding import resolve_name
from repro.model.condition import STATISTICS, Key, Space, Vocabulary
from repro.model.lexing import shorten
from repro.model.resolving import quote_name

_PREFIX = "metrics."


def find_metric(text: str, vocabulary: Vocabulary) -> Key:
    """Give the metric called `text`, or what else a filter would call so.

    A metric wins over a param of the same name. Behind a name, `.min` and the like are that
    statistic of it, unless a metric is called so.

    Raises:
        FilterError: No run has such a metric; near names are given.
    """
    for name in (text, text.removeprefix(_PREFIX)):
        if vocabulary.has(Space.METRIC, name):
            return Key(Space.METRIC, name)
        before, _, last = name.rpartition(".")
        if last in STATISTICS and vocabulary.has(Space.METRIC, before):
            return Key(Space.METRIC, before, STATISTICS[last])
    try:
        return resolve_name(text, vocabulary)
    except FilterError:
        is_other = any(vocabulary.has(space, text) for space in Space if space is not Space.TAG)
        if is_other or quote_name(text) != text or text.partition(".")[0] in (*Space, "params"):
            raise
    raise _unknown(text, vocabulary)


def _unknown(text: str, vocabulary: Vocabulary) -> FilterError:
    from repro.model.nearest import nearest_names  # noqa: PLC0415  # difflib, for errors only

    known = [*vocabulary.names(Space.METRIC), "duration"]
    near = [f"`{shorten(quote_name(name))}`" for name in nearest_names(text, known)]
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    return FilterError(
        f"no run has a metric `{shorten(text)}`{meant}",
        text=text,
        start=0,
        end=len(text),
        hint="`repro show RUN` lists the metrics of one",
    )
