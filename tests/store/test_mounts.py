"""Which file systems other hosts write to."""

from pathlib import Path

import pytest

from repro.store import mounts
from repro.store.mounts import is_network

TABLE = """\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
22 21 0:5 / /home rw shared:2 master:1 - nfs4 server:/home rw,vers=4.2
23 22 0:6 / /home/ada/local rw - xfs /dev/sdb1 rw
24 21 0:7 / /mnt/with\\040space rw - fuse.sshfs host:/x rw
25 21 0:8 / /twice rw - cifs //server/x rw
26 21 0:9 / /twice rw - btrfs /dev/sdc1 rw
27 21 0:9 / /scratch rw - lustre 10.0.0.1@tcp:/x rw
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", False), ("/srv/project/.git", False), ("/home", True), ("/home/ada/.git", True),
        ("/homes/ada", False), ("/home/ada/local/x", False), ("/mnt/with space/x", True),
        ("/twice/x", False), ("/scratch", True),
    ],
)  # fmt: skip
def test_the_innermost_and_latest_mount_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, *, expected: bool
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(TABLE)
    monkeypatch.setattr(mounts, "_MOUNTS", table)
    assert is_network(Path(path)) is expected


def test_a_link_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(TABLE)
    monkeypatch.setattr(mounts, "_MOUNTS", table)
    (tmp_path / "link").symlink_to("/scratch")
    assert is_network(tmp_path / "link" / "x")


def test_where_the_system_tells_nothing_all_is_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "_MOUNTS", tmp_path / "absent")
    assert not is_network(tmp_path)
