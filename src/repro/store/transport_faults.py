"""What git, ssh and hosts say when a transfer fails, as an error a person can act on."""

import re
import shlex
from dataclasses import dataclass

from repro.errors import RemoteError
from repro.model.marking import MARK
from repro.model.secrets import redact_text
from repro.model.text import escape

_LONGEST = 300  # characters of what somebody else said
_MOST_HEARD = 1 << 14  # characters of it that are looked through

# Lines that say nothing of the cause, or that only follow another one.
_EMPTY = re.compile(
    r"hint:|warning:|remote: *$|To |From |Pushing to |Everything up-to-date|POST git-|send-pack: "
    r"|and the repository exists\.|Please make sure you have the correct access rights"
    r"|error: failed to push some refs|fatal: the remote end hung up unexpectedly$"
    r"|fatal: Could not read from remote repository\.|(?:Enumerating|Counting|Compressing) objects"
    r"|(?:Writing|Delta|Receiving|Unpacking) |Total \d|remote: (?:Resolving|Compressing|Counting)"
)
# git ends with this whatever it was; of access rights nobody else spoke.
_EPILOGUE = re.compile(r"Please make sure you have the correct access rights\s+and the [^\n]*")
_MARK = re.compile(r"^(?:remote: )?(?:(?:fatal|error|ERROR): )*")


@dataclass(frozen=True, slots=True)
class _Saying:
    pattern: str
    reason: str
    hint: str


# The first that fits counts: what tells the cause stands above what only follows from it.
_SAYINGS = (
    _Saying(
        r"No space left on device|Out of diskspace|Disk quota exceeded|disk quota|out of disk",
        "there is no space left on the disk",
        "free space there, then run the command again",
    ),
    _Saying(
        r"attempt to fetch/clone from a shallow repository|shallow update not allowed",
        "this clone is shallow, and it takes no history with gaps",
        "`git fetch --unshallow` gets the rest of the history",
    ),
    _Saying(
        r"mismatched algorithms|remote repository object format|hash algorithm",
        "it uses another object format (SHA-1 and SHA-256 do not mix)",
        "push to a repository made with `git init --object-format` as this one",
    ),
    _Saying(
        r"Repository not found|repository '[^\n]*' not found|does not appear to be a git repository"
        r"|project you were looking for could not be found|not a git repository"
        r"|Could not find repository|No such project|repository not exported"
        r"|access denied or repository|Repository does not exist|does not exist or you do not have"
        r"|The requested URL returned error: 404|repository '[^\n]*' does not exist",
        "there is no such repository, or it is not yours to see",
        "`git remote -v` shows where it points, `git ls-remote {name}` tries it",
    ),
    _Saying(
        r"Host key verification failed",
        "ssh does not know its host key",
        "`ssh {host}` once, and compare the fingerprint with what the host publishes",
    ),
    _Saying(
        r"Authentication failed|Invalid username or (?:token|password)|HTTP Basic: Access denied"
        r"|Password authentication is not supported|Support for password authentication was removed"
        r"|Logon failed|Bad credentials",
        "it does not take the user name and password that git has",
        "correct them in the address or the credential helper; `git ls-remote {name}` tries them",
    ),
    _Saying(
        r"could not read Username|could not read Password|terminal prompts disabled"
        r"|No such device or address|returned error: 401|authentication required",
        "it wants a user name and password that git does not have",
        "`git ls-remote {name}` on a terminal asks for them; a credential helper keeps them",
    ),
    _Saying(
        r"Permission denied \((?:publickey|password|keyboard)|Too many authentication failures"
        r"|sign_and_send_pubkey|Load key ",
        "ssh could not log in",
        "`ssh -v {host}` says which keys were tried",
    ),
    _Saying(
        r"Could not resolve host|Name or service not known|nodename nor servname"
        r"|Temporary failure in name resolution|No address associated|unable to look up",
        "its host name is not known",
        "check the network, and the address in `git remote -v`",
    ),
    _Saying(
        r"Connection refused|No route to host|Network is unreachable|Connection timed out"
        r"|Operation timed out|Failed to connect|unable to connect|Couldn't connect"
        r"|Could not connect|Resolving timed out|Connection timeout",
        "there is no connection to it",
        "check the network, and that the server runs; then run the command again",
    ),
    _Saying(
        r"SSL certificate|server certificate|certificate verify|SSL_ERROR|SSL routines|gnutls_"
        r"|unable to get local issuer|TLS (?:connection|handshake|alert)",
        "its certificate is not trusted",
        "check the host; `git config http.sslCAInfo FILE` names the authority of a team's own",
    ),
    _Saying(
        r"service not enabled|The requested URL returned error: 403|403 Forbidden|Write access to "
        r"|not allowed to push|denied to |(?:is|as) read[- ]?only|You are not allowed"
        r"|insufficient permission"
        r"|Permission [^\n]* denied|Permission denied|Your account has been suspended"
        r"|access rights|archived so it is|Read-only file system|Unauthorized|no write permission",
        "it does not let you do that",
        "ask its owner for permission, or push to another remote",
    ),
    _Saying(
        r"remote helper|'remote-[^']*' is not a git command|transport '[^']*' not allowed"
        r"|Unable to find remote helper"
        r"|protocol '[^']*' is not supported",
        "git here cannot speak to an address of that kind",
        "check the address in `git remote -v`",
    ),
    _Saying(
        r"HTTP 413|returned error: 413|Request Entity Too Large|pack exceeds maximum allowed size"
        r"|larger than the maximum|exceeds (?:GitHub|the maximum|the limit)|GH001",
        "what was sent is larger than it takes",
        "push fewer runs at once, or keep large artifacts in the store (`store:` in repro.yaml)",
    ),
    _Saying(
        r"returned error: 5\d\d|Internal Server Error|HTTP 5\d\d|Service Unavailable|Bad Gateway",
        "its server has a fault",
        "run the command again in a while",
    ),
    _Saying(
        r"returned error: 429|Too Many Requests|rate limit",
        "it wants fewer requests",
        "run the command again in a while",
    ),
    _Saying(
        r"bad line length|protocol error|Invalid command|unknown (?:option|capability)|unrecognized"
        r"|expected (?:ACK|packet)|the other end|invalid server response|unexpected flush"
        r"|git-(?:upload|receive)-pack: (?:command )?not found"
        r"|not valid: (?:is this a git|info/refs)",
        "its git is missing, too old, or prints something else first",
        "`git ls-remote {name}` shows what it says; git 2.0 or newer must be installed there",
    ),
    _Saying(
        r"hung up unexpectedly|early EOF|Connection reset|Broken pipe|unexpected disconnect"
        r"|RPC failed|Connection closed|closed by remote host|Connection to [^\n]* closed"
        r"|expected flush after (?:capabilities|ref listing)"
        r"|unpack(?:er)? (?:failed|error)|index-pack (?:failed|died|abnormal)|transfer closed"
        r"|remote unpack failed|write error",
        "the connection was lost half way",
        "run the command again: it goes on with what is missing",
    ),
    _Saying(
        r"Could not read from remote repository",
        "it ended the connection before it answered",
        "run the command again; `git ls-remote {name}` tries it by hand",
    ),
)

