"""A param that a rerun varied wins over what the program sets, and its reading is recorded."""

import copy
import json
import os
import pickle
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from repro.core.vary import find_unconsumed
from repro.sdk.mappings import Config
from repro.sdk.varied import open_config, vary_config
from repro.store.journal import read_journals
from tests.sdk.scripts import record, records, run

Events = list[tuple[str, Any]]


def opened(config: dict[str, Any], varied: dict[str, Any]) -> tuple[Config, Events]:
    events: Events = []

    def note(kind: str, **values: Any) -> None:
        events.extend((kind, value) for value in values.values())

    return open_config(config, varied, note), events


def reads_of(events: Events) -> list[str]:
    return [key for kind, value in events if kind == "varied" for key in value]


def test_without_varied_params_the_config_is_the_plain_one() -> None:
    config, events = opened({"lr": 1}, {})

    config.lr = 2

    assert type(config) is Config
    assert events == [("config", {"lr": 2})]


def test_what_the_program_sets_does_not_win() -> None:
    config, events = opened({"lr": 1, "m": {"w": 1}}, {"lr": 9, "m.w": 8, "new.a": 7})

    config.lr = 2
    config["lr"] = 3
    config.update({"lr": 4, "m": {"w": 5, "k": 6}}, other=1)
    config.m.w = 5
    config |= {"lr": 1}
    config.new.a = 1

    assert dict(config.as_dict()) == {
        "lr": 9,
        "m": {"w": 8, "k": 6},
        "new": {"a": 7},
        "other": 1,
    }
    recorded = [value for kind, value in events if kind == "config"]
    assert recorded[:2] == [{"lr": 9, "m": {"w": 8}, "new": {"a": 7}}, {"lr": 9}]


def test_what_is_varied_to_the_recorded_value_is_not_recorded_again() -> None:
    assert opened({"lr": 1, "m.w": 2}, {"lr": 1, "m.w": 2})[1] == []


READS = {
    "item": lambda c: c["lr"],
    "attribute": lambda c: c.lr,
    "get": lambda c: c.get("lr"),
    "setdefault": lambda c: c.setdefault("lr", 3),
    "items": lambda c: list(c.items()),
    "values": lambda c: list(c.values()),
    "keywords": lambda c: dict(**c),
    "unpacked": lambda c: {**c},
    "dict": dict,
    "copy": lambda c: c.copy(),
    "copied": copy.copy,
    "deep copy": copy.deepcopy,
    "or": lambda c: c | {},
    "or of another": lambda c: {} | c,
    "pickle": pickle.dumps,
    "json": json.dumps,
    "as_dict": lambda c: c.as_dict(),
}


@pytest.mark.parametrize("how", READS)
def test_every_way_to_the_entry_is_a_reading_and_noted_once(how: str) -> None:
    config, events = opened({"lr": 1, "n": 2}, {"lr": 9, "m.w": 3})
    assert reads_of(events) == []

    READS[how](config)
    READS[how](config)

    assert reads_of(events).count("lr") == 1
    assert config.n == 2


def test_the_entry_of_a_section_is_read_when_it_itself_is() -> None:
    config, events = opened({"m": {"w": 1, "k": 2}}, {"m.w": 9})

    section = config.m
    assert section.k == 2
    assert reads_of(events) == []
    assert dict(**section) == {"w": 9, "k": 2}
    assert reads_of(events) == ["m.w"]


NOT_READS = {
    "other entry": lambda c: c.n,
    "absent": lambda c: c.get("lr.x", 3),
    "names": list,
    "in": lambda c: "lr" in c,
    "length": len,
    "set": lambda c: c.update(lr=3),
    "shown": repr,
}


@pytest.mark.parametrize("how", NOT_READS)
def test_what_does_not_give_the_value_is_no_reading(how: str) -> None:
    config, events = opened({"lr": 1, "n": 2}, {"lr": 9})

    NOT_READS[how](config)

    assert reads_of(events) == []


def test_hostile_keys_are_entries_and_nothing_else() -> None:
    deep = ".".join("a" * 32)
    config, _ = opened({}, {"__class__.__name__": 1, "items": 2, "_watch": 3, "keys.x": 4, deep: 5})

    assert type(config).__name__ == "VariedConfig"
    assert config["items"] == 2
    assert [*config.keys()] == ["__class__", "items", "_watch", "keys", "a"]
    assert config["_watch"] == 3


def test_a_copy_in_another_process_is_a_plain_config() -> None:
    config, _ = opened({"m": {"w": 1}}, {"m.w": 9})

    other = pickle.loads(pickle.dumps(config))
    other.m.w = 3

    assert (type(other), other.m.w, config.m.w) == (Config, 3, 9)


