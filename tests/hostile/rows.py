"""The whole table of hostile inputs, A01 to G24."""

from tests.hostile import (
    cases_artifacts,
    cases_data,
    cases_page,
    cases_records,
    cases_sweeps,
    cases_text,
    cases_trees,
)
from tests.hostile.table import Case, Row

PARTS: dict[str, tuple[Row, ...]] = {
    "Trees of code": cases_trees.CASES,
    "Refs and records": cases_records.CASES,
    "Manifests of datasets": cases_data.CASES,
    "JSON, YAML and series": cases_text.CASES,
    "Artifacts": cases_artifacts.CASES,
    "Sweeps": cases_sweeps.CASES,
    "Requests to the web page": cases_page.CASES,
}
ROWS = tuple(row for rows in PARTS.values() for row in rows)
CASES = tuple(row for row in ROWS if isinstance(row, Case))