_LISTING = "`git remote -v`"  # of no help where an address was given
_NO_REMOTE = "check the address; `git ls-remote {name}` tries it"

# What a server says of one ref that it does not take.
_HIDDEN = re.compile(
    r"hidden ref|deny updating|funny refname|refusing to (?:create|update)|invalid ref"
    r"|not (?:an? )?allowed ref|only (?:branches|heads)|outside of refs/heads|prohibited by Gerrit"
    r"|not permitted to (?:create|update) ref|internal ref|namespace",
    re.IGNORECASE,
)
_HOOK = re.compile(r"hook declined|hook failed|declined|GH0\d\d|protected|policy", re.IGNORECASE)
_MOVED = re.compile(
    r"stale info|fetch first|non-fast-forward|already exists|reference already exists"
    r"|failed to update ref|but expected|remote ref updated since checkout"
    r"|unable to resolve reference",
    re.IGNORECASE,
)
_LOCKED = re.compile(r"cannot lock ref|unable to create '|failed to lock|File exists|incorrect old")
_IN_THE_WAY = re.compile(r"'refs/[^']*' exists; cannot create|there are still refs under 'refs/")
_OTHER_BAD = re.compile(
    r"missing necessary objects|unpacker error|shallow update not allowed|bad pack|unpack"
)


