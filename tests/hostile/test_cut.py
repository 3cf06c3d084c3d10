"""A record that is cut short anywhere is refused, never half read."""

import pytest

from repro.errors import DamagedRecordError
from repro.model.canonical import parse_json
from repro.store.runs import decode_run, encode_record
from tests.support.records import make_record


def test_a_record_that_is_cut_anywhere_is_refused() -> None:
    whole = encode_record(make_record(note="a note", tags=("a", "b")))["run.json"]
    decode_run(parse_json(whole, name="run.json"), "run.json")
    for end in range(len(whole) - 1):
        with pytest.raises(DamagedRecordError):
            decode_run(parse_json(whole[:end], name="run.json"), "run.json")
