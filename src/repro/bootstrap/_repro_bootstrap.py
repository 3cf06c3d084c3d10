"""This process of a run: which one it is, what it seeds, what it reports into the live folder.

Nothing here may print, fail, or change what a program does that brings its own seeds.
"""

import atexit
import os
import sys
import time

try:
    from _json import encode_basestring_ascii as _quote  # `json` itself loads `re`: 2 ms
except ImportError:
    from json.encoder import encode_basestring_ascii as _quote

from _repro_flags import read_flags  # type: ignore[import-not-found,unused-ignore]
from _repro_generators import (  # type: ignore[import-not-found,unused-ignore]
    MOST,
    RANKS,
    AfterImport,
    Generators,
    short_digest,
)

MAIN = "0"
_SPAWN = "multiprocessing.spawn"
_HELPERS = {
    "multiprocessing.forkserver": "forkserver",
    "multiprocessing.resource_tracker": "tracker",
    "multiprocessing.semaphore_tracker": "tracker",
    "joblib.externals.loky.backend.resource_tracker": "tracker",
}
_TEMPORARY = ("/tmp/", "/var/tmp/", "/dev/shm/", "/var/folders/")  # noqa: S108  nothing is written
_FOLDER = os.path.dirname(os.path.abspath(__file__))
_MOST_CLAIMS = 100000


