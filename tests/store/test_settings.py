"""repro.yaml is read as settings, and every mistake is named with file, line and key."""

import json
import os
import subprocess
import sys

import pytest
from tests.support import write_files

from repro.errors import InvalidInputError
from repro.store.paramsfile import read_config_files
from repro.store.settings import DataEntry, Settings, parse_size, read_settings


def settings(tmp_path, text):
    write_files(tmp_path, {"repro.yaml": text})
    return read_settings(tmp_path)


def test_without_a_file_the_defaults_hold(tmp_path):
    assert read_settings(tmp_path) == Settings()
    assert Settings().max_file == 10 * 1024**2
    assert Settings().max_total == 100 * 1024**2


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "{}", "config:\ndata:\nsnapshot:\nstore:\n"]
)
def test_an_empty_file_and_keys_without_a_value_are_the_defaults(tmp_path, text):
    assert settings(tmp_path, text) == Settings()


def test_every_key_is_read(tmp_path):
    text = """\
config: [params.yaml, more.toml]
metrics: [metrics.json]
artifacts: [models/*.pt]
data:
  train: data/train                      # hash only
  labels: {path: data/labels.csv, keep: true}
  linked: {path: /data/linked, follow: true}
store: s3://bucket/prefix
snapshot: {max_file: 1MiB, max_total: 500KB, exclude: ["*.ckpt"]}
"""
    assert settings(tmp_path, text) == Settings(
        config=("params.yaml", "more.toml"),
        metrics=("metrics.json",),
        artifacts=("models/*.pt",),
        data={
            "train": DataEntry("data/train"),
            "labels": DataEntry("data/labels.csv", keep=True),
            "linked": DataEntry("/data/linked", follow=True),
        },
        store="s3://bucket/prefix",
        max_file=1024**2,
        max_total=500_000,
        exclude=("*.ckpt",),
    )


WRONG = {
    "config: 3": "line 1: `config` must be a list of paths, not a number",
    "a:\nconfig: []": "line 1: unknown key `a`",
    "config: params.yaml": "line 1: `config` must be a list of paths, not text",
    "config: {a: 1}": "line 1: `config` must be a list of paths, not a mapping",
    "config:\n  - a\n  - 3": "line 3: `config[1]` must be text, not a number",
    "config: [null]": "line 1: `config[0]` must be text, not nothing",
    "metrics: true": "line 1: `metrics` must be a list of paths, not true or false",
    'metrics: [""]': "line 1: `metrics[0]` is empty",
    "artifacts: 1.5": "line 1: `artifacts` must be a list of paths, not a number",
    "store: 5": "line 1: `store` must be text, not a number",
    "store: [a]": "line 1: `store` must be text, not a list",
    "data: [a]": "line 1: `data` must be a mapping of names to paths, not a list",
    "data:\n  train: 3": "line 2: `data.train` must be a path or a mapping, not a number",
    "data:\n  train: {keep: true}": "line 2: `data.train` has no `path`",
    "data:\n  a:\n    path: b\n    keep: y": "line 4: `data.a.keep` must be true or false, not",
    "data:\n  a: {path: b,\n    follow: 1}": "line 3: `data.a.follow` must be true or false, not",
    'data: {a: ""}': "line 1: `data.a` is empty",
    'data: {a: "b\\tc"}': "line 1: `data.a` is `b\\tc`, which is empty, not UTF-8, or holds",
    'data: {"": b}': "line 1: `` is no name for a dataset",
    f"data: {{{'n' * 201}: b}}": f"line 1: `{'n' * 80}` is no name for a dataset",
    f"data: {{a: {'n' * 256}}}": f"line 1: `data.a` is `{'n' * 80}`, which has a component of more",
    f"data: {{a: {'n/' * 2100}}}": f"line 1: `data.a` is `{'n/' * 40}`, which is longer than 4096",
    "data:\n  a: b\n  c: ../d": "line 3: `data.c` is `../d`, which leads out of the repository",
    "data: {a: b/../../c}": "line 1: `data.a` is `b/../../c`, which leads out of the repository",
    "data: {a: .}": "line 1: `data.a` is `.`, which contains the whole repository",
    "data: {a: b/..}": "line 1: `data.a` is `b/..`, which contains the whole repository",
    "data: {a: /}": "line 1: `data.a` is `/`, which contains the whole repository",
    "data: {a: .git}": "line 1: `data.a` is `.git`, which leads into `.git`",
    "data: {a: b/.GIT/c}": "line 1: `data.a` is `b/.GIT/c`, which leads into `.git`",
    "data: {a: /b/.git/c}": "line 1: `data.a` is `/b/.git/c`, which leads into `.git`",
    "data:\n  a: d\n  b: d": "line 3: `data.b` (`d`) overlaps `data.a` (`d`)",
    "data:\n  a: d\n  c: e\n  b: ./d//f/": "line 4: `data.b` (`./d//f/`) overlaps `data.a` (`d`)",
    "data:\n  a: d/f/g\n  c: d-f\n  b: d": "line 4: `data.b` (`d`) overlaps `data.a` (`d/f/g`)",
    "data:\n  a: /d/e\n  b: //d": "line 3: `data.b` (`//d`) overlaps `data.a` (`/d/e`)",
    "data:\n  train: {path: 3}": "line 2: `data.train.path` must be text, not a number",
    "data:\n  train: {path: a, kep: true}": "line 2: unknown key `data.train.kep`",
    'data:\n  "a\\nb": x': "line 2: `a\\nb` is no name",
    "snapshot: 3": "line 1: `snapshot` must be a mapping, not a number",
    "snapshot:\n  max_file: big": "line 2: `snapshot.max_file` is `big`, which is no size",
    "snapshot:\n  max_file: -1": "line 2: `snapshot.max_file` is `-1`, which is no size",
    "snapshot:\n  max_file: 1.5": "line 2: `snapshot.max_file` must be a size, not a number",
    "snapshot: {max_total: true}": "line 1: `snapshot.max_total` must be a size, not true or false",
    "snapshot: {exclude: x}": "line 1: `snapshot.exclude` must be a list of paths, not text",
    "snapshot: {maxfile: 1}": "line 1: unknown key `snapshot.maxfile`",
    "- a": "line 1: the file must be a mapping, not a list",
    "hello": "line 1: the file must be a mapping, not text",
    "a: b: c": "line 1: mapping values are not allowed",
    "config: !!python/tuple [a]": "line 1: the tag",
    "config: [a]\nconfig: [b]": "line 2: the key `config` occurs twice",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items())
