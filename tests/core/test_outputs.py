import hashlib
import os
import socket
import stat
from pathlib import Path

import pytest
from tests.support import write_files

from repro.core.outputs import (
    GIT_LIMIT,
    MetricPoints,
    Signature,
    collect_artifacts,
    collect_files,
    collect_metrics,
    output_state,
    store_artifact,
)
from repro.errors import InvalidInputError
from repro.model.run import Artifact
from repro.store.content import ContentStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def live(tmp_path: Path) -> Path:
    folder = tmp_path / "live"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def artifacts(root: Path, patterns: list[str], before, live: Path, store: Path):
    return list(collect_artifacts(root, patterns, before, live, store))


def paths(found: list[Artifact | str]) -> list[str]:
    return [one.path for one in found if isinstance(one, Artifact)]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("metrics.json", ["metrics.json", "sub/metrics.json"]),
        ("/metrics.json", ["metrics.json"]),
        ("./models/a.pt", ["models/a.pt"]),
        ("models/*.pt", ["models/a.pt"]),
        ("models/**", ["models/a.pt", "models/deep/b.pt"]),
        ("models", ["models/a.pt", "models/deep/b.pt"]),
        ("models/deep/", ["models/deep/b.pt"]),
        ("**/*.pt", ["models/a.pt", "models/deep/b.pt"]),
        ("*/metrics.json", ["sub/metrics.json"]),
        ("**", ["metrics.json", "models/a.pt", "models/deep/b.pt", "sub/metrics.json"]),
        ("absent/*.pt", []),
    ],
)
def test_patterns_match_files_below_the_root(root, pattern, matched):
    write_files(
        root,
        {
            "metrics.json": "{}",
            "sub/metrics.json": "{}",
            "models/a.pt": "a",
            "models/deep/b.pt": "b",
            ".git/metrics.json": "never",
        },
    )

    assert matched == sorted(output_state(root, [pattern]))


def test_only_what_is_new_or_changed_since_the_start_is_kept(root, live, store):
    write_files(root, {"m/same": "1", "m/rewritten": "1", "m/replaced": "1", "m/removed": "1"})
    before = output_state(root, ["m/*"])
    write_files(root, {"m/rewritten": "22", "m/new": "3"})
    (root / "fresh").write_text("1")
    os.utime(root / "fresh", ns=(0, (root / "m/replaced").stat().st_mtime_ns))
    (root / "fresh").replace(root / "m/replaced")
    (root / "m/removed").unlink()

    found = artifacts(root, ["m/*"], before, live, store)

    assert ["m/new", "m/replaced", "m/rewritten"] == paths(found) == [one.path for one in found]


def test_a_pattern_that_leads_out_of_the_root_keeps_nothing_and_says_so(
    root, live, store, tmp_path
):
    write_files(tmp_path / "outside", {"secret.pt": "x"})
    (root / "link").symlink_to(tmp_path / "outside")

    found = artifacts(root, ["../outside/*", "link/*", "*.pt"], {}, live, store)

    assert found == [
        "`../outside/*` leads out of the repository; nothing of it is kept",
        "`link/*` leads out of the repository; nothing of it is kept",
    ]


def test_folders_behind_symlinks_are_entered_only_where_a_pattern_spells_them_out(
    root, live, store
):
    write_files(root, {"real/a.pt": "a"})
    (root / "link").symlink_to("real")
    (root / "real/loop").symlink_to("..")

    assert paths(artifacts(root, ["*.pt"], {}, live, store)) == ["real/a.pt"]
    assert paths(artifacts(root, ["link/*.pt"], {}, live, store)) == ["link/a.pt"]
    assert sorted(output_state(root, ["link/*.pt", "*.pt"])) == ["link/a.pt", "real/a.pt"]


def test_a_symlink_stands_for_the_file_it_names(root, live, store, tmp_path):
    write_files(root, {"models/step10": "weights"})
    (root / "models/best.pt").symlink_to("step10")
    (tmp_path / "far.pt").write_text("x")
    (root / "models/far.pt").symlink_to(tmp_path / "far.pt")
    (root / "models/dangling.pt").symlink_to("nothing")

    kept, warning = artifacts(root, ["models/*.pt"], {}, live, store)

    digest = hashlib.sha256(b"weights").hexdigest()
    assert Artifact("models/best.pt", 7, f"sha256:{digest}", "git") == kept
    assert warning.startswith("`models/far.pt` is not kept: ")
    assert "out of the repository" in warning


def test_secrets_and_names_that_differ_only_in_case_are_not_kept(root, live, store):
    write_files(root, {"out/.env": "TOKEN=x", "out/Model.pt": "1", "out/model.pt": "2"})

    found = artifacts(root, ["out/**"], {}, live, store)

    assert paths(found) == ["out/Model.pt"]
    assert [one for one in found if isinstance(one, str)] == [
        "`out/.env` is not kept: it looks like a secret",
        "`out/model.pt` is not kept: its name differs from `out/Model.pt` only in case",
    ]


def test_names_that_no_record_can_hold_are_not_kept(root, live, store):
    write_files(root, {"out/new\nline": "1", "out/git~1": "2", "out/ok": "3"})
    (root / os.fsdecode(b"out/\xff")).write_text("4")

    found = artifacts(root, ["out/*"], {}, live, store)

    assert paths(found) == ["out/ok"]
    assert len(found) == 4
    assert any("`out/new\\nline` is not kept" in one for one in found if isinstance(one, str))


