"""Some metrics of a run, read from tables in git and in the content store."""

import json

import pytest
from tests.support.records import make_record, open_at, write_run

from repro.errors import DamagedRecordError
from repro.model.series import Point, format_series
from repro.store.content import ContentStore
from repro.store.objects import reading
from repro.store.seriestables import read_columns

SERIES = {
    "loss": [Point(0, 1.0, 5.0), Point(1, 0.5, 6.0)],
    "acc": [Point(0, 0.1, 5.0), Point(1, 0.2, 6.0)],
    "val": [Point(1, 9.0, 6.0)],
}


@pytest.fixture
def read(repository):
    """Read metrics of a run that has these files."""

    def read(files, *names, stored=None):
        written = write_run(open_at(repository), make_record(), files=files)
        with reading(open_at(repository)) as objects:
            found = read_columns(objects, written.commit, names, stored=stored)
        return {name: list(column.values) for name, column in found.items()}

    return read


def test_metrics_are_found_in_whichever_table_has_them(read):
    files = format_series(SERIES)

    assert read(files, "val", "acc", "other") == {"val": [9.0], "acc": [0.1, 0.2]}
    assert read({}, "loss") == {}


def test_tables_behind_the_one_that_has_all_are_not_read(read):
    files = {**format_series({"loss": SERIES["loss"]}), "metrics/1.csv": b"no table"}

    assert read(files, "loss") == {"loss": [1.0, 0.5]}
    with pytest.raises(DamagedRecordError, match="metrics/1"):
        read(files, "loss", "acc")


def test_past_64_tables_they_are_in_the_long_one(read):
    many = {f"m{n}": [Point(n, 1.0 * n, 5.0)] for n in range(70)}

    assert read(format_series(many), "m0", "m69") == {"m0": [0.0], "m69": [69.0]}


def test_tables_in_the_content_store_are_read_from_there(read, tmp_path):
    content = ContentStore(tmp_path / "store")
    pointers = {}
    for path, data in format_series(SERIES).items():
        (tmp_path / "table").write_bytes(data)
        digest = content.put_file(tmp_path / "table")
        pointers[path] = {"digest": digest, "size": len(data)}
    files = {"metrics/store.json": json.dumps(pointers).encode()}

    assert read(files, "acc", stored=content.read) == {"acc": [0.1, 0.2]}
    with pytest.raises(DamagedRecordError, match="content store"):
        read(files, "acc")
