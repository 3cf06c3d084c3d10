"""The git remotes of a clone, and the refs of runs that each of them has."""

import os
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from repro.errors import InvalidInputError, RemoteError
from repro.model.ids import is_id
from repro.model.nearest import say_meant
from repro.model.secrets import redact_url
from repro.model.text import escape
from repro.store.git import Git
from repro.store.transport_faults import explain_fault

CARRIER = "refs/repro"  # what the refs of runs are under on a remote, if nothing else is said
ANY_CODE = range(-128, 256)

_SETTINGS = (
    r"^(remote\..*\.(url|pushurl|mirror|fetch)|remote\.pushdefault|branch\..*\.(remote|pushremote)"
    r"|url\..*\.pushinsteadof|repro\..*\.carrier)$"
)
_SCP = re.compile(r"(?:[^@/:]+@)?(\[[^\]/]+\]|[^:/\[\]]+):")  # user@host:path, as git takes it
_URL = re.compile(r"(?:[A-Za-z0-9+.-]+::)?([A-Za-z][A-Za-z0-9+.-]*)://(?:[^/]*@)?([^/]*)")
_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
_LINE = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})\t([^\n]+)\n")


@dataclass(frozen=True, slots=True)
class GitRemote:
    """A git remote, or an address given in the place of one.

    Attributes:
        name: As git has it; of an address the address itself, which may hold a password.
        url: Where git fetches from, `insteadOf` applied; may hold a password.
        push_url: Where git pushes to, the first of several; likewise.
        carrier: What the refs of runs are under there, such as `refs/repro`; no slash at the end.
        is_named: Whether `name` is one of the names in `git remote`.
        is_apart: Whether by that name git would push more refs, or to more addresses than the one
            that the user is told of, or would set the refs of runs here to what it sent.
    """

    name: str
    url: str
    push_url: str
    carrier: str = CARRIER
    is_named: bool = True
    is_apart: bool = False

    @property
    def label(self) -> str:
        """What messages call it."""
        return escape(redact_url(self.name))

    @property
    def host(self) -> str:
        """The host that fetches go to, with its port if one is given; empty on this machine."""
        return find_host(self.url)

    @property
    def push_host(self) -> str:
        """The host that pushes go to, likewise."""
        return find_host(self.push_url)

    @property
    def place(self) -> str:
        """What the runs fetched from it are under, below `refs/repro/remotes/`."""
        if self.is_named:
            return self.name
        bare = redact_url(self.url).rstrip("/").removesuffix(".git")
        return _UNFIT.sub("-", bare).strip("-") or "elsewhere"

    def source(self, *, push: bool = False) -> str:
        """The word that git is given: the name where that leads there, else the address."""
        if not self.is_named:
            return self.url
        is_elsewhere = push and (self.is_apart or self.push_url != self.url)
        return self.push_url if is_elsewhere else self.name

    def carried(self, ref: str) -> str:
        """The name on the remote of a ref that is `refs/repro/…` here."""
        return self.carrier + ref.removeprefix(CARRIER)

    def local(self, ref: str) -> str:
        """The other way round; a ref that is not below the carrier stays as it is."""
        below = ref.removeprefix(f"{self.carrier}/")
        return ref if below == ref else f"{CARRIER}/{below}"


@dataclass(frozen=True, slots=True)
class RemoteRefs:
    """What a remote has; its word is taken for nothing but that.

    Attributes:
        runs: The commit of each run, by id.
        live: The same of runs in progress.
        archives: The commit of each archive, by name.
        odd: Names of refs below these that are no ids; nothing is escaped.
        others: All its other refs, branches and tags, by name.
        sweeps: The commit of each sweep, by id.
    """

    runs: Mapping[str, str] = field(default_factory=dict)
    live: Mapping[str, str] = field(default_factory=dict)
    archives: Mapping[str, str] = field(default_factory=dict)
    odd: Sequence[str] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    sweeps: Mapping[str, str] = field(default_factory=dict)


