"""What a name in a filter stands for, in a vocabulary of the names that runs have."""

from collections.abc import Mapping

from repro.errors import FilterError
from repro.model.condition import STATISTICS, Key, Space, Vocabulary
from repro.model.expression import Name
from repro.model.fields import FIELDS
from repro.model.lexing import shorten

AGE = "age"  # now less `created`; not a field of its own
TAGS = ("tag", "tags")

# MLflow's and W&B's words beside ours, so that their filters are read.
_PREFIXES = {
    "config": Space.CONFIG, "params": Space.CONFIG, "param": Space.CONFIG,
    "parameters": Space.CONFIG, "parameter": Space.CONFIG,
    "metrics": Space.METRIC, "metric": Space.METRIC, "summary": Space.SUMMARY, "env": Space.ENV,
    "data": Space.DATA, "attributes": Space.FIELD, "attribute": Space.FIELD, "attr": Space.FIELD,
    "run": Space.FIELD,
}  # fmt: skip
_NAMED = {
    Space.CONFIG: "param", Space.METRIC: "metric", Space.SUMMARY: "entry of the summary",
    Space.ENV: "entry of the environment", Space.DATA: "dataset", Space.FIELD: "field",
}  # fmt: skip
_WAYS: Mapping[Space | None, str] = {
    Space.FIELD: f"there are {', '.join(FIELDS)}",
    Space.ENV: "`repro show RUN --json` has the whole environment of one",
    Space.DATA: "`repro show RUN` lists the datasets of one",
    Space.SUMMARY: "`repro show RUN` lists the summary of one",
    Space.CONFIG: "`repro show RUN` lists the params of one",
    Space.METRIC: "`repro show RUN` lists the metrics of one",
}
_BARE = (Space.CONFIG, Space.METRIC, Space.SUMMARY, Space.ENV, Space.DATA)
_SHORT = {"python": "interpreter.version"}  # of the environment
_MEANT = {
    "run_id": "id", "run_name": "name", "start_time": "started", "end_time": "ended",
    "user_id": "user", "duration_s": "duration", "runtime": "duration", "state": "status",
    "display_name": "name", "created_at": "created", "notes": "note", "seconds": "duration",
}  # fmt: skip