def test_a_mistake_is_named_with_file_line_and_key(tmp_path, text, message):
    with pytest.raises(InvalidInputError) as caught:
        settings(tmp_path, text)

    assert caught.value.message.startswith(f"`repro.yaml` {message}")
    assert caught.value.hint


@pytest.mark.parametrize(
    "paths",
    [
        ["d", "d-e", "d.e", "de", "e/d"],
        ["d/a", "d/b", "d/a.b", "d/a b"],
        ["a/../b", "a"],
        ["..a", "...", "a..b", ".github", "git"],
        ["/data/a", "/data/b", "data"],
        ["größe", "two  spaces", "*", "-x", "~"],
        ["n" * 255],
    ],
)
def test_datasets_beside_one_another_are_accepted(tmp_path, paths):
    entries = dict(zip("abcdef", paths, strict=False))
    text = json.dumps({"data": entries}, ensure_ascii=False)

    assert settings(tmp_path, text).data == {
        name: DataEntry(path) for name, path in entries.items()
    }


def test_an_absolute_path_into_the_project_is_the_same_place(tmp_path):
    with pytest.raises(InvalidInputError, match=r"line 1: `data\.b` \(`d`\) overlaps"):
        settings(tmp_path, f"data: {{a: '{tmp_path}/d/e', b: d}}")
    with pytest.raises(InvalidInputError, match="contains the whole repository"):
        settings(tmp_path, f"data: {{a: '{tmp_path.parent}'}}")


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("metric", "metrics"),
        ("artefacts", "artifacts"),
        ("Config", "config"),
        ("snapshots", "snapshot"),
    ],
)
def test_an_unknown_key_suggests_the_nearest(tmp_path, key, near):
    with pytest.raises(InvalidInputError) as caught:
        settings(tmp_path, f"{key}: []")

    assert caught.value.hint == f"did you mean `{near}`?"


