"""Versions of Python distributions: read, ordered, matched against what a file asks for."""

import re
from collections.abc import Iterable
from functools import total_ordering
from itertools import takewhile

_LONGEST = 200  # characters; far more than any version has
# Source: PEP 440, "Version Identification and Dependency Specification", appendix B.
_VERSION = re.compile(
    r"""
    v?(?:(?P<epoch>[0-9]{1,9})!)?
    (?P<release>[0-9]{1,18}(?:\.[0-9]{1,18})*)
    (?P<pre>[-_.]?(?P<pre_l>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>[0-9]{1,18})?)?
    (?P<post>(?:-(?P<post_n1>[0-9]{1,18}))
        |(?:[-_.]?(?:post|rev|r)[-_.]?(?P<post_n2>[0-9]{1,18})?))?
    (?P<dev>[-_.]?dev[-_.]?(?P<dev_n>[0-9]{1,18})?)?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?
    """,
    re.VERBOSE,
)
_PRE = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_CLAUSE = re.compile(r"\s*(===|~=|==|!=|<=|>=|<|>)\s*([^\s,]+)\s*")
# What stands in the place of an absent part, below or above all that can be there.
_LEAST = (-1,)
_MOST = (9,)


@total_ordering
class Version:
    """A version of a distribution, ordered as PEP 440 says.

    Raises:
        ValueError: The text is no version.
    """

    __slots__ = ("_key", "epoch", "is_pre", "local", "release")

    def __init__(self, text: str) -> None:
        match = _VERSION.fullmatch(text.strip().lower()) if len(text) <= _LONGEST else None
        if match is None:
            raise ValueError("it is no version")
        self.epoch = int(match["epoch"] or 0)
        self.release = tuple(map(int, match["release"].split(".")))
        self.local = re.sub("[-_]", ".", match["local"]) if match["local"] else None
        self.is_pre = match["pre"] is not None or match["dev"] is not None
        self._key = (self.epoch, _trimmed(self.release), *_rest(match), _local_key(self.local))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: "Version") -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def public(self) -> tuple[object, ...]:
        """What orders it, without the local part behind the `+`."""
        return self._key[:-1]


def _trimmed(release: tuple[int, ...]) -> tuple[int, ...]:
    end = len(release)
    while end > 1 and release[end - 1] == 0:
        end -= 1
    return release[:end]


def _rest(match: re.Match[str]) -> tuple[object, ...]:
    pre: tuple[object, ...] = _MOST
    if match["pre"]:
        letter = _PRE.get(match["pre_l"], match["pre_l"])
        pre = (0, letter, int(match["pre_n"] or 0))
    elif match["dev"] and not match["post"]:
        pre = _LEAST  # 1.0.dev1 comes before 1.0a1
    post = (0, int(match["post_n1"] or match["post_n2"] or 0)) if match["post"] else _LEAST
    dev = (0, int(match["dev_n"] or 0)) if match["dev"] else _MOST
    return pre, post, dev


def _local_key(local: str | None) -> tuple[tuple[int, int, str], ...]:
    if local is None:
        return ()
    parts = local.split(".")
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


def parse_version(text: str) -> Version | None:
    """Read a version; None for what is none."""
    try:
        return Version(text)
    except ValueError:
        return None


def is_same_version(one: str, other: str) -> bool:
    """Whether two texts are one version: `1.0` and `1.0.0` are; texts that are no version equal."""
    first, second = parse_version(one), parse_version(other)
    return one == other if first is None or second is None else first == second


def find_nearest(wanted: str, offered: Iterable[str]) -> str | None:
    """Give the version that differs least from `wanted`; None where none is offered.

    The same numbers with another ending come first, then the one with most leading numbers in
    common, then the smallest step, upwards before downwards. Releases come before what is not
    released yet, unless that is wanted.
    """
    versions = [(version, text) for text in offered if (version := parse_version(text))]
    target = parse_version(wanted)
    if not versions:
        return None
    if target is None:
        return max(versions, key=lambda pair: (not pair[0].is_pre, pair[0]))[1]

    def distance(pair: tuple[Version, str]) -> tuple[object, ...]:
        version = pair[0]
        length = max(len(version.release), len(target.release))
        ours, theirs = _padded(target.release, length), _padded(version.release, length)
        common = sum(
            1 for _ in takewhile(lambda two: two[0] == two[1], zip(ours, theirs, strict=True))
        )
        step = abs(ours[common] - theirs[common]) if common < length else 0
        return (
            version.public != target.public,
            version.is_pre and not target.is_pre,
            version.epoch != target.epoch,
            -common,
            step,
            version < target,
        )

    # Of those that are as far, the one next to what is wanted: stable sorts keep this order.
    below = sorted((pair for pair in versions if pair[0] < target), reverse=True)
    above = sorted(pair for pair in versions if not pair[0] < target)
    return min([*above, *below], key=distance)[1]


def _padded(release: tuple[int, ...], length: int) -> tuple[int, ...]:
    return release + (0,) * (length - len(release))


def allows_python(requires: str, python: str) -> bool:
    """Whether a `requires-python`, such as `>=3.9,!=3.9.1`, admits an interpreter's version.

    A clause that cannot be read admits all, as pip decides.
    """
    version = parse_version(python)
    return version is None or all(_admits(clause, version) for clause in requires.split(","))


def _admits(clause: str, version: Version) -> bool:
    match = _CLAUSE.fullmatch(clause)
    if match is None:
        return True
    operator, text = match.groups()
    if text.endswith(".*"):
        bound = parse_version(text[:-2])
        if bound is None:
            return True
        is_inside = _padded(version.release, len(bound.release))[: len(bound.release)] == (
            bound.release
        )
        return is_inside is not (operator == "!=")
    bound = parse_version(text)
    if bound is None:
        return True
    if operator == "~=":
        series = bound.release[:-1]
        return version >= bound and version.release[: len(series)] == series
    return {
        "<": version < bound,
        "<=": version <= bound,
        ">": version > bound,
        ">=": version >= bound,
        "!=": version != bound,
    }.get(operator, version == bound)
