"""Reports as values, and what their pages are made of."""

from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

from repro.model.report import Curve, MetricCurves, Report
from repro.model.run import Record
from repro.model.sidebyside import lay_out, name_codes
from tests.support.records import make_record

_VOID = {"meta", "br", "img", "hr"}


def make_report_of(records: Sequence[Record] = (), **changes: Any) -> Report:
    """A report of these runs, or of one; keys of Report may be given."""
    runs = tuple(records) or (make_record(),)
    names = dict.fromkeys(name for record in runs for name in record.metrics)
    codes = name_codes([record.run.snapshot for record in runs], {})
    values: dict[str, Any] = {
        "title": "",
        "made": "2026-11-27T07:00:00.000000Z",
        "version": "1.2.3",
        "command": ("repro", "report", "a b"),
        "has_named": True,
        "runs": runs,
        "short": {record.run.id: record.run.id[:6] for record in runs},
        "rows": tuple(lay_out(runs, codes)),
        "metrics": tuple(names),
        "n_metrics": len(names),
    }
    return Report(**{**values, **changes})


def make_curves(metric: str, records: Sequence[Record], ys: Sequence[float]) -> MetricCurves:
    """The same curve for each of the runs."""
    curves = [
        Curve(run=record.run.id, xs=list(range(len(ys))), ys=ys, n_points=len(ys))
        for record in records
    ]
    return MetricCurves(metric=metric, curves=tuple(curves))


class Parsed(HTMLParser):
    """The tags, attributes and texts of a page; tags that do not match fail the test."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[tuple[str, str]] = []  # the innermost tag, and a text in it
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    @property
    def text(self) -> str:
        """All of it, in one."""
        return "".join(text for _, text in self.texts)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self._open[-1] if self._open else "", data))