class _Config:
    """The settings of git about remotes, later ones last."""

    def __init__(self, git: Git) -> None:
        asked = git.run("config", "--null", "--get-regexp", _SETTINGS, ok=(0, 1))
        self.pairs: dict[str, list[str]] = {}
        for entry in os.fsdecode(asked.out).split("\0")[:-1]:
            key, _, value = entry.partition("\n")
            self.pairs.setdefault(key, []).append(value)

    def get(self, key: str) -> str | None:
        values = self.pairs.get(key)
        return values[-1] if values else None

    @property
    def remotes(self) -> list[str]:
        found = re.compile(r"remote\.(.*)\.(?:url|pushurl)\Z", re.DOTALL)
        matches = (found.match(key) for key in self.pairs)
        return list(dict.fromkeys(match[1] for match in matches if match))

    @property
    def may_push_elsewhere(self) -> bool:
        return any(key.endswith((".pushurl", ".pushinsteadof")) for key in self.pairs)

    def is_apart(self, name: str) -> bool:
        urls = self.pairs.get(f"remote.{name}.url", ())
        is_split = len(self.pairs.get(f"remote.{name}.pushurl", urls)) > 1
        fetched = self.pairs.get(f"remote.{name}.fetch", ())
        is_tracked = any(_may_write_runs(refspec) for refspec in fetched)
        return is_split or is_tracked or bool(self.get(f"remote.{name}.mirror"))


def _may_write_runs(refspec: str) -> bool:
    """Whether after a push git would set refs of runs here, whatever was said of them meanwhile."""
    place, star, _ = refspec.partition(":")[2].partition("*")
    return place.startswith(f"{CARRIER}/") or bool(star and f"{CARRIER}/".startswith(place))


def find_remote(
    git: Git, name: str | None, *, push: bool = False, cwd: Path | None = None
) -> GitRemote:
    """Give the remote that is meant.

    Args:
        name: A remote, an address or a path; None is the remote of the current branch, else
            `origin`, else the only one.
        push: Whether a push is meant, for which git has settings of its own.
        cwd: What a path is relative to; the folder that `git` runs in by default.

    Raises:
        RemoteError: There is none of that name, none at all, or several and none is named.
        InvalidInputError: The carrier that is set for it cannot be one.
    """
    config = _Config(git)
    chosen = name if name is not None else _find_default(git, config, push=push)
    if chosen in config.remotes:
        url = _address(git, chosen)
        elsewhere = push and config.may_push_elsewhere
        push_url = _address(git, chosen, "--push") if elsewhere else url
        return GitRemote(
            chosen,
            url,
            push_url,
            _carrier(git, config, chosen),
            is_apart=config.is_apart(chosen),
        )
    if not _is_address(chosen, cwd or git.cwd):
        raise RemoteError(
            f"there is no remote `{escape(chosen)}`{say_meant(chosen, config.remotes)}",
            hint="`git remote -v` lists the remotes, `git remote add NAME URL` adds one",
        )
    place = chosen
    if not find_host(chosen) and "://" not in chosen:
        place = str((cwd or git.cwd) / Path(chosen).expanduser())
    return GitRemote(place, place, place, _carrier(git, config, chosen), is_named=False)


def list_names(git: Git) -> list[str]:
    """Give the names of the remotes that have an address to fetch from."""
    config = _Config(git)
    return [name for name in config.remotes if config.get(f"remote.{name}.url")]


def list_remote(git: Git, remote: GitRemote, *, push: bool = False) -> RemoteRefs:
    """Ask a remote for its refs.

    Args:
        push: Whether to ask where pushes go.

    Raises:
        RemoteError: It is not there, refuses, or gives no answer.

    Cost: one connection; some 60 bytes for each ref of the remote, of whatever kind, for git
        lists all of them or none (the patterns of `git ls-remote` are applied here).
    """
    return sort_refs(remote, _list(git, remote, push=push))


def ask_ref(git: Git, remote: GitRemote, ref: str, *, push: bool = False) -> str | None:
    """Ask a remote what one ref names there; None where it has no such ref.

    Args:
        ref: Its name here, `refs/repro/…`.
        push: Whether to ask where pushes go.

    Raises:
        RemoteError: It is not there, refuses, or gives no answer.

    Cost: as `list_remote`.
    """
    name = remote.carried(ref)
    for match in _LINE.finditer(_list(git, remote, name, push=push)):
        if os.fsdecode(match[2]) == name:
            return match[1].decode()
    return None


