"""Runs described as an RO-Crate: flat, cross-referenced, deterministic, nothing invented."""

import json
from typing import Any

from tests.support.records import a_summary, make_record

from repro.model.rocrate import METADATA, CratePart, CrateRun, describe_crate
from repro.model.run import Record, Status


def describe(*records: Record, licence: str | None = None) -> dict[str, dict[str, Any]]:
    runs = [
        CrateRun(
            record=record,
            inputs=[CratePart(path=f"runs/{record.run.id}/code/", name="Code")],
            results=[CratePart(path=f"runs/{record.run.id}/record/a b%.csv", name="A", size=3)],
        )
        for record in records
    ]
    described = describe_crate(runs, name="Runs", licence=licence)
    json.dumps(described)
    graph = described["@graph"]
    assert isinstance(graph, list)
    entities: dict[str, dict[str, Any]] = {
        str(one["@id"]): one for one in graph if isinstance(one, dict)
    }
    assert len(entities) == len(graph)  # each is described once
    return entities


def referenced(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["@id"]} if value.keys() == {"@id"} else set()
        return own.union(*map(referenced, value.values()))
    return set().union(*map(referenced, value)) if isinstance(value, list) else set()


def test_whatever_is_referenced_in_the_crate_is_described() -> None:
    entities = describe(make_record(metrics={"loss": a_summary(0.5)}), licence="code/LICENSE")

    used = set().union(*(referenced(entity) for entity in entities.values()))
    assert {one for one in used if not one.startswith("https://w3id.org/ro/crate")} <= set(entities)
    assert entities[METADATA]["about"] == {"@id": "./"}
    assert entities["./"]["license"] == {"@id": "code/LICENSE"}


def test_a_run_is_an_action_with_its_times_end_inputs_and_results() -> None:
    record = make_record(metrics={"loss": a_summary(0.5)}, status="failed", exit_code=3)
    entities = describe(record)

    action = entities[f"#run-{record.run.id}"]
    assert action["@type"] == "CreateAction"
    assert action["actionStatus"] == "http://schema.org/FailedActionStatus"
    assert action["error"] == "failed, exit code 3"
    assert action["startTime"] == record.run.started[:19] + "+00:00"
    assert f"runs/{record.run.id}/record/a%20b%25.csv" in referenced(action["result"])
    assert entities[f"#metric-{record.run.id}-loss"]["value"] == "0.5"


def test_a_finished_run_has_no_error() -> None:
    record = make_record(status=Status.FINISHED.value)
    assert "error" not in describe(record)[f"#run-{record.run.id}"]


def test_text_of_a_hostile_record_is_shown_escaped() -> None:
    record = make_record(name="\x1b[2J<script>", note="a\x00b", user="\u202eeva")
    text = json.dumps(describe(record), ensure_ascii=False)
    assert not {"\x1b", "\x00", "\u202e"} & set(text)
