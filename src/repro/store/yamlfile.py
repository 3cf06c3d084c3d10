"""YAML that a person wrote, read as plain values within limits."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from repro.errors import InvalidInputError
from repro.model.canonical import Json, carriable_text
from repro.model.text import escape

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 40  # less than what a record may nest, so that whatever is read can be recorded
MAX_VALUES = 200_000
MAX_ALIASES = 100

Path = tuple[str | int, ...]

# YAML 1.1 has `1e-3` as text for want of a dot; every user means the number.
_EXPONENT = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+\Z|[-+]?\.[0-9]+[eE][-+]?[0-9]+\Z")
_TAG = "tag:yaml.org,2002:"


def load_yaml(data: bytes, *, name: str) -> Json:
    """Read one YAML document; an empty one is None.

    Values are what PyYAML's safe loader gives, but that `1e-3` is a number, dates stay text, and
    keys are the text as written.

    Args:
        data: The whole file.
        name: What to call it in an error.

    Raises:
        InvalidInputError: Not YAML, not UTF-8, tags, duplicate keys, several documents, or over a
            limit: 16 MiB, 40 levels, 200,000 values with what aliases stand for, 100 aliases. The
            message names file, line and reason.
    """
    return _Builder(name).build(data)


def load_yaml_lines(
    data: bytes, *, name: str, float_tags: bool = False
) -> tuple[Json, Mapping[Path, int]]:
    """Read as `load_yaml` does, and tell the line of each value by the keys that lead to it.

    Args:
        float_tags: Whether `!!float` is allowed before a number, as W&B advises.

    Raises:
        InvalidInputError: As `load_yaml`.
    """
    builder = _Builder(name, float_tags=float_tags)
    value = builder.build(data)
    return value, builder.lines


class _Event(Protocol):
    """What the events of PyYAML have, each kind a part of it."""

    anchor: str | None
    tag: str | None
    implicit: tuple[bool, bool]
    value: str


class _Loader(Protocol):
    """What we use of PyYAML's safe loaders, the C one and the Python one."""

    def resolve(self, kind: object, value: str, implicit: tuple[bool, bool]) -> str: ...
    def construct_yaml_null(self, node: object) -> None: ...
    def construct_yaml_bool(self, node: object) -> bool: ...
    def construct_yaml_int(self, node: object) -> int: ...
    def construct_yaml_float(self, node: object) -> float: ...


class _Built(NamedTuple):
    """A finished value: how many values it holds, itself included, nested how deep."""

    value: Json
    size: int = 1
    height: int = 0


class _Frame:
    """A list or mapping that is still open."""

    def __init__(self, path: Path, anchor: str | None, items: list[Json] | None) -> None:
        self.path = path
        self.anchor = anchor
        self.items = items  # None for a mapping
        self.mapping: dict[str, Json] = {}
        self.merged: dict[str, Json] = {}
        self.key: str | None = None
        self.is_merge = False
        self.size = 1
        self.height = 1

    @property
    def wants_key(self) -> bool:
        return self.items is None and self.key is None and not self.is_merge


def _is_indented_by_tab(text: str, line: int) -> bool:
    lines = text.splitlines()
    found = lines[line] if line < len(lines) else ""
    return "\t" in found[: len(found) - len(found.lstrip())]