def _list(git: Git, remote: GitRemote, *patterns: str, push: bool) -> bytes:
    words = ("--refs", "--", remote.source(push=push), *patterns)
    asked = git.run("ls-remote", *words, ok=ANY_CODE)
    if asked.code != 0:
        host = remote.push_host if push else remote.host
        # It died of the signal, and said nothing, where the other end left before it was asked.
        said = asked.err or ("Broken pipe" if asked.code == -signal.SIGPIPE else "")
        raise explain_fault(said, name=remote.label, host=host, doing="read")
    return asked.out


def sort_refs(remote: GitRemote, listed: bytes) -> RemoteRefs:
    """Sort what `git ls-remote` prints by what it is to us."""
    found: dict[str, dict[str, str]] = {"runs": {}, "live": {}, "archive": {}, "sweeps": {}}
    odd: list[str] = []
    others: dict[str, str] = {}
    below = f"{remote.carrier}/"
    for match in _LINE.finditer(listed):
        oid, ref = match[1].decode(), os.fsdecode(match[2])
        kind, _, name = ref.removeprefix(below).partition("/")
        if not ref.startswith(below) or kind not in found:
            others[ref] = oid
        elif is_id(name):
            found[kind][name] = oid
        else:
            odd.append(ref)
    return RemoteRefs(found["runs"], found["live"], found["archive"], odd, others, found["sweeps"])


def find_host(url: str) -> str:
    """The host of an address, with its port if one is given; empty for a path."""
    if match := _URL.match(url):
        return "" if match[1].lower() == "file" else escape(match[2])
    match = _SCP.match(url)
    return escape(match[1]) if match else ""


def _find_default(git: Git, config: _Config, *, push: bool) -> str:
    remotes = config.remotes
    asked = git.run("symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1, 128))
    branch = os.fsdecode(asked.out).removesuffix("\n")
    upstream = config.get(f"branch.{branch}.remote") if branch else None
    pushing = (
        config.get(f"branch.{branch}.pushremote") if branch else None,
        config.get("remote.pushdefault"),
    )
    candidates = (
        *(pushing if push else ()),
        upstream if upstream != "." else None,
        "origin" if "origin" in remotes else None,
        remotes[0] if len(remotes) == 1 else None,
    )
    chosen: str | None = next(filter(None, candidates), None)
    if chosen is not None:
        return chosen
    if remotes:
        listed = ", ".join(f"`{escape(one)}`" for one in remotes)
        raise RemoteError(
            f"which remote is meant? there are {listed}", hint=f"name one, such as `{remotes[0]}`"
        )
    raise RemoteError(
        "this repository has no git remote to share runs through",
        hint="`git remote add origin URL` adds one",
    )


def _address(git: Git, name: str, *options: str) -> str:
    asked = git.run("remote", "get-url", *options, "--", name, ok=(0, 2, 128))
    url = os.fsdecode(asked.out).split("\n")[0]
    if asked.code != 0 or not url:
        raise RemoteError(
            f"remote `{escape(name)}` has no address", hint=f"`git remote set-url {name} URL`"
        )
    return url


def _carrier(git: Git, config: _Config, name: str) -> str:
    carrier = config.get(f"repro.{name}.carrier")
    if carrier is None:
        return CARRIER
    probe = git.run("check-ref-format", f"{carrier}/runs/x", ok=ANY_CODE)
    if probe.code != 0 or not carrier.startswith("refs/") or carrier.endswith("/"):
        raise InvalidInputError(
            f"`git config repro.{escape(name)}.carrier` is `{escape(carrier[:80])}`, under which"
            " there can be no refs",
            hint=f"`git config repro.{escape(name)}.carrier refs/heads/repro`",
        )
    return carrier


def _is_address(text: str, cwd: Path) -> bool:
    if text.startswith("-"):
        return False
    if "://" in text or "::" in text or _SCP.match(text):
        return True
    return ("/" in text or text in (".", "..")) or (cwd / text).is_dir()