def explain_fault(said: str, *, name: str, host: str, doing: str) -> RemoteError:
    """Give the error that stands for a transfer that failed, by what git and the host said.

    Args:
        said: All that git printed to standard error; from elsewhere, so it is never shown raw.
        name: The remote as the user names it, fit to be shown.
        host: Where it is, fit to be shown; empty on this machine.
        doing: Such as `push to`, `fetch from`, `read`.
    """
    place = f"`{name}`" if not host or host in name else f"`{name}` ({host})"
    said = cut_flood(said)
    words = first_words(said)
    # An address may hold what a shell obeys, and without its password it is of no use.
    typed = "URL" if re.search(MARK, name) else shlex.quote(name)
    is_address = doing == "clone" or "/" in name or ":" in name
    said = _EPILOGUE.sub("", said)
    for saying in _SAYINGS:
        if re.search(saying.pattern, said):
            tail = f" ({words})" if words else ""
            said_hint = _NO_REMOTE if is_address and _LISTING in saying.hint else saying.hint
            hint = said_hint.format(name=typed, host=host or "HOST")
            return RemoteError(f"cannot {doing} {place}: {saying.reason}{tail}", hint=hint)
    reason = words or "git gives no reason"
    return RemoteError(
        f"cannot {doing} {place}: {reason}", hint=f"`git ls-remote {typed}` tries it by hand"
    )


def first_words(said: str) -> str:
    """The line that says most of why a transfer failed, fit to be shown; empty if none does."""
    lines = [line.strip() for line in re.split("[\r\n]", said)]
    telling = [line for line in lines if line and not _EMPTY.match(line)]
    ours = [line for line in telling if line.startswith(("fatal:", "error:", "ERROR:", "ssh:"))]
    theirs = [line for line in telling if line.startswith("remote:")]
    chosen = (theirs or ours or telling or [""])[0]
    if chosen.endswith(":") and chosen != telling[-1]:  # the reason is the next line
        chosen = f"{chosen} {telling[telling.index(chosen) + 1]}"
    return clean(_MARK.sub("", chosen).rstrip("."))


def cut_flood(said: str) -> str:
    """Both ends of what somebody else said: it may be without end, and made to be slow to read."""
    if len(said) <= _MOST_HEARD:
        return said
    return f"{said[: _MOST_HEARD // 2]}\n{said[-_MOST_HEARD // 2 :]}"


def clean(text: str) -> str:
    """A text of somebody else, short, without secrets, fit to be shown."""
    return escape(redact_text(text.strip()[:_LONGEST]))


@dataclass(frozen=True, slots=True)
class RefFault:
    """Why a remote did not take one ref.

    Attributes:
        reason: One line, lower case, fit to be shown.
        hint: The next command; empty where nothing helps.
        is_moved: Somebody else was first: to look again and try again may help.
    """

    reason: str
    hint: str = ""
    is_moved: bool = False


def explain_ref(summary: str, said: str, *, name: str, carrier: str) -> RefFault:
    """Say why a remote did not take one ref.

    Args:
        summary: What git printed beside the ref, such as `[remote rejected] (hook declined)`.
        said: All that git and the remote printed; a hook may tell its reason there.
        carrier: What the refs of runs are under, on that remote.
    """
    words = clean(summary.removeprefix("[remote rejected]").removeprefix("[rejected]").strip(" ()"))
    if _HIDDEN.search(summary):
        return _carried(words, name, carrier)
    if _IN_THE_WAY.search(summary + said):
        return RefFault(
            f"a branch or another ref of the remote is in the way of `{escape(carrier)}/`",
            f"`git config repro.{name}.carrier refs/heads/OTHER` puts runs elsewhere",
        )
    if _LOCKED.search(summary) or _MOVED.search(summary):
        return RefFault(f"somebody else changed it at the same time ({words})", is_moved=True)
    if _OTHER_BAD.search(summary):
        if "shallow" in summary:
            return RefFault(
                "this clone is shallow, and the remote takes no history with gaps",
                "`git fetch --unshallow` gets the rest of the history",
            )
        return RefFault(f"the remote could not store it ({words})", "run the command again")
    if _HOOK.search(summary):
        told = [
            line.removeprefix("remote:").strip()
            for line in said.splitlines()
            if line.startswith("remote:") and line.removeprefix("remote:").strip()
        ]
        why = f": {clean(told[0])}" if told else ""
        return RefFault(
            f"a rule of the remote declined it ({words}{why})",
            _carried(words, name, carrier).hint
            if carrier == "refs/repro"
            else "ask the owner of the remote",
        )
    return RefFault(f"the remote did not take it ({words or 'no reason given'})")


def _carried(words: str, name: str, carrier: str) -> RefFault:
    reason = f"the remote takes no refs under `{escape(carrier)}/` ({words})"
    if carrier.startswith("refs/heads/"):
        return RefFault(reason, "ask the owner of the remote")
    return RefFault(
        reason, f"`git config repro.{name}.carrier refs/heads/repro` has branches carry the runs"
    )