def test_an_unknown_key_that_is_near_none_lists_them(tmp_path):
    with pytest.raises(InvalidInputError) as caught:
        settings(tmp_path, "something: 1")

    assert "`config`, `metrics`, `artifacts`, `data`, `store`, `snapshot`" in caught.value.hint


def test_a_settings_file_that_is_a_folder_is_refused(tmp_path):
    (tmp_path / "repro.yaml").mkdir()

    with pytest.raises(InvalidInputError, match=r"`repro\.yaml` is not a file"):
        read_settings(tmp_path)


def test_a_fifo_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "repro.yaml")

    with pytest.raises(InvalidInputError, match=r"`repro\.yaml` is not a file"):
        read_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1000000", 1_000_000),
        ("0", 0),
        ("10MiB", 10 * 1024**2),
        ("10 MiB", 10 * 1024**2),
        ("500KB", 500_000),
        ("500kb", 500_000),
        ("1K", 1024),
        ("2M", 2 * 1024**2),
        ("1.5GiB", 3 * 1024**3 // 2),
        ("1TB", 10**12),
        ("7B", 7),
        ("9007199254740993", 2**53 + 1),
    ],
)
def test_sizes_are_read_in_bytes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "MiB", "-1", "1e3", "10 apples", "1.MiB", "0x10", "10iB", "9999999PiB", "٣"]
)
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


def test_params_files_of_all_kinds_are_merged_later_ones_winning(tmp_path):
    files = {
        "a.yaml": "lr: 1e-3\nmodel: {width: 64, depth: 3}\n",
        "conf/b.json": '{"model": {"width": 128}, "nan": NaN}',
        "c.toml": "seed = 7\nstarted = 2024-01-01\n[model]\nname = 'x'\n",
        "d.YML": "",
    }
    write_files(tmp_path, files)

    config = read_config_files(tmp_path, list(files))

    assert config.pop("nan") != 0
    assert config == {
        "lr": 0.001,
        "model": {"width": 128, "depth": 3, "name": "x"},
        "seed": 7,
        "started": "2024-01-01",
    }


def test_no_params_files_are_no_config(tmp_path):
    assert read_config_files(tmp_path, []) == {}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.yaml", "- 1\n", "`a.yaml` line 1: the file must hold a mapping at its top, not a list"),
        ("a.json", "3", "`a.json` line 1: the file must hold a mapping"),
        ("a.json", '{"a": 1, "a": 2}', "`a.json` is not JSON: the key `a` occurs twice"),
        ("a.json", "[" * 5000, "`a.json` is not JSON: it nests deeper"),
        ("a.json", "", "`a.json` is not JSON"),
        ("a.toml", "a = \n", "`a.toml` is not TOML"),
        ("a.toml", b"a = '\xff'", "`a.toml` is not TOML"),
        ("a.toml", "a = " + "[" * 5000, "`a.toml` is not TOML"),
        ("a.yaml", "a: *b\n", "`a.yaml` line 1: the alias"),
        ("a.txt", "lr 1", "`a.txt` is not a kind of params file"),
        ("params", "lr: 1", "`params` is not a kind of params file"),
    ],
)
def test_a_wrong_params_file_is_named(tmp_path, name, content, message):
    write_files(tmp_path, {name: content})

    with pytest.raises(InvalidInputError) as caught:
        read_config_files(tmp_path, [name])

    assert caught.value.message.startswith(message)
    assert caught.value.hint


def test_an_absent_params_file_is_named_with_a_next_step(tmp_path):
    with pytest.raises(InvalidInputError, match=r"no params file `params\.yaml`") as caught:
        read_config_files(tmp_path, ["params.yaml"])

    assert "`config:`" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(tmp_path):
    write_files(tmp_path, {"repro.yaml": ""})
    (tmp_path / "repro.yaml").chmod(0)

    with pytest.raises(InvalidInputError, match=r"cannot read `repro\.yaml`"):
        read_settings(tmp_path)


def test_neither_yaml_nor_toml_is_imported_where_no_file_needs_it(tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from repro.store.paramsfile import read_config_files\n"
        "from repro.store.settings import read_settings\n"
        "read_settings(Path()); read_config_files(Path(), [])\n"
        "assert not {'yaml', 'tomllib'} & set(sys.modules)\n"
    )

    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