class _Builder:
    """Makes values of parser events, so that limits hold before anything is expanded."""

    def __init__(self, name: str, *, float_tags: bool = False) -> None:
        self.name = name
        self.float_tags = float_tags
        self.lines: dict[Path, int] = {}
        self._line = 1
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Built] = {}
        self._root: _Built | None = None
        self._n_documents = self._n_aliases = self._n_values = 0
        self._resolve: Callable[[str], Json] = str
        self._steps: dict[str, Callable[[_Event], None]] = {
            "DocumentStartEvent": self._start_document,
            "ScalarEvent": self._add_scalar,
            "AliasEvent": self._add_alias,
            "SequenceStartEvent": self._open_list,
            "MappingStartEvent": self._open_mapping,
            "SequenceEndEvent": self._close,
            "MappingEndEvent": self._close,
        }

    def build(self, data: bytes) -> Json:
        # 25 ms of a 50 ms budget for `import repro`, and most runs have no YAML to read.
        import yaml  # noqa: PLC0415

        text = self._decode(data)
        # The C parser is 10 times faster; both build events alike.
        loader_class: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            loader = loader_class(text)
            self._resolve = _resolver(loader, yaml.ScalarNode)
            while loader.check_event():
                event = loader.get_event()
                self._line = event.start_mark.line + 1
                step = self._steps.get(type(event).__name__)
                if step is not None:
                    step(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._line = mark.line + 1 if mark else self._line
            if mark and _is_indented_by_tab(text, mark.line):
                raise self._refusal(
                    "a tab stands where YAML wants spaces", "indent with spaces"
                ) from None
            raise self._refusal(error.problem or "not YAML") from None
        except yaml.YAMLError as error:
            raise self._refusal(str(error).splitlines()[0]) from None
        return self._root.value if self._root else None

    def _decode(self, data: bytes) -> str:
        if len(data) > MAX_BYTES:
            raise InvalidInputError(
                f"`{self.name}` has {len(data):,} bytes, more than the limit of {MAX_BYTES:,}",
                hint="keep params in a small file, and large values in a dataset",
            )
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._line = data.count(b"\n", 0, error.start) + 1
            raise self._refusal("not UTF-8", "save the file as UTF-8") from None

    def _refusal(self, reason: str, hint: str | None = None) -> InvalidInputError:
        return InvalidInputError(
            f"`{self.name}` line {self._line}: {escape(reason)}",
            hint=hint or f"mend line {self._line} of `{self.name}`, then run the command again",
        )

    def _start_document(self, _event: _Event) -> None:
        self._n_documents += 1
        if self._n_documents > 1:
            raise self._refusal("a second document starts here", "keep one document in a file")

    def _refuse_tag(self, event: _Event) -> None:
        if event.tag is not None:
            short = event.tag.replace(_TAG, "!!")[:80]
            raise self._refusal(
                f"the tag `{short}` is not allowed", "write plain text, numbers, lists and mappings"
            )

    def _add_scalar(self, event: _Event) -> None:
        is_float = self.float_tags and event.tag == f"{_TAG}float"
        if not is_float:
            self._refuse_tag(event)
        is_plain = event.implicit[0]
        if self._frames and self._frames[-1].wants_key:
            text = carriable_text(event.value)
            self._remember(event.anchor, _Built(text))
            self._take_key(text, is_plain=is_plain)
            return
        try:
            value = (
                float(event.value)
                if is_float
                else self._resolve(event.value)
                if is_plain
                else carriable_text(event.value)
            )
        except ValueError:
            raise self._refusal(f"`{event.value[:40]}` is out of range") from None
        built = _Built(value)
        self._remember(event.anchor, built)
        self._add(built)

    def _remember(self, anchor: str | None, built: _Built) -> None:
        if anchor is not None:
            self._anchors[anchor] = built

    def _take_key(self, key: str, *, is_plain: bool) -> None:
        frame = self._frames[-1]
        if is_plain and key == "<<":
            frame.is_merge = True
            return
        if key in frame.mapping:
            raise self._refusal(f"the key `{key[:80]}` occurs twice", "keep one of the two")
        frame.key = key
        self.lines[*frame.path, key] = self._line

    def _add_alias(self, event: _Event) -> None:
        self._n_aliases += 1
        if self._n_aliases > MAX_ALIASES:
            raise self._refusal(f"more than {MAX_ALIASES} aliases", "write the values out")
        anchor = event.anchor or ""
        target = self._anchors.get(anchor)
        if target is None:
            raise self._refusal(f"the alias `*{anchor[:80]}` names nothing before it")
        if self._frames and self._frames[-1].wants_key:
            if not isinstance(target.value, str):
                raise self._refusal("a key must be text")
            self._take_key(target.value, is_plain=False)
            return
        self._check_depth(target.height)
        self._add(target)

    def _open_list(self, event: _Event) -> None:
        self._open(event, [])

    def _open_mapping(self, event: _Event) -> None:
        self._open(event, None)

    def _open(self, event: _Event, items: list[Json] | None) -> None:
        self._refuse_tag(event)
        self._check_depth(1)
        path: Path = ()
        if self._frames:
            above = self._frames[-1]
            if above.wants_key:
                raise self._refusal("a key must be text")
            last = len(above.items) if above.items is not None else above.key
            path = (*above.path, "<<" if last is None else last)
        self._frames.append(_Frame(path, event.anchor, items))

    def _check_depth(self, height: int) -> None:
        if len(self._frames) + height > MAX_DEPTH:
            raise self._refusal(f"nested deeper than {MAX_DEPTH} levels")

    def _close(self, _event: _Event) -> None:
        frame = self._frames.pop()
        value: Json = frame.items
        if frame.items is None:
            value = {**frame.merged, **frame.mapping} if frame.merged else frame.mapping
        built = _Built(value, frame.size, frame.height)
        self._remember(frame.anchor, built)
        self._n_values -= built.size - 1  # counted one by one already
        self._add(built)

    def _add(self, built: _Built) -> None:
        self._n_values += built.size
        if self._n_values > MAX_VALUES:
            raise self._refusal(
                f"more than {MAX_VALUES:,} values", "keep params few, and large values in a dataset"
            )
        if not self._frames:
            self._root = built
            return
        frame = self._frames[-1]
        frame.size += built.size
        frame.height = max(frame.height, built.height + 1)
        if frame.items is not None:
            self.lines[*frame.path, len(frame.items)] = self._line
            frame.items.append(built.value)
        elif frame.is_merge:
            self._merge(frame, built.value)
        elif frame.key is not None:
            frame.mapping[frame.key] = built.value
            frame.key = None

    def _merge(self, frame: _Frame, value: Json) -> None:
        frame.is_merge = False
        for part in reversed(value) if isinstance(value, list) else [value]:
            if not isinstance(part, dict):
                raise self._refusal("`<<` takes a mapping, or a list of mappings")
            frame.merged.update(part)


def _resolver(loader: _Loader, node_class: Callable[[str, str], object]) -> Callable[[str], Json]:
    """Give what makes values of plain scalars."""
    constructors: dict[str, Callable[[object], Json]] = {
        f"{_TAG}null": loader.construct_yaml_null,
        f"{_TAG}bool": loader.construct_yaml_bool,
        f"{_TAG}int": loader.construct_yaml_int,
        f"{_TAG}float": loader.construct_yaml_float,
    }

    def resolve(text: str) -> Json:
        tag = loader.resolve(node_class, text, (True, False))
        construct = constructors.get(tag)
        if construct is not None:
            return construct(node_class(tag, text))
        return float(text) if _EXPONENT.match(text) else text

    return resolve