def test_keys_with_dots_of_their_own_are_varied_in_place() -> None:
    assert vary_config({"m.w": 1, "n": {"a.b": 2}}, {"m.w": 8, "n.a.b": 9, "x.y": 1}) == {
        "m.w": 8,
        "n": {"a.b": 9},
        "x": {"y": 1},
    }


SCRIPT = """
    run = repro.init(config={"lr": 0.1, "model": {"width": 3}, "unread": 1})
    run.config.model.width = 4
    repro.log({"loss": run.config.lr})
    print(run.config.lr, repro.config.model.width)
"""
# Killed before its run is sealed, so that the journals stay.
KILLED = SCRIPT + "    os.kill(os.getpid(), signal.SIGKILL)\n"
VARIED = json.dumps({"lr": 0.5, "model.width": 9, "unread": 2, "absent": 3})


def test_a_program_alone_sees_and_records_varied_params(repository: Any) -> None:
    done = run(repository, SCRIPT, REPRO_VARIED=VARIED)

    assert done.stdout == "0.5 9\n"
    found = record(repository)
    assert found.config == {"lr": 0.5, "model": {"width": 9}, "unread": 2, "absent": 3}
    assert found.metrics["loss"].last == 0.5


def test_the_identity_is_that_of_the_varied_config(repository: Any) -> None:
    (repository / "t.py").write_text("import repro\nrepro.init(config={'lr': 0.1})\n")

    for value in ("0.1", "0.2", "0.1"):
        variables = {**os.environ, "REPRO_VARIED": f'{{"lr": {value}}}'}
        subprocess.run([sys.executable, "t.py"], check=True, env=variables)

    third, second, first = records(repository)
    assert first.run.identity == third.run.identity != second.run.identity


def test_what_was_read_stands_in_the_journal(repository: Any) -> None:
    run(repository, KILLED, code_is=-9, REPRO_VARIED=VARIED)

    [folder] = (repository / ".git/repro/live").iterdir()
    keys = json.loads(VARIED)
    assert find_unconsumed(read_journals(folder), list(keys)) == ["unread", "absent"]


def test_under_repro_run_the_same_holds(repository: Any) -> None:
    (repository / "t.py").write_text(
        "import repro\n"
        "from repro.core.vary import find_unconsumed\n"
        "from repro.store.journal import read_journals\n"
        + textwrap.dedent(SCRIPT)
        + "print(find_unconsumed(read_journals(run.live_dir), ['lr', 'unread']))\n"
    )

    done = subprocess.run(
        [sys.executable, "-m", "repro", "run", "--", sys.executable, "t.py", "--model.width", "5"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "REPRO_VARIED": VARIED},
    )

    assert done.stdout.splitlines()[:2] == ["0.5 9", "['unread']"]
    assert record(repository).config["model"] == {"width": 9}


@pytest.mark.parametrize("text", ["{", "[1]", '{"a..b": 1}', '{"a": "' + "x" * 70_000 + '"}'])
def test_a_wrong_variable_is_ignored_with_one_warning(repository: Any, text: str) -> None:
    done = run(repository, SCRIPT, REPRO_VARIED=text)

    assert done.stdout == "0.1 4\n"
    assert done.stderr.count("`REPRO_VARIED` is ignored") == 1


def test_a_run_that_is_switched_off_is_varied_too(repository: Any) -> None:
    done = run(
        repository,
        "print(repro.init(config={'lr': 1}).config.lr)\n",
        REPRO_VARIED=VARIED,
        REPRO_MODE="disabled",
    )

    assert done.stdout == "0.5\n"


def test_reading_is_no_error_when_the_run_is_over(repository: Any) -> None:
    script = "run = repro.init(config={'lr': 1})\nrun.finish()\nprint(run.config.lr)\n"

    assert run(repository, script, REPRO_VARIED=VARIED).stdout == "0.5\n"


def test_only_rank_0_records_what_it_read(repository: Any) -> None:
    run(repository, KILLED, code_is=-9, REPRO_VARIED=VARIED)
    [folder] = (repository / ".git/repro/live").iterdir()
    script = """
        run = repro.init(config={"unread": 1})
        print(run.config.unread)
        os._exit(0)
    """
    live = {"REPRO_RUN_ID": folder.name, "REPRO_LIVE_DIR": str(folder)}
    done = run(repository, script, REPRO_VARIED=VARIED, RANK="1", WORLD_SIZE="2", **live)

    assert done.stdout == "2\n"
    assert "unread" in find_unconsumed(read_journals(folder), ["unread"])
