"""What `data.json` says of a dataset: read back as it was, and refused where it would do harm."""

import pytest

from repro.errors import DamagedRecordError
from repro.model.canonical import format_json, parse_json
from repro.model.manifest import LARGEST_SIZE, DataFacts
from repro.store.datafacts import check_data_path, decode_facts, encode_facts

FACTS = DataFacts(
    path="data/train", digest="xxh3:" + "0" * 32, is_file=False, files=3, size=10, kept=True
)


def encoded(**changes):
    return {"train": {**encode_facts(FACTS), **changes}}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"path": "/mnt/data/train"},
        {"path": "data/tr\u00e4in \U0001f600"},
        {"path": "-rf"},
        {"is_file": True, "files": 1, "kept": False},
        {"files": 0, "size": 0},
        {"files": LARGEST_SIZE, "size": LARGEST_SIZE},
    ],
)
def test_facts_come_back_from_a_record(changes):
    facts = FACTS._replace(**changes)
    data = parse_json(format_json({"train": encode_facts(facts)}), name="data.json")

    assert facts == decode_facts(data, "train")


def test_keys_that_a_later_version_adds_are_ignored():
    assert FACTS == decode_facts(encoded(compression="none"), "train")


PATHS = [
    "",
    ".",
    "..",
    "../x",
    "a/../../x",
    "a//b",
    "a/./b",
    "a/",
    ".git",
    ".git/config",
    ".GIT/hooks",
    "git~1/hooks",
    "a/.git/hooks/post-checkout",
    ".g\u200cit",
    "a\\..\\..\\b",
    "C:/x",
    "a\nb",
    "a\0b",
    "/a\nb",
    "/a\0b",
    "x" * 256,
    "x/" * 2048 + "x",
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: repr(path[:30]))
def test_a_path_that_leads_elsewhere_is_refused(path):
    with pytest.raises(DamagedRecordError):
        check_data_path(path)
    with pytest.raises(DamagedRecordError):
        decode_facts(encoded(path=path), "train")


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("path", [None, 1, ["a"]]),
        ("kind", [None, "", "link", "FILE", 1]),
        (
            "digest",
            [
                None,
                "",
                "0" * 32,
                "xxh3:" + "0" * 31,
                "xxh3:" + "0" * 33,
                "xxh3:" + "A" * 32,
                "XXH3:" + "0" * 32,
                "xxh3:" + "0" * 32 + "\n",
                "xxh3:../../../../../../../../../x",
                "sha1:" + "0" * 40,
                "sha256:" + "0" * 64,
            ],
        ),
        ("files", [None, -1, 1.5, "10", True, 2**63, float("nan")]),
        ("bytes", [None, -1, 1.5, "10", True, 2**63]),
        ("kept", [None, 0, 1, "true"]),
    ],
)
def test_a_value_of_another_kind_is_refused_by_its_key(key, values):
    for value in values:
        with pytest.raises(DamagedRecordError, match=f"`{key}`"):
            decode_facts(encoded(**{key: value}), "train")
    missing = encoded()
    del missing["train"][key]
    with pytest.raises(DamagedRecordError, match=f"`{key}`"):
        decode_facts(missing, "train")


@pytest.mark.parametrize("value", [None, [], "data/train", 1])
def test_an_entry_that_is_no_object_is_refused(value):
    with pytest.raises(DamagedRecordError):
        decode_facts({"train": value}, "train")
