"""Whether the processes of a run in progress still live (FORMAT.md section "Liveness")."""

import errno
import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path

from repro.atomic import FileLock
from repro.store.process import boot_id, host_name, is_alive, parse_process, this_process

STALE_S = 300.0  # a sign of life from another machine counts this long
_HELD_ELSEWHERE = {errno.EACCES, errno.EAGAIN}

# Inodes of the lock files this process holds: opening one of them again and closing it
# would drop the lock, as record locks belong to the process and not to the descriptor.
_own: set[tuple[int, int]] = set()


def _forget_own() -> None:
    _own.clear()  # a forked child inherits the set but none of the locks


os.register_at_fork(after_in_child=_forget_own)


class SignOfLife:
    """A locked file beside a journal, for as long as this process writes the journal."""

    def __init__(self, path: Path) -> None:
        """Make and lock the file `path`; it appears under that name only once it is locked."""
        self.path = path
        owner = {**this_process().as_json(), "host": host_name()}
        draft = path.with_name(f".{path.name}")
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            os.write(fd, json.dumps(owner).encode() + b"\n")
            stat = os.fstat(fd)
        except OSError:
            draft.unlink(missing_ok=True)  # the next try has the same name
            raise
        finally:
            os.close(fd)
        self._lock = FileLock(draft)
        try:
            self._lock.acquire()
        except OSError as error:
            # NFS without its lock daemon: pid, start time and heartbeat must do.
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise
        self._inode = (stat.st_dev, stat.st_ino)
        _own.add(self._inode)
        draft.rename(path)

    def beat(self) -> None:
        """Show other machines that the process is alive."""
        with suppress(OSError):  # gone or read-only: then nobody can seal the run either
            os.utime(self.path)

    def end(self) -> None:
        """Take the file away and give the lock back."""
        with suppress(OSError):  # as above; the lock, which counts here, is given back
            self.path.unlink(missing_ok=True)
        self.abandon()

    def abandon(self) -> None:
        """Close what a forked child inherited; the parent's lock stays."""
        self._lock.release()
        _own.discard(self._inode)


def is_live(live_dir: Path, *, host: str, now: float) -> bool:
    """Whether any process that records into `live_dir` still runs, as far as can be told from here.

    Args:
        host: Name of this machine.
        now: Seconds since 1970, to judge heartbeats of other machines.
    """
    try:
        names = sorted(os.listdir(live_dir))
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError:
        return True  # another user's, who alone can seal it
    return any(
        _is_held(live_dir / name, host, now) for name in names if name.startswith("lock-")
    ) or _has_child(live_dir)


def _is_held(path: Path, host: str, now: float) -> bool:
    try:
        stat = path.stat()
        if (stat.st_dev, stat.st_ino) in _own:
            return True
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        owner = _parse(os.read(fd, 4096))
        process = parse_process(owner)
        if process is None or process.boot == boot_id():
            return _is_locked(fd) or (process is not None and is_alive(process))
    finally:
        os.close(fd)
    # Another boot: of this machine, then it is over; of another one, then its heartbeat counts.
    return owner.get("host") != host and abs(now - stat.st_mtime) < STALE_S


def _is_locked(fd: int) -> bool:
    # A shared lock, so that two commands that look at once do not take each other for the owner.
    try:
        fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _HELD_ELSEWHERE
    return False


def _has_child(live_dir: Path) -> bool:
    """Whether the command that `repro run` started outlived it."""
    try:
        started = _parse((live_dir / "child.json").read_bytes())
    except OSError:
        return False
    child = parse_process(started)
    return child is not None and is_alive(child)


def _parse(data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
