"""Which metric a word stands for."""

from repro.model.binding import resolve_name
from repro.model.condition import STATISTICS, Key, Space, Vocabulary

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
    return resolve_name(text, vocabulary)
