"""Datasets go into repro.yaml and out of it, and no other line of the file changes."""

import difflib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.support import write_files

from repro.errors import InvalidInputError, StorageError
from repro.store.settings import DataEntry, read_settings
from repro.store.yamledit import add_dataset, remove_dataset

TEMPLATE = """\
# Settings of repro for this project; a line without its `# ` counts. Commit this file.

# Params files whose values belong to the config of every run, later ones winning.
# config: [params.yaml]

# Datasets that runs read.
# data: {train: data/train}

# Untracked files that a snapshot of the code leaves out; each one is named in the record.
# snapshot: {max_file: 10MiB, max_total: 100MiB, exclude: ["*.ckpt"]}
"""
EVERYWHERE = """\
# at the top
config:   [ params.yaml,  'more.toml' ]     # of every run

# the data
data:   # by name
    # the big one
    train:   "data/train"   # hash only

    # the small one
    labels:
        # why it is kept
        path: 'data/labels.csv'   # from the lab
        keep: yes
    # nothing below

store:   s3://bucket/prefix   # shared
metrics:
- metrics.json
-   other.json
# at the end
"""
# Files in block style, where an entry has a line of its own, and where the line goes.
BLOCK = {
    "comments everywhere": EVERYWHERE,
    "the template": TEMPLATE,
    "no settings": "# nothing yet\n",
    "nothing": "",
    "other settings": "config: [params.yaml]\nmetrics: [metrics.json]\n",
    "no value": "config: [a]\ndata:\nmetrics: [b]\n",
    "no value but a comment": "data:   # to come\n  # train: data/train\n\nconfig: [a]\n",
    "one entry": "data:\n  train: data/train\n",
    "indented with 4": "snapshot:\n    max_file: 1MiB\ndata:\n    train: data/train\nconfig: [a]\n",
    "4 elsewhere": "snapshot:\n    max_file: 1MiB\n",
    "all indented": "  config: [a]\n  data:\n   train: x\n",
    "no final newline": "data:\n  train: data/train",
    "no final newline and no data": "config: [a]",
    "windows": "config: [a]\r\n\r\ndata:\r\n  train: x # c\r\n\r\nmetrics: [b]\r\n",
    "windows without data": "# a\r\nconfig: [a]\r\n",
    "byte order mark": "\ufeffconfig: [a]\ndata:\n  train: x\n",
    "document marks": "---\n# a\nconfig: [a]\n...\n# behind\n",
    "directive": "%YAML 1.1\n---\ndata:\n  train: x\n...\n",
    "anchors": "data: &all\n  a: &e {path: x, keep: true}\n  b:\n    <<: *e\n    path: y\n",
    "alias at the end": "config: [&p one]\ndata:\n  a: *p # c\nmetrics: [b]\n",
    "long lines": f"store: {'word ' * 80}# c\ndata:\n  train: {'d/' * 200}x # {'c' * 200}\n",
    "folded": "data:\n  train: data\n    and more\n  b: >-\n    folded\n    text\n\n\nstore: a\n",
    "quoted over lines": 'data:\n  train: "data\n    and more" # c\nconfig: [a]\n',
    "path below": "data:\n  train:\n    data/train\n\n# c\nconfig: [a]\n",
    "quoted names": '"data":\n  \'train\': x\n  "lab els": y\n',
    "question marks": "? data\n:\n  ? train\n  : x\n  y: z\nconfig: [a]\n",
    "trailing spaces": "config: [a]   \ndata:   \n  train: x   \n   \nmetrics: [b]  \n",
    "a mapping over lines": "data:\n  train: {path: x,\n    keep: true} # c\n# d\n",
    "beyond ASCII": "# ünïcode 🎉\ndata:\n  größe🎉: dätä/🎉 # 🎉\nconfig: [a]\n",
    "line separators": "# a\u2028config: [a]\u2028data:\n  train: x\n",
}
FLOW = {
    "data: {a: b}\n": "data: {a: b, new: data/new}\n",
    "data: { a: b } # c\n": "data: { a: b, new: data/new } # c\n",
    "data: {a: b,}\n": "data: {a: b, new: data/new,}\n",
    "data: {}\n": "data: {new: data/new}\n",
    "data: { # c\n}\n": "data: {new: data/new # c\n}\n",
    "data: ~ # c\n": "data: {new: data/new} # c\n",
    "data: null\nconfig: [a]\n": "data: {new: data/new}\nconfig: [a]\n",
    "{config: [a]}\n": "{config: [a], data: {new: data/new}}\n",
    "{config: [a], data: }\n": "{config: [a], data: {new: data/new} }\n",
    "{}": "{data: {new: data/new}}",
    "data: {\n  a: b,  # c\n  d: e   # f\n}\n": (
        "data: {\n  new: data/new,\n  a: b,  # c\n  d: e   # f\n}\n"
    ),
    "data: {\n  a: b,  # c\n  d: e,  # f\n}\n": (
        "data: {\n  a: b,  # c\n  d: e,  # f\n  new: data/new,\n}\n"
    ),
    "data: {\n  a: b\n  , c: d\n  ,\n}\n": "data: {\n  a: b\n  , c: d, new: data/new\n  ,\n}\n",
    "data: {a: b,\n  c: d\n}\n": "data: {new: data/new, a: b,\n  c: d\n}\n",
    "data: {a: b,\n  c: d}\n": "data: {a: b,\n  c: d, new: data/new}\n",
}