def test_special_files_are_refused_at_once(root, live, store):
    (root / "out").mkdir()
    os.mkfifo(root / "out/pipe")
    server = socket.socket(socket.AF_UNIX)
    os.chdir(root)
    server.bind("out/socket")
    server.close()

    for path, reason in [
        ("out/pipe", "`x` is a named pipe"),
        ("out/socket", "`x` cannot be read: a socket or a device"),
        ("/dev/zero", "`x` is a device"),
        ("out", "`x` is a folder"),
        ("absent", "`x` cannot be read: No such file"),
    ]:
        with pytest.raises(InvalidInputError) as caught:
            store_artifact(live, store, root / path, "x")
        assert caught.value.message.startswith(reason)


def test_a_symlink_is_refused(root, live, store):
    (root / "file").write_text("x")
    (root / "link").symlink_to("file")

    with pytest.raises(InvalidInputError, match="is a symbolic link"):
        store_artifact(live, store, root / "link", "link")


@pytest.mark.parametrize("name", ["../x", "/x", "a/.git/x", "C:x", "", "a\nb", "\udcff"])
def test_a_name_that_leads_elsewhere_is_refused(root, live, store, name):
    (root / "file").write_text("x")

    with pytest.raises(InvalidInputError):
        store_artifact(live, store, root / "file", name)


def test_up_to_a_mebibyte_goes_to_the_live_folder(root, live, store):
    data = os.urandom(GIT_LIMIT)
    (root / "file").write_bytes(data)

    artifact = store_artifact(live, store, root / "file", "a/b")

    digest = hashlib.sha256(data).hexdigest()
    assert Artifact("a/b", GIT_LIMIT, f"sha256:{digest}", "git") == artifact
    assert data == (live / "artifacts" / digest).read_bytes()
    assert not store.exists()


def test_more_than_a_mebibyte_goes_to_the_content_store(root, live, store):
    data = os.urandom(GIT_LIMIT + 1)
    (root / "file").write_bytes(data)

    artifact = store_artifact(live, store, root / "file", "big")

    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert Artifact("big", GIT_LIMIT + 1, digest, "store") == artifact
    assert data == ContentStore(store).read(digest)
    assert not (live / "artifacts").exists()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_file_that_says_another_size_than_it_has_is_refused(live, store):
    with pytest.raises(InvalidInputError, match="changed while it was read"):
        store_artifact(live, store, Path("/proc/self/status"), "x")


def test_storing_the_same_bytes_twice_is_one_file(root, live, store):
    write_files(root, {"a": "same", "b": "same"})

    first = store_artifact(live, store, root / "a", "a")
    second = store_artifact(live, store, root / "b", "b")

    assert first.digest == second.digest
    assert len(list((live / "artifacts").iterdir())) == 1


def test_a_value_without_a_step_belongs_to_the_last_step_that_was_logged(root):
    write_files(root, {"metrics.json": '{"loss": 0.5, "acc": 0.9}'})
    time = (root / "metrics.json").stat().st_mtime_ns / 1e9

    found = list(collect_metrics(root, ["metrics.json"], {}, {"loss": 99}))

    assert [MetricPoints(99, time, {"loss": 0.5}), MetricPoints(0, time, {"acc": 0.9})] == found


def test_metrics_of_an_earlier_run_do_not_count(root):
    write_files(root, {"metrics.json": '{"loss": 0.5}'})
    before = output_state(root, ["metrics.json"])

    assert list(collect_metrics(root, ["metrics.json"], before, {})) == []


def test_each_fault_of_a_metrics_file_is_a_warning_up_to_ten(root):
    rows = "".join(f"oops,{i}\n" for i in range(25))
    write_files(root, {"t.csv": f"step,a\n1,2\n{rows}", "m.json": "{"})
    os.mkfifo(root / "pipe.json")

    found = list(collect_metrics(root, ["*.csv", "*.json"], {}, {}))

    warnings = [one for one in found if isinstance(one, str)]
    assert "`m.json` line 1: not JSON" in warnings[0]
    assert warnings[1] == "`pipe.json` is a named pipe, not a regular file"
    assert sum(warning.startswith("`t.csv` line ") for warning in warnings) == 10
    assert warnings[-1] == "`t.csv`: 15 more such faults"
    assert [one.values for one in found if isinstance(one, MetricPoints)] == [{"a": 2.0}]


def test_an_unreadable_folder_hides_no_other(root):
    write_files(root, {"a/x.pt": "1", "b/y.pt": "2"})
    (root / "a").chmod(0)
    try:
        found = sorted(output_state(root, ["*.pt"]))
    finally:
        (root / "a").chmod(stat.S_IRWXU)

    assert "b/y.pt" in found


def test_what_is_in_the_folder_of_a_run_is_kept_but_for_secrets_and_what_has_no_bytes(live, store):
    write_files(live, {"files/a.pt": "a", "files/A.pt": "A", "files/sub/.env": "K=1"})
    (live / "files/large").symlink_to(live / "files/a.pt")
    (live / "files/loop").symlink_to("loop")
    (live / "files/gone").symlink_to("nowhere")
    os.mkfifo(live / "files/pipe")

    seen: dict[str, Signature] = {}
    found = list(collect_files(live, store, seen))

    assert [one.path for one in found if isinstance(one, Artifact)] == ["A.pt", "large"]
    assert [one.partition(":")[0] for one in found if isinstance(one, str)] == [
        "`a.pt` is not kept",
        "`pipe` is not kept",
        "`sub/.env` is not kept",
    ]
    assert sorted(seen) == ["A.pt", "a.pt", "large", "pipe", "sub/.env"]
    assert list(collect_files(live / "elsewhere", store, {})) == []
