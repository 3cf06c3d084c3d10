"""Run commits read as what the run index holds of them."""

from collections.abc import Mapping

from repro.errors import DamagedRecordError
from repro.model.canonical import parse_json
from repro.store.index_rows import Cell, Row, environment_cells, is_plain
from repro.store.objects import Objects
from repro.store.runs import ENVIRONMENT_FILE, decode_record, read_record_files


def read_row(objects: Objects, run_id: str, oid: str) -> Row:
    """Read the run commit `oid`.

    Raises:
        NewerFormatError: A newer repro wrote it.
        DamagedRecordError: It breaks FORMAT.md, or is of another run than `run_id`.
    """
    files = read_record_files(objects, oid, brief=True)
    record = decode_record(files)
    if record.run.id != run_id:
        raise DamagedRecordError(f"it says that it is run `{record.run.id}`")
    size = sum(map(len, files.contents.values()))
    return Row(record, oid, files.environment, is_plain=is_plain(files.contents), size=size)


def read_environment(objects: Objects, oid: str) -> Mapping[str, Cell]:
    """Read the cells of an environment; none where it is damaged: `repro show` says so."""
    try:
        _, data = objects.read(oid)
        value = parse_json(data, name=ENVIRONMENT_FILE)
    except DamagedRecordError:
        return {}
    return environment_cells(value) if isinstance(value, dict) else {}