@pytest.fixture(autouse=True, params=["C", "Python"])
def parser(request, monkeypatch):
    """Both parsers of PyYAML: the one in C is not everywhere."""
    if request.param == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader")


@pytest.fixture
def guard(tmp_path):
    return tmp_path / "git/repro/data.lock"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    return root


def text_of(root):
    return (root / "repro.yaml").read_bytes().decode()


def changes(before, after):
    """The lines that were taken out, and those that were put in."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return (
        [line[2:] for line in lines if line[0] == "-"],
        [line[2:] for line in lines if line[0] == "+"],
    )


@pytest.mark.parametrize("before", BLOCK.values(), ids=BLOCK)
def test_a_new_dataset_adds_its_lines_and_changes_no_other(root, guard, before):
    write_files(root, {"repro.yaml": before})
    settings = read_settings(root)

    add_dataset(root, "new", DataEntry("data/new"), guard=guard)

    gone, came = changes(before, text_of(root))
    assert gone == []
    assert [line.strip() for line in came if line] in (
        ["new: data/new"],
        ["data:", "new: data/new"],
    )
    assert read_settings(root).data == {**settings.data, "new": DataEntry("data/new")}
    assert read_settings(root).config == settings.config
    assert text_of(root).count("\r\n") in (0, text_of(root).count("\n"))
    assert text_of(root).startswith("\ufeff") == before.startswith("\ufeff")
    assert not before or text_of(root).endswith("\n") == before.endswith("\n")


@pytest.mark.parametrize("before", BLOCK.values(), ids=BLOCK)
def test_what_was_added_is_removed_without_a_trace_but_a_blank_line(root, guard, before):
    write_files(root, {"repro.yaml": before})
    add_dataset(root, "new", DataEntry("data/new", keep=True), guard=guard)

    assert remove_dataset(root, "new", guard=guard)

    gone, came = changes(before, text_of(root))
    assert [line for line in gone if line.split("#")[0].strip() != "data:"] == []
    assert came in ([], [""])


@pytest.mark.parametrize("before", BLOCK.values(), ids=BLOCK)
def test_removing_takes_the_lines_of_the_entry_and_no_others(root, guard, before):
    write_files(root, {"repro.yaml": before})
    settings = read_settings(root)
    for name in settings.data:
        write_files(root, {"repro.yaml": before})
        if name == "a" and "*e" in before:  # its anchor is needed below
            continue

        assert remove_dataset(root, name, guard=guard)

        gone, came = changes(before, text_of(root))
        assert came == []
        assert gone
        rest = {other: entry for other, entry in settings.data.items() if other != name}
        assert read_settings(root).data == rest
        assert ("data:" in gone) <= (rest == {})


@pytest.mark.parametrize(("before", "after"), FLOW.items())
def test_flow_style_stays_flow_style(root, guard, before, after):
    write_files(root, {"repro.yaml": before})

    add_dataset(root, "new", DataEntry("data/new"), guard=guard)

    assert text_of(root) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("data: {a: b, x: y, c: d}\n", "data: {a: b, c: d}\n"),
        ("data: {a: b, x: y}\n", "data: {a: b}\n"),
        ("data: {x: y, a: b}\n", "data: {a: b}\n"),
        ("data: {x: y}\n", ""),
        ("# c\ndata: {x: y} # d\nconfig: [a]\n", "# c\nconfig: [a]\n"),
        ("{config: [a], data: {x: y}}\n", "{config: [a]}\n"),
        ("{data: {x: y}}\n", "{}\n"),
        ("data: {\n  a: b,  # c\n  x: y   # d\n}\n", "data: {\n  a: b,  # c\n}\n"),
        ("data: {\n  x: y,\n  a: b,  # c\n}\n", "data: {\n  a: b,  # c\n}\n"),
        ("data:\n  # one\n  x: y\n  # two\nconfig: [a]\n", "  # one\n  # two\nconfig: [a]\n"),
        ("data: {x: {path: y, keep: true}, a: b}\n", "data: {a: b}\n"),
    ],
)
def test_removing_leaves_the_rest_as_it_stands(root, guard, before, after):
    expected = [line for line in after.splitlines() if "# d" not in line or "x:" in line]
    write_files(root, {"repro.yaml": before})

    assert remove_dataset(root, "x", guard=guard)

    got = [line for line in text_of(root).splitlines() if line.strip() != "# d"]
    assert expected == got


REPLACED = [
    ("train: old # c", DataEntry("new"), "train: new # c"),
    ("train: 'old'", DataEntry("new", keep=True), "train: {path: new, keep: true}"),
    ("train: {path: old, keep: true} # c", DataEntry("new"), "train: {path: new, keep: false} # c"),
    (
        "train: {path: old}",
        DataEntry("old", keep=True, follow=True),
        "train: {path: old, keep: true, follow: true}",
    ),
    (
        "train: {path: old,}",
        DataEntry("old", keep=True, follow=True),
        "train: {path: old, keep: true, follow: true,}",
    ),
    ("train: {keep: , path: old}", DataEntry("old", keep=True), "train: {keep: true , path: old}"),
    (
        "train:\n    # why\n    path: old # c",
        DataEntry("new", keep=True, follow=True),
        "train:\n    # why\n    path: new # c\n    keep: true\n    follow: true",
    ),
    (
        "train:\n    keep: true # c\n    path: old",
        DataEntry("old", keep=False),
        "train:\n    keep: false # c\n    path: old",
    ),
]


@pytest.mark.parametrize(("before", "entry", "after"), REPLACED)
def test_a_dataset_that_is_there_is_changed_where_it_stands(root, guard, before, entry, after):
    frame = "# a\ndata:\n  first: x\n  {}\n\n  last: y # z\nconfig: [a]\n"
    write_files(root, {"repro.yaml": frame.replace("{}", before)})

    add_dataset(root, "train", entry, guard=guard)

    assert text_of(root) == frame.replace("{}", after)
    assert read_settings(root).data["train"] == entry


def test_nothing_is_written_where_nothing_changes(root, guard):
    write_files(root, {"repro.yaml": "data: {train: {path: x, keep: false}}\n"})
    (root / "repro.yaml").chmod(0o444)
    before = (root / "repro.yaml").stat()

    add_dataset(root, "train", DataEntry("x"), guard=guard)

    assert before == (root / "repro.yaml").stat()


def test_a_new_file_holds_the_dataset_and_has_the_usual_mode(root, guard):
    add_dataset(root, "labels", DataEntry("data/labels.csv", keep=True), guard=guard)

    assert text_of(root) == "data:\n  labels: {path: data/labels.csv, keep: true}\n"
    mask = os.umask(0o022)
    os.umask(mask)
    assert (root / "repro.yaml").stat().st_mode & 0o777 == 0o666 & ~mask
    assert os.listdir(root) == ["repro.yaml"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_the_mode_of_the_file_stays(root, guard, mode):
    write_files(root, {"repro.yaml": "config: [a]\n"})
    (root / "repro.yaml").chmod(mode)

    add_dataset(root, "train", DataEntry("x"), guard=guard)

    assert (root / "repro.yaml").stat().st_mode & 0o777 == mode


def test_a_link_is_written_through(root, guard):
    write_files(root, {"conf/settings.yaml": "config: [a]\n"})
    (root / "repro.yaml").symlink_to("conf/settings.yaml")

    add_dataset(root, "train", DataEntry("x"), guard=guard)

    assert (root / "repro.yaml").is_symlink()
    assert "train: x" in (root / "conf/settings.yaml").read_text()


def test_a_link_that_leads_nowhere_is_refused(root, guard):
    (root / "repro.yaml").symlink_to("conf/settings.yaml")

    with pytest.raises(InvalidInputError, match="leads nowhere"):
        add_dataset(root, "train", DataEntry("x"), guard=guard)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("data:\n  a: {path: x, keep: &k true}\n  b: {path: y, keep: *k}\n", "a"),
        ("config: &c\ndata: *c\n", "new"),
        ("data: {\n  a: b # c\n  , train: d\n}\n", "a"),
        ("? data\n:\n  a: b\n", "a"),
        ("~\n", "new"),
    ],
)
def test_what_cannot_be_edited_is_left_alone_and_the_hint_says_what_to_write(
    root, guard, text, name
):
    write_files(root, {"repro.yaml": text})

    def change():
        if name == "new":
            add_dataset(root, name, DataEntry("data/new"), guard=guard)
        else:
            remove_dataset(root, name, guard=guard)

    with pytest.raises(InvalidInputError, match="cannot be edited") as caught:
        change()

    assert caught.value.hint in (
        "write `new: data/new` under `data:` by hand",
        "take `a` out of `data:` by hand",
    )
    assert text_of(root) == text


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a\nb", "x"),
        ("", "x"),
        ("é" * 101, "x"),
        ("new", ""),
        ("new", "../x"),
        ("new", ".git/x"),
        ("new", "data/train/part"),
        ("new", "data"),
        ("new", "x\udcff"),
        ("new", "x\ny"),
        ("new", "."),
    ],
)
def test_a_dataset_that_cannot_be_is_refused_before_anything_is_written(root, guard, name, path):
    text = "data: {train: data/train}\n"
    write_files(root, {"repro.yaml": text})

    with pytest.raises(InvalidInputError) as caught:
        add_dataset(root, name, DataEntry(path), guard=guard)

    assert caught.value.hint
    assert text_of(root) == text


def test_a_file_that_is_wrong_is_refused_with_its_line(root, guard):
    write_files(root, {"repro.yaml": "data:\n  train: 3\n"})

    for change in (
        lambda: add_dataset(root, "new", DataEntry("x"), guard=guard),
        lambda: remove_dataset(root, "train", guard=guard),
    ):
        with pytest.raises(InvalidInputError, match="line 2"):
            change()


def test_removing_what_is_not_there_says_so_and_writes_nothing(root, guard):
    assert not remove_dataset(root, "train", guard=guard)
    write_files(root, {"repro.yaml": "data:\n  other: x\n"})
    assert not remove_dataset(root, "train", guard=guard)
    assert text_of(root) == "data:\n  other: x\n"


@pytest.mark.parametrize("name", ["<<", "null", "1", "a: b", "# c", "'", '"', "~", "-", "größe 🎉"])
@pytest.mark.parametrize("before", ["", "data: {a: {path: b}}\n", "data:\n  a: {path: b}\n"])
def test_awkward_names_come_back(root, guard, name, before):
    write_files(root, {"repro.yaml": before})
    entry = DataEntry("data/a, b: {c} # d", follow=True)

    add_dataset(root, name, entry, guard=guard)

    assert read_settings(root).data[name] == entry
    assert remove_dataset(root, name, guard=guard)
    assert name not in read_settings(root).data


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)


@given(
    names=st.lists(TEXT, unique=True, max_size=4),
    kinds=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=4, max_size=4),
    before=st.sampled_from([*BLOCK.values(), *FLOW]),
)
def test_any_datasets_can_be_added_and_removed_in_any_file(tmp_path_factory, names, kinds, before):
    root = tmp_path_factory.mktemp("project")
    guard = root / "guard"
    write_files(root, {"repro.yaml": before})
    settings = read_settings(root)
    wanted = dict(settings.data)
    for place, name in enumerate(names):
        if name.isprintable() and name not in wanted:
            keep, follow = kinds[place]
            wanted[name] = DataEntry(f"sets/{place}{name.replace('/', '')}", keep, follow)
            try:
                add_dataset(root, name, wanted[name], guard=guard)
            except InvalidInputError:  # a name such as `.git` in its path
                del wanted[name]
    assert read_settings(root).data == wanted
    for name in set(wanted) - set(settings.data):
        assert remove_dataset(root, name, guard=guard)
    assert read_settings(root) == settings


def test_processes_that_add_at_once_lose_nothing(root, guard):
    code = (
        "import sys; from pathlib import Path\n"
        "from repro.store.settings import DataEntry\n"
        "from repro.store.yamledit import add_dataset\n"
        "for n in range(10):\n"
        "    name = f'{sys.argv[1]}{n}'\n"
        "    add_dataset(Path(sys.argv[2]), name, DataEntry(name), guard=Path(sys.argv[3]))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, letter, root, guard]) for letter in "abc"
    ]

    assert [process.wait() for process in processes] == [0, 0, 0]
    assert len(read_settings(root).data) == 30


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_is_read_only_is_named(root, guard):
    root.chmod(0o500)
    try:
        with pytest.raises(StorageError, match=r"repro\.yaml"):
            add_dataset(root, "train", DataEntry("x"), guard=guard)
    finally:
        root.chmod(0o700)


def test_the_parser_is_not_imported_with_the_module():
    code = "import sys, repro.store.yamledit; assert 'yaml' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], cwd=Path(), check=True)