class Resolver:
    """Gives the key of each name of one text, and remembers it."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        """Look names of `text` up in `vocabulary`."""
        self._text = text
        self._vocabulary = vocabulary
        self._found: dict[tuple[str, tuple[int, int] | None], Key] = {}

    def resolve(self, name: Name) -> Key:
        """Give what `name` stands for; `age` is the field `created`.

        A field wins over all else of the same bare name. With a prefix, as in `config.lr`, a name
        is looked for there first, then whole, as params have dots of their own. A metric whose
        own name ends in `.min` wins over that statistic of another. Where no run has any name,
        each is a param that none of them has.

        Raises:
            FilterError: No run has it, or it fits more than one.
        """
        written = name.text, name.quoted
        if written not in self._found:
            self._found[written] = self._resolve(name)
        return self._found[written]

    def _resolve(self, name: Name) -> Key:
        text = name.text
        if text in FIELDS:
            return Key(Space.FIELD, text)
        if text == AGE:
            return Key(Space.FIELD, "created")
        if text in TAGS:
            return Key(Space.TAG, "")
        prefix, rest = _split_prefix(name)
        space = _PREFIXES.get(prefix)
        if space is not None and rest is not None:
            key = self._behind_prefix(space, rest)
            if key is not None:
                return key
        fitting = [key for one in _BARE if (key := self._in_space(one, name))]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise self._ambiguous(name, fitting)
        if prefix in TAGS and rest is not None:
            raise self._tag_with_key(name, rest)
        if space is None and not any(self._vocabulary.names(one) for one in _BARE):
            return Key(Space.CONFIG, text)
        raise self._unknown(name, space, rest)

    def _behind_prefix(self, space: Space, name: Name) -> Key | None:
        key = self._in_space(space, name)
        if key is None and space is Space.ENV and name.text in _SHORT:
            return self._in_space(space, name._replace(text=_SHORT[name.text]))
        return key

    def _in_space(self, space: Space, name: Name) -> Key | None:
        if space is Space.FIELD:
            if name.text == AGE:
                return Key(Space.FIELD, "created")
            return Key(Space.FIELD, name.text) if name.text in FIELDS else None
        if self._vocabulary.has(space, name.text):
            return Key(space, name.text)
        if space is not Space.METRIC:
            return None
        metric, statistic = _split_statistic(name)
        if statistic in STATISTICS and self._vocabulary.has(space, metric):
            return Key(space, metric, STATISTICS[statistic])
        return None

    def _ambiguous(self, name: Name, fitting: list[Key]) -> FilterError:
        kinds = [f"{_article(_NAMED[key.space])} {_NAMED[key.space]}" for key in fitting]
        ways = [f"`{key.space}.{shorten(quote_name(name.text))}`" for key in fitting]
        return self._error(
            name, f"`{shorten(name.text)}` is {_joined(kinds, 'and')}",
            hint=f"write {_joined(ways, 'or')}",
        )  # fmt: skip

    def _tag_with_key(self, name: Name, rest: Name) -> FilterError:
        hint = f"write `tag = '{shorten(rest.text)}'` for the runs that have this tag"
        return self._error(name, f"a tag has no value: `{shorten(name.text)}` is none", hint=hint)

    def _unknown(self, name: Name, space: Space | None, rest: Name | None) -> FilterError:
        wanted = rest if space is not None and rest is not None else name
        if space is Space.METRIC:
            metric, statistic = _split_statistic(wanted)
            if statistic and self._vocabulary.has(space, metric):
                return self._error(
                    name, f"`{shorten(statistic)}` is no statistic of a metric",
                    hint=f"there are {_joined(list(STATISTICS), 'and')}",
                )  # fmt: skip
        if not wanted.text:
            behind = f" behind `{name.text}`" if name.text else ""
            return self._error(name, f"a name is missing{behind}", hint="as in `metrics.loss`")
        if space is None and name.text in _PREFIXES:
            noun = _NAMED[_PREFIXES[name.text]]
            return self._error(
                name, f"`{name.text}` is only the beginning of a name",
                hint=f"write `{name.text}.NAME` for {_article(noun)} {noun}",
            )  # fmt: skip
        near = self._near(wanted.text, space)
        meant = f"; did you mean {_joined(near, 'or')}?" if near else ""
        noun = f" as {_article(_NAMED[space])} {_NAMED[space]}" if space else ""
        return self._error(
            name, f"no run has `{shorten(wanted.text)}`{noun}{meant}",
            hint=_WAYS.get(space, "`repro show RUN` lists the params and metrics of one"),
        )  # fmt: skip

    def _near(self, text: str, space: Space | None) -> list[str]:
        from repro.model.nearest import nearest_names  # noqa: PLC0415  # difflib, for errors only

        if text in _MEANT:
            return [f"`{_MEANT[text]}`"]
        known = [] if space is not None and space is not Space.FIELD else [*FIELDS, "tag", AGE]
        for one in _BARE:
            if space in {None, one}:
                known += self._vocabulary.names(one)
        prefix = "" if space in {None, Space.FIELD} else f"{space}."
        return [f"`{prefix}{shorten(quote_name(one))}`" for one in nearest_names(text, known)]

    def _error(self, name: Name, message: str, *, hint: str) -> FilterError:
        return FilterError(message, text=self._text, start=name.start, end=name.end, hint=hint)


def quote_name(text: str) -> str:
    """Give a name as a filter has to write it: in backticks where it is no word of its own."""
    is_word = text[:1].isalpha() and all(char.isalnum() or char in "_./:-@" for char in text)
    return text if is_word else "`" + text.replace("`", "``") + "`"


def _split_prefix(name: Name) -> tuple[str, Name | None]:
    """What is before the first dot, and behind; in quotes there is no such dot."""
    before, dot, after = name.text.partition(".")
    if not dot or (name.quoted is not None and len(before) >= name.quoted[0]):
        return "", None
    cut = len(before) + 1
    quoted = None if name.quoted is None else (name.quoted[0] - cut, name.quoted[1] - cut)
    return before, Name(after, name.start, name.end, quoted)


def _split_statistic(name: Name) -> tuple[str, str]:
    """What is before the last dot, and behind; in quotes there is no such dot."""
    before, dot, after = name.text.rpartition(".")
    if not dot or (name.quoted is not None and len(before) < name.quoted[1]):
        return name.text, ""
    return before, after


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


def _joined(words: list[str], conjunction: str) -> str:
    *most, last = words
    return f"{', '.join(most)} {conjunction} {last}" if most else last
