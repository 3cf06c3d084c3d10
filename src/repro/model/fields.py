"""The fields of a run that tables show and filters name, beside its params and metrics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from repro.model.condition import Kind
from repro.model.run import Record
from repro.model.values import ABSENT, Value


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        kind: Of its values.
        value: What a run has there, `ABSENT` where it has nothing.
        is_moment: Whether it is a time, as text that `format_time` wrote.
        unit: `s` where it is a number of seconds.
    """

    kind: Kind
    value: Callable[[Record], Value]
    is_moment: bool = False
    unit: str = ""


def _of_run(attribute: str) -> Callable[[Record], Value]:
    def value(record: Record) -> Value:
        found: Value = getattr(record.run, attribute)
        return ABSENT if found is None else found

    return value


def _text(attribute: str) -> Field:
    return Field(Kind.TEXT, _of_run(attribute))


def _moment(attribute: str) -> Field:
    return Field(Kind.TEXT, _of_run(attribute), is_moment=True)


def _verdict(record: Record) -> Value:
    return ABSENT if record.verdict is None else str(record.verdict.outcome)


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "id": _text("id"),
        "name": _text("name"),
        "status": Field(Kind.TEXT, lambda record: record.run.status.value),
        "created": _moment("created"),
        "started": _moment("started"),
        "ended": _moment("ended"),
        "duration": Field(Kind.NUMBER, _of_run("duration_s"), unit="s"),
        "exit_code": Field(Kind.NUMBER, _of_run("exit_code")),
        "signal": _text("signal"),
        "pruned": Field(Kind.BOOL, _of_run("pruned")),
        "branch": _text("branch"),
        "base": _text("base"),
        "snapshot": _text("snapshot"),
        "dirty": Field(Kind.BOOL, _of_run("dirty")),
        "user": _text("user"),
        "host": _text("host"),
        "cwd": _text("cwd"),
        "command": Field(Kind.TEXT, lambda record: " ".join(record.run.command)),
        "note": _text("note"),
        "parent": _text("parent"),
        "rerun_of": _text("rerun_of"),
        "sweep": _text("sweep"),
        "trial": Field(Kind.NUMBER, _of_run("trial")),
        "identity": _text("identity"),
        "verdict": Field(Kind.TEXT, _verdict),
        "lost_points": Field(Kind.NUMBER, _of_run("lost_points")),
    }
)
