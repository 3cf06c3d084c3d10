"""What the bootstrap of each process of a run wrote into its live folder, read and checked."""

import json
import math
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from repro.bootstrap._repro_generators import short_digest
from repro.errors import DamagedRecordError
from repro.model.canonical import Json, parse_json
from repro.model.randomness import MAIN, ProcessReport, Reports

GENERATORS = "generators.json"
_NAME = re.compile(r"random-[0-9a-f]{1,16}\.jsonl\Z")
_KEY = re.compile(r"[\w.:/+-]{1,256}\Z")
_LABEL = re.compile(r"[a-z][a-z0-9._-]{0,31}\Z")
_MOST_FILES = 65536
_MOST_NAMED = 1000  # files, or programs
_MOST_BYTES = 4 << 20  # of one file
_MOST_TEXT = 4096
_SEEDS = 1 << 64


def read_reports(live_dir: Path) -> Reports:
    """Read the reports of all processes; a file or line that is not one is passed over.

    Cost: reads at most 65,536 files.
    """
    try:
        names = sorted(name for name in os.listdir(live_dir) if _NAME.match(name))
    except OSError:  # nothing was ever reported
        return Reports()
    processes: list[ProcessReport] = []
    foreign: set[str] = set()
    unwatched: set[str] = set()
    for name in names[:_MOST_FILES]:
        lines = [_parse(line, name) for line in _read(live_dir / name).split(b"\n")]
        said = [line for line in lines if line]
        foreign.update(path for line in said if (path := _path(line.get("foreign"))))
        unwatched.update(
            text for line in said if isinstance(text := line.get("unwatched"), str) and text
        )
        process = _process(said)
        if process is not None:
            processes.append(process)
    processes.sort(key=_order)
    found = (tuple(sorted(texts)[:_MOST_NAMED]) for texts in (foreign, unwatched))
    return Reports(tuple(processes), *found)


def pass_on(live_dir: Path, outer: Path) -> None:
    """Tell the run around a run of foreign code, which counts as loaded in that one, too.

    Args:
        live_dir: Of the inner run.
        outer: Live folder of the other one; nothing happens where that is gone.
    """
    found = read_reports(live_dir)
    lines = [f"{json.dumps({'foreign': path})}\n" for path in found.foreign]
    lines += [f"{json.dumps({'unwatched': program})}\n" for program in found.unwatched]
    if not lines:
        return
    name = f"random-{short_digest(f'inner/{live_dir.name}')}.jsonl"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    with suppress(OSError):
        fd = os.open(outer / name, flags, 0o600)
        with os.fdopen(fd, "w") as file:
            file.writelines(lines)


def _order(process: ProcessReport) -> tuple[bool, bool, float, str]:
    is_rank_0 = process.key.rpartition("/")[2] == "rank-0"
    # Of a launcher and the ranks it starts, the first rank is what computes.
    return not is_rank_0, process.key != MAIN, process.started, process.key


def _read(path: Path) -> bytes:
    """The bytes of a plain file, nothing of a link or a pipe."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        # A plain file gives all that is asked for at once.
        return os.read(fd, _MOST_BYTES) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    finally:
        os.close(fd)


def _parse(line: bytes, name: str) -> dict[str, Json]:
    if not line:
        return {}
    try:
        value = parse_json(line, name=name)
    except DamagedRecordError:  # torn
        return {}
    return value if isinstance(value, dict) else {}


def _process(lines: list[dict[str, Json]]) -> ProcessReport | None:
    header = next((line for line in lines if "process" in line), {})
    key, python, started = header.get("process"), header.get("python"), header.get("t")
    if not isinstance(key, str) or not _KEY.match(key):
        return None
    if not isinstance(python, str) or not _is_short(python):
        return None
    if not isinstance(started, float) or not math.isfinite(started):
        return None
    generators: dict[str, Json] = {}
    flags: dict[str, Json] = {}
    for line in lines:
        label, seed = line.get("generator"), line.get("seed")
        if isinstance(label, str) and _LABEL.match(label) and _is_seed(seed):
            generators[label] = seed
        flags.update(check_flags(line.get("flags")))
    return ProcessReport(
        key=key,
        python=python,
        started=started,
        generators=generators,
        flags=flags,
        executable=_path(header.get("executable")) or "",
        prefix=_path(header.get("prefix")) or "",
        pid=_pid(header.get("pid")),
    )


def _pid(value: Json) -> int:
    return value if type(value) is int and 0 < value < _SEEDS else 0


def _is_seed(value: Json) -> bool:
    return type(value) is int and 0 <= value < _SEEDS


def check_flags(value: Json) -> dict[str, Json]:
    """Flags by the name of their package; what has another shape is left out."""
    flags: dict[str, Json] = {}
    for package, inner in value.items() if isinstance(value, dict) else ():
        if not _is_short(package) or not isinstance(inner, dict):
            continue
        flags[package] = {
            name: flag
            for name, flag in inner.items()
            if _is_short(name) and (isinstance(flag, bool) or _is_number(flag) or _is_short(flag))
        }
    return flags


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 256 and value.isprintable()


def _is_number(value: object) -> bool:
    return type(value) is int and abs(value) < _SEEDS


def _path(value: Json) -> str | None:
    is_path = isinstance(value, str) and value.startswith("/") and len(value) <= _MOST_TEXT
    return str(value) if is_path and "\0" not in str(value) else None


def check_states(value: Json) -> dict[str, Json]:
    """Digests of states by the name of the generator; what has another shape is left out."""
    given = value if isinstance(value, dict) else {}
    return {n: one for n, one in given.items() if _LABEL.match(n) and _is_short(one)}


def read_generators(live_dir: Path) -> dict[str, Json]:
    """The states of generators that `repro.init()` wrote into a live folder, by name."""
    return _parse(_read(live_dir / GENERATORS), GENERATORS)