class Report:
    """The file in the live folder that says what this process did, a line of JSON each."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.path: "str | None" = None
        self.key = ""

    def claim(self, key: str) -> bool:
        """Take a key for this process; whether no other one has it."""
        self.key = key
        self.path = os.path.join(self._folder, file_name(key))
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        except OSError:  # no room, no right: whoever else has this key must not get its numbers
            self.path = None
            if key != MAIN:
                self.key = "%s-%d.%d" % (key, os.getpid(), time.time_ns())
            return True
        version = "%d.%d.%d" % sys.version_info[:3]
        self.write(
            process=key,
            python=version,
            executable=_legible(sys.executable),
            prefix=_legible(sys.prefix),
            pid=os.getpid(),
            t=time.time(),
        )
        return True

    def is_taken(self, key: str) -> bool:
        """Whether a process has claimed this key."""
        return os.path.exists(os.path.join(self._folder, file_name(key)))

    def open(self, key: str) -> None:
        """Take a key that no other process can have; the file appears with the first line."""
        self.key = key
        self.path = os.path.join(self._folder, file_name(key))

    def write(self, **values: object) -> None:
        """Add a line, at once and whole."""
        if self.path is None:
            return
        line = "{%s}\n" % ",".join("%s:%s" % (_quote(k), _encode(v)) for k, v in values.items())
        try:
            # The folder is gone when the run is over; it is never made again.
            fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(fd, line.encode("ascii"))
            finally:
                os.close(fd)
        except OSError:
            pass


def _legible(path: "str | None") -> str:
    """A path as text that any reader of JSON takes."""
    return os.fsencode(path or "").decode("utf-8", "replace")


def file_name(key: str) -> str:
    """The name of the report of a process."""
    return "random-%s.jsonl" % (key if key == MAIN else short_digest(key))


def _encode(value: object) -> str:
    if isinstance(value, dict):
        inner = ["%s:%s" % (_quote(str(key)), _encode(one)) for key, one in value.items()]
        return "{%s}" % ",".join(inner)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (int, float)):
        return repr(value)
    return str(_quote(str(value)))


generators: "Generators | None" = None
_report = Report("")
_pid = os.getpid()


def begin() -> None:
    """Seed what this process loads from now on, as the variables of `repro run` say."""
    global generators, _report
    folder = os.environ.get("REPRO_LIVE_DIR", "")
    given = os.environ.get("REPRO_RANDOM", "")
    roots = os.environ.get("REPRO_FOREIGN", "")
    # Of a program that outlived its run, and of what it starts, no number can be had again.
    if _report.key or not (given or roots) or not os.path.isdir(folder):
        return
    _report = Report(folder)
    _report.key = "?"  # two versions of repro, one inside of the other, begin here only once
    words = _command_line()
    is_child = "--multiprocessing-fork" in words
    parts = [*given.split(";"), "", "", ""][:4]
    parent = parts[3]
    helper = _helper(words)
    if helper:
        _report.open(_below(parent, helper))
    elif not is_child:
        _claim(_keys(parts, words))
        if given:
            os.environ["REPRO_RANDOM"] = ";".join([*parts[:3], _report.key])
    if roots:
        _watch_code(roots)
    if helper == "tracker":
        return
    seed = _seed(parts[0])
    if seed is not None:
        # A pool may have thousands of children, each of which would leave a file.
        generators = Generators(seed, _report.key, None if is_child or helper else _tell)
    if is_child or helper:
        _begin_later(parent)
    else:
        atexit.register(_at_exit)
    if generators is not None and not is_child:
        generators.install(seed_loaded=True)


def _seed(text: str) -> "int | None":
    return int(text) if text.isdecimal() and len(text) < 20 and int(text) < MOST else None


def _tell(name: str, seed: int) -> None:
    _report.write(generator=name, seed=seed)


def _command_line() -> "list[str]":
    words = getattr(sys, "orig_argv", None)  # Python 3.10
    if words is None:
        try:
            with open("/proc/self/cmdline", "rb") as file:
                words = os.fsdecode(file.read()).split("\0")[:-1]
        except OSError:
            words = []
    return list(words[1:])


def _helper(words: "list[str]") -> str:
    """The name of a process that `multiprocessing` starts for itself, empty for all others."""
    if "-c" in words[:-1]:
        code = words[words.index("-c") + 1].split()
        if len(code) > 3 and code[0] == "from" and code[2] == "import":
            return _HELPERS.get(code[1], "")
    return ""


def _below(parent: str, name: str) -> str:
    return "%s/%s" % (parent, name) if parent else name


def _keys(parts: "list[str]", words: "list[str]") -> "list[str]":
    """The keys that this process may have, the best first.

    What two processes that start at once are told by is where they stand: their rank, or the
    command line. Their order counts only where these are the same.
    """
    _, launcher, outer, parent = parts
    if not parent and launcher == str(os.getppid()):
        return [MAIN, _class(words)]
    rank = _rank(outer)
    if rank and "rank-" not in parent:
        return [_below(parent, "rank-" + rank)]
    if not parent and not launcher:
        return [MAIN, _class(words)]
    if "--process-name" in words[:-1]:  # joblib
        return [_below(parent, words[words.index("--process-name") + 1])]
    return [_below(parent, _class(words))]


def _rank(outer: str) -> str:
    """The rank that a launcher inside of the run gave, not one around `repro run`."""
    known = outer.split(",")
    for name in RANKS:
        value = os.environ.get(name, "")
        if value.isdigit() and "%s=%s" % (name, value) not in known:
            return value
    return ""


def _class(words: "list[str]") -> str:
    """What stays the same of a command line in another folder, or with other process ids."""
    plain = []
    for word in words:
        if any(place in word for place in _TEMPORARY):
            plain.append("temporary")
            continue
        last = word.rpartition("/")[2]
        digits = "".join("0" if char.isdigit() else char for char in last)
        plain.append(digits if "0000" in digits else last)
    return "c-%s" % short_digest("\0".join(plain))


def _claim(keys: "list[str]") -> None:
    if any(map(_report.claim, keys)):
        return
    # The same command again, and maybe for the thousandth time: where the taken numbers end.
    number = 1
    while number < _MOST_CLAIMS and _report.is_taken("%s-%d" % (keys[-1], number * 2)):
        number *= 2
    while number < _MOST_CLAIMS and not _report.claim("%s-%d" % (keys[-1], number)):
        number += 1


def _begin_later(parent: str) -> None:
    """A child of `multiprocessing` is told its name before it does anything of its own."""
    hook = AfterImport()

    def loaded(module: object) -> None:
        original = module.prepare  # type: ignore[attr-defined]

        def prepare(data: object) -> object:
            try:
                _begin_child(parent, data)
            except Exception:  # as everywhere here
                pass
            return original(data)

        module.prepare = prepare  # type: ignore[attr-defined]

    module = sys.modules.get(_SPAWN)
    if module is not None:
        loaded(module)
    else:
        hook.waiting[_SPAWN] = loaded
        hook.start()


def _begin_child(parent: str, data: object) -> None:
    name = str(data.get("name", ""))  # type: ignore[attr-defined]
    key = _below(parent, name)
    # Python numbers its children; a name that the program gave may be there twice.
    if name.rpartition("-")[2].replace(":", "").isdigit():
        _report.open(key)
    else:
        _claim([key])
    if generators is None:
        return
    generators.restart(_report.key)
    if generators.is_installed:  # a fork of the fork server
        generators.reseed_python()
    else:
        generators.install(seed_loaded=True)
    given = os.environ.get("REPRO_RANDOM", "").split(";")
    os.environ["REPRO_RANDOM"] = ";".join([*given[:3], _report.key])


def _watch_code(roots: str) -> None:
    """Report each file below one of the roots, and below no exception, that code comes from.

    So is a Python that is started in such a way that it reports nothing itself.
    """
    named, _, excepted = roots.partition("\n\n")
    watched, others = (
        tuple(os.path.join(os.path.realpath(one), "") for one in lines.split("\n") if one)
        for lines in (named, excepted)
    )
    seen = set()
    try:
        here = os.getcwd()
    except OSError:  # deleted
        here = os.sep

    def look(name: object) -> None:
        if not isinstance(name, str) or name in seen or name.startswith("<"):
            return
        seen.add(name)
        path = os.path.realpath(os.path.join(here, name))
        if path.startswith(watched) and not path.startswith(others):
            _report.write(foreign=_legible(path))

    for module in list(sys.modules.values()):  # a line of a `.pth` file may have loaded it
        look(getattr(module, "__file__", None))
    sys.addaudithook(_hook(_events(look, _Starts())))  # type: ignore[arg-type]


class _Starts:
    """Reports each program that is a Python in hiding, once."""

    def __init__(self) -> None:
        self._seen: "set[str]" = set()

    def __call__(self, words: "list[str]", environ: object) -> None:
        line = " ".join(words)[:200]
        if _is_hidden(words, environ) and line not in self._seen:
            self._seen.add(line)
            _report.write(unwatched=line)


def _hook(watched: "dict[str, object]") -> "object":
    def hook(event: str, args: "tuple[object, ...]") -> None:
        see = watched.get(event)
        if see is not None:
            try:
                see(args)  # type: ignore[operator]
            except Exception:  # whatever an audit hook raises ends the program
                pass

    return hook


def _events(look: "object", start: "object") -> "dict[str, object]":
    """What to do with the arguments of each audit event that tells of code, or of a program."""
    return {
        "exec": lambda args: look(getattr(args[0], "co_filename", None)),  # type: ignore[operator]
        "import": lambda args: look(args[1]),  # type: ignore[operator]
        "ctypes.dlopen": lambda args: look(args[0] if "/" in str(args[0]) else None),  # type: ignore[operator]
        "subprocess.Popen": lambda args: start(_words(args[1]), args[3]),  # type: ignore[operator]
        "os.exec": lambda args: start(_words(args[1]), args[2]),  # type: ignore[operator]
        "os.posix_spawn": lambda args: start(_words(args[1]), args[2]),  # type: ignore[operator]
        "os.spawn": lambda args: start(_words(args[2]), args[3]),  # type: ignore[operator]
        "os.system": lambda args: start(os.fsdecode(args[0]).split(), None),  # type: ignore[operator]
    }


def _words(argv: object) -> "list[str]":
    listed = argv if isinstance(argv, (list, tuple)) else [argv]
    return [os.fsdecode(word) for word in listed]  # type: ignore[arg-type]


def _is_hidden(words: "list[str]", environ: object) -> bool:
    """Whether a program is a Python that will not load this."""
    names = [word.rpartition("/")[2].rstrip("0123456789.") for word in words]
    at = next((n for n, name in enumerate(names) if name in ("python", "pypy")), None)
    if at is None or (at > 0 and names[0] != "env"):
        return False
    given = dict(os.environ if environ is None else environ)  # type: ignore[call-overload]
    path = given.get("PYTHONPATH") or given.get(b"PYTHONPATH") or ""
    if _FOLDER not in os.fsdecode(path).split(os.pathsep):
        return True
    if {"-i", "-", "PYTHONPATH"} & set(words[:at]):
        return True
    if "ensurepip" in words[at + 1 : at + 3]:  # `venv` isolates it, and it has no code of a user
        return False
    for word in words[at + 1 :]:
        if word[:1] != "-" or word[:2] in ("--", "-X", "-W", "-c", "-m"):
            return False
        if set("IES") & set(word):
            return True
    return False


def _at_exit() -> None:
    if os.getpid() == _pid:  # not in a fork
        try:
            _report.write(flags=read_flags())
        except Exception:  # half a package, or another one of that name
            pass
