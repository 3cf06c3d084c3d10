import json
import os

import pytest

from repro.model.randomness import Reports
from repro.store.random_reports import check_flags, check_states, read_generators, read_reports

HEADER = {"process": "0", "python": "3.11.2", "pid": 5, "t": 5.0}


def write(folder, name, *lines):
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / name).write_text("\n".join(text) + "\n")


def test_what_a_process_says_is_read(tmp_path):
    write(
        tmp_path,
        "random-0.jsonl",
        HEADER,
        {"generator": "python", "seed": 7},
        {"flags": {"torch": {"num_threads": 2, "deterministic": True}}},
        {"foreign": "/old/a.py"},
        {"foreign": "/old/a.py"},
    )
    [process] = read_reports(tmp_path).processes

    assert (process.key, process.python, process.generators) == ("0", "3.11.2", {"python": 7})
    assert process.flags == {"torch": {"num_threads": 2, "deterministic": True}}
    assert read_reports(tmp_path).foreign == ("/old/a.py",)


def test_the_first_rank_speaks_before_its_launcher_and_the_main_process_before_others(tmp_path):
    for number, key in enumerate(["0/c-x", "0", "0/rank-1", "0/rank-0"]):
        write(tmp_path, f"random-{number}.jsonl", {**HEADER, "process": key, "t": float(number)})

    keys = [process.key for process in read_reports(tmp_path).processes]

    assert keys == ["0/rank-0", "0", "0/c-x", "0/rank-1"]


@pytest.mark.parametrize(
    "line",
    [
        "{", "[1]", "5", '"x"', "\x00", '{"process": 5}', '{"process": "0"}',
        {**HEADER, "process": "../x y"}, {**HEADER, "t": "x"}, {**HEADER, "python": "a\nb"},
        '{"process": "0", "python": "3", "t": 1e999}', "[" * 100000,
    ],
)  # fmt: skip
def test_a_torn_or_hostile_line_is_passed_over(tmp_path, line):
    write(tmp_path, "random-ab.jsonl", line)
    write(tmp_path, "random-0.jsonl", HEADER, line, {"generator": "numpy", "seed": 1})
    processes = read_reports(tmp_path).processes

    assert [(one.key, one.generators) for one in processes] == [("0", {"numpy": 1})]


@pytest.mark.parametrize("seed", [-1, 1 << 64, "5", True, 1.5, None])
def test_only_seeds_are_seeds(tmp_path, seed):
    write(tmp_path, "random-0.jsonl", HEADER, {"generator": "python", "seed": seed})
    write(tmp_path, "random-1.jsonl", HEADER, {"generator": "../x", "seed": 5})

    assert [one.generators for one in read_reports(tmp_path).processes] == [{}, {}]


@pytest.mark.parametrize("path", ["a.py", "/a\0b", 5, None, "/" + "x" * 5000])
def test_only_absolute_paths_are_foreign_code(tmp_path, path):
    write(tmp_path, "random-0.jsonl", HEADER, {"foreign": path})

    assert read_reports(tmp_path).foreign == ()


def test_links_pipes_and_other_files_are_not_read(tmp_path):
    write(tmp_path, "outside", HEADER)
    folder = tmp_path / "live"
    folder.mkdir()
    (folder / "random-0.jsonl").symlink_to(tmp_path / "outside")
    os.mkfifo(folder / "random-1.jsonl")
    (folder / "random-2.jsonl").mkdir()
    write(folder, "random-xyz.jsonl", HEADER)
    write(folder, "other.jsonl", HEADER)

    assert read_reports(folder) == Reports()
    assert read_reports(tmp_path / "none") == Reports()


def test_flags_and_states_of_another_shape_are_left_out():
    assert check_flags([1]) == {}
    assert check_flags({"a": 5, "b\n": {}, "c": {"x": [1], "y": "z", "w": "\x1b[31m"}}) == {
        "c": {"y": "z"}
    }
    assert check_states({"python": "sha256:ab", "x\n": "y", "numpy": 5}) == {"python": "sha256:ab"}
    assert check_states(None) == {}


def test_generators_that_are_no_states_are_none(tmp_path):
    assert read_generators(tmp_path) == {}
    write(tmp_path, "generators.json", "[")
    assert read_generators(tmp_path) == {}
    write(tmp_path, "generators.json", {"python": {"a": 1}})
    assert read_generators(tmp_path) == {"python": {"a": 1}}
