"""Keys and passwords in the content of a file, by what they look like."""

import math
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

from repro.model.marking import Marker
from repro.model.secretrules import SHAPES
from repro.model.secrets import is_secret_name

RULES = 1  # goes up with every rule that finds more: what was clean by older rules is read again
LONGEST = 20 << 20  # bytes of a text that are looked at
LONGEST_BINARY = 1 << 20
_BINARY_LOOK = 8000  # git takes a file for binary by a NUL in so many bytes
_MOST = 100  # secrets that are named of one file
_NEAR = 600  # bytes around a name in which its value is looked for
_LONG_VALUE = 200
_LONGEST_PEM = 16 << 10

# What a name that holds a secret has in it, in lower case; few, for each is a search of its own.
_HINTS = (
    b"passw", b"passphrase", b"pwd", b"secret", b"token", b"credential", b"bearer ", b"_pass",
    b"_pat", b"_key", b"-key", b"apikey", b"accesskey", b"accountkey", b"privatekey",
    b"authorization",
)  # fmt: skip
_KEYS = re.compile(rb"(?:api|access|private|signing|encryption|account|storage|license)\Z")
# Files in which what stands behind `=` or `:` is a value without quotes, not code.
_PLAIN_VALUES = re.compile(
    r"(?:\A|[./_-])(?:env|ini|cfg|conf|config|properties|toml|ya?ml|netrc|envrc)(?:\Z|[._-])"
)
_PLACEHOLDER = re.compile(
    rb"(?i)example|sample|placeholder|dummy|fake|change[-_ ]?(?:me|it)|your|my[-_]?(?:api|key|tok"
    rb"|secret|pass)|xxx|\*\*\*|\.\.\.|todo|redacted|insert|replace"
    rb"|(?:test|some|super|top|the)[-_ ]?(?:secret|token|pass|key|pw)|p[a@4][s5$]{2}[-_]?w[o0]?r?d"
    rb"|secret(?:[-_]?key)?\Z|<|>|\$|\{|%[(s]|deadbeef|0123456|1234567|abcdef"
    rb"|qwerty|foobar|lorem|not[-_ ]?a[-_ ]|none|null|undefined"
)
# In a key that a service gave out any letters can come together by chance; these cannot.
_NO_KEY = re.compile(
    rb"(?i)example|placeholder|your|xxxx|\*\*\*|\.\.\.|redacted|change_?me|0{9}|1234567890"
    rb"|abcdefghij|fake|dummy"
)
# Names of things, which look random and open nothing.
_NAMES_A_THING = re.compile(
    rb"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:md5|sha\d+)[:=-].*|[~./].*|[A-Za-z]:[\\/].*"
    rb"|[a-z_]\w*(?:\.[a-z_]\w*)+|.*(?:://|\().*|.*\.(?:json|ya?ml|txt|py|html?|pem|crt|svg|js|png)"
)
_WORD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
# Every character of a word as one, every other as another: a long word is then found by `find`,
# some 450 MB/s; no pattern of `re` makes more than 60.
_MASK = bytes(87 if code in _WORD else 32 for code in range(256))  # 87 is W
_SHORTEST_KEY = 16
# Behind these a word begins with the letters of an escape, or digits of a colour.
_ESCAPES = frozenset(b"\\%[;")
_BEHIND = tuple(
    start
    for shape in SHAPES
    for start in shape.starts
    if start.strip(_WORD) != b"" and start[-1:] not in _WORD
)


class Found(NamedTuple):
    """A secret in a file.

    Attributes:
        rule: What it looks like.
        line: From 1.
        fingerprint: Of the secret, in this clone (`Marker.fingerprint`).
    """

    rule: str
    line: int
    fingerprint: str


class _Hit(NamedTuple):
    rule: str
    start: int
    secret: bytes


def find_secrets(data: bytes, path: str, marker: Marker) -> tuple[Found, ...]:
    """Give the keys and passwords in `data`, by line.

    Only what is one with great likelihood: placeholders, names of variables and words of a
    sentence are none. Not found is what is encoded once more, compressed, or in pieces.

    Args:
        path: Of the file: in a configuration, values stand without quotes.

    Cost: some 50 MB/s of source; at most `LONGEST` bytes are looked at, of a binary file
        `LONGEST_BINARY`.
    """
    data, is_text = _readable(data)
    hits = list(islice(_shaped(data), _MOST))
    if is_text:
        shaped = [*hits]
        written = _written(data, takes_plain(path))
        apart = (hit for hit in written if not any(_overlap(hit, one) for one in shaped))
        hits += islice(apart, _MOST)
    found: dict[int, Found] = {}
    line, done = 1, 0
    for hit in sorted(hits, key=lambda hit: hit.start):
        line += data.count(b"\n", done, hit.start)
        done = hit.start
        found[hit.start] = Found(hit.rule, line, marker.fingerprint(hit.secret))
    return tuple(found.values())


def _overlap(a: _Hit, b: _Hit) -> bool:
    return a.start < b.start + len(b.secret) and b.start < a.start + len(a.secret)


def takes_plain(path: str) -> bool:
    """Whether values stand without quotes in a file of this name."""
    return _PLAIN_VALUES.search(path.rpartition("/")[2].lower()) is not None


def _readable(data: bytes) -> tuple[bytes, bool]:
    """The part that is looked at, and whether it is text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # what PowerShell's `>` writes
        return data[:LONGEST].decode("utf-16", errors="replace").encode(), True
    if b"\0" in data[:_BINARY_LOOK]:
        return data[:LONGEST_BINARY], False
    return data[:LONGEST], True


def _each(data: bytes, word: bytes) -> Iterator[int]:
    place = data.find(word)
    while place >= 0:
        yield place
        place = data.find(word, place + len(word))


@cache
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern)


@cache
def _starts() -> re.Pattern[bytes]:
    """What the keys begin with whose start is a part of a word."""
    return re.compile(b"|".join(re.escape(start) for start in _RULES if start not in _BEHIND))


_RULES = {start: shape for shape in SHAPES for start in shape.starts}
_LONGEST_BEHIND = max(map(len, _BEHIND))


def _shaped(data: bytes) -> Iterator[_Hit]:
    """Keys that tell by themselves what they are."""
    for place, start in _beginnings(data):
        shape = _RULES[start]
        match = _compiled(shape.rest).match(data, place + len(start))
        if match is None:
            continue
        secret = data[place : match.end()]
        if _is_key(secret, mixed=shape.mixed):
            yield _Hit(shape.rule, place, secret)
            if shape.rule.startswith("AWS"):
                yield from _beside(data, match.end())
    yield from _private_keys(data)
    yield from _in_urls(data)
    yield from _by_their_middle(data)


def _beginnings(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Where a long word begins as a key does, and with what."""
    mask = data.translate(_MASK)
    long = b"W" * _SHORTEST_KEY
    starts = _starts()
    place = mask.find(long)
    while place >= 0:
        end = mask.find(b" ", place)
        if end < 0:
            end = len(data)
        before = data[place - 1] if place else 32
        match = starts.match(data, place, end)
        if match is None and before in _ESCAPES:
            match = starts.search(data, place, min(end, place + 12))
        if match is not None:
            yield match.start(), match[0]
        elif before in b"./":
            head = data[max(0, place - _LONGEST_BEHIND) : place]
            for start in _BEHIND:
                if head.endswith(start):
                    yield place - len(start), start
        place = mask.find(long, end)


def _is_key(secret: bytes, *, mixed: bool) -> bool:
    if mixed and (len(set(secret) & set(b"0123456789")) < 2 or _bits(secret) < 3.3):
        return False
    return _NO_KEY.search(secret) is None and len(set(secret)) >= 8


def _bits(word: bytes) -> float:
    """Entropy of the letters of a word, in bits a letter.

    Source: C. E. Shannon, "A Mathematical Theory of Communication", 1948.
    """
    shares = [word.count(letter) / len(word) for letter in set(word)]
    return -sum(share * math.log2(share) for share in shares)


def _beside(data: bytes, place: int) -> Iterator[_Hit]:
    """The secret half of an AWS key, which stands behind the other one and has no shape."""
    pattern = rb"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
    for match in _compiled(pattern).finditer(data, place, place + _NEAR):
        word = match[0]
        if (
            _bits(word) > 4
            and re.search(rb"[0-9]", word)
            and re.search(rb"[a-z].*[A-Z]|[A-Z].*[a-z]", word)
        ):
            yield _Hit("AWS secret key", match.start(), word)
            return


def _private_keys(data: bytes) -> Iterator[_Hit]:
    """PEM and OpenSSH keys, in a text of a program or of JSON too."""
    pattern = rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    for place in _each(data, b"-----BEGIN "):
        match = _compiled(pattern).match(data, place)
        if match is None:
            continue
        body = data[match.end() : match.end() + _LONGEST_PEM].partition(b"-----")[0]
        letters = re.sub(
            rb"\\[nr]|(?m:^[ \t\"']*(?:Proc-Type|DEK-Info|Version|Comment):.*$)", b"", body
        )
        letters = re.sub(rb"[\s\"',+\\#]", b"", letters)
        run = re.match(rb"[A-Za-z0-9+/=]*", letters)
        if (
            run
            and len(run[0]) >= 60
            and len(set(run[0])) > 12
            and _NO_KEY.search(run[0][:200]) is None
        ):
            yield _Hit("private key", place, run[0])


def _in_urls(data: bytes) -> Iterator[_Hit]:
    """Passwords and tokens before the `@` of a URL, and signatures behind its `?`."""
    user = rb"([^\s/:@\"'`<>\\]{0,80})(?::([^\s/@\"'`<>\\]{1,200}))?@[A-Za-z0-9\[][\w.\]-]*"
    for place in _each(data, b"://"):
        match = _compiled(user).match(data, place + 3)
        if match is None:
            continue
        name, password = match.groups()
        if password is None:
            is_token = len(name) >= 20 and _is_random(name) and _NO_KEY.search(name) is None
            if is_token:
                yield _Hit("token in a URL", match.start(1), name)
        elif _is_password(password) and name != password:
            yield _Hit("password in a URL", match.start(2), password)


def _by_their_middle(data: bytes) -> Iterator[_Hit]:
    """Keys that have their mark somewhere inside."""
    for place in _each(data, b"sig="):
        signed = _compiled(rb"(?:[A-Za-z0-9+/]|%2[BbFf]){43}(?:=|%3[Dd])").match(data, place + 4)
        if signed and data[place - 1 : place] in (b"?", b"&", b";"):
            yield _Hit("signature in a URL", place + 4, signed[0])
    for place in _each(data, b"Q~"):
        azure = _compiled(rb"(?<![\w~.-])[\w~.]{3}[0-9]Q~[\w~.-]{31,34}(?![\w~.-])")
        if (client := azure.match(data, max(0, place - 4))) and _is_key(client[0], mixed=True):
            yield _Hit("Azure client secret", client.start(), client[0])
    for place in _each(data, b":AA"):
        bot = _compiled(rb"(?<!\d)\d{8,10}:AA[\w-]{33}(?![\w-])")
        if telegram := bot.search(data, max(0, place - 10), place + 40):
            yield _Hit("Telegram bot token", telegram.start(), telegram[0])
    for start in (b"AccountKey=", b"SharedAccessKey="):
        for place in _each(data, start):
            azure = _compiled(rb"[A-Za-z0-9+/]{42,86}={1,2}")
            account = azure.match(data, place + len(start))
            if account and _is_key(account[0], mixed=True):
                yield _Hit("Azure key", account.start(), account[0])


_QUOTED = (
    rb"[\w.-]{0,40}\\?[\"']?\]?[ \t]{0,8}(?::[ \t]*[A-Za-z][\w\[\]. |]{0,30}[ \t]*=|=>|:=|[=:])"
    rb"[ \t]*\(?[rbuf]?\\?[\"']([^\s\"'\\]{8,512}+)\\?[\"']"
)
# `os.environ.setdefault("API_KEY", "…")`
_ARGUMENT = rb"[\w.-]{0,40}\\?[\"'],[ \t]*\\?[\"']([^\s\"'\\]{8,512}+)\\?[\"']\s*\)"
_UNQUOTED = rb"[\w.-]{0,40}[ \t]{0,8}[=:][ \t]*([^\s\"'\\#,;&|()\[\]]{8,512}+)(?=[\s,;&]|\Z|\\n)"
# A line of shell, in any file.
_ASSIGNED = rb"[A-Z0-9_]{0,40}=([^\s\"'\\#,;&|()\[\]`]{8,512}+)(?=[\s,;&\"'\\`]|\Z)"
_OPTION = rb"[\w.-]{0,40}[= ][ \t]{0,3}([^\s\"'\\#,;&|()\[\]`]{12,512}+)(?=[\s,;&\"'\\`]|\Z)"
_AUTHORIZED = (
    rb"(?i)(?:authorization)?\\?[\"']?\s*[:=,]?\s*[fb]?\\?[\"']?(?:bearer|basic|token)"
    rb"\s+([\w.~+/-]{16,512}=*)"
)
_NETRC = rb"\bmachine\s+\S+\s+login\s+\S+\s+password\s+(\S{4,})"
_ARGUMENT_LEAD = re.compile(rb"\(\s*\\?[\"']\Z")
# Of a secret, but none itself; and tokens that only mark a place in a list.
_OF_A_SECRET = re.compile(
    r"(?i)(?:id|ids|ur[il]|arn|time|date|at|used|name|path|file|type|hash|digest)\Z|authenticat|authori[sz]er"
    r"|(?:change|continuation|pagination|next|starting|request|update|client|page|lock)[-_]?token"
)
_NAME = _WORD + b"."
_TAIL = re.compile(rb"[\w.-]*")


def _written(data: bytes, takes_plain_values: bool) -> Iterator[_Hit]:
    """What is assigned to a name that says it is a secret."""
    lower = data.lower()
    for hint in _HINTS:
        busy = 0
        for place in _each(lower, hint):
            if place < busy:
                continue
            hit, end = _assigned(data, place, hint, takes_plain_values)
            if hit is not None:
                yield hit
            if end - place > _LONG_VALUE:  # names in a long value are no business of ours
                busy = end
    if b"machine" in lower:
        for match in _compiled(_NETRC).finditer(data):
            if _is_password(match[1]):
                yield _Hit("password in a netrc", match.start(1), match[1])


def _assigned(data: bytes, place: int, hint: bytes, plain: bool) -> tuple[_Hit | None, int]:
    """The secret that the name around `place` has, and how far was looked for it."""
    after = place + len(hint)
    end = after + _NEAR
    if hint in (b"authorization", b"bearer "):
        match = _compiled(_AUTHORIZED).match(data, place, end)
        if match and _is_random(match[1]) and _PLACEHOLDER.search(match[1]) is None:
            return _Hit("token in a header", match.start(1), match[1]), 0
        return None, 0
    if hint[1:] == b"key" and _KEYS.search(data[max(0, place - 10) : place].lower()) is None:
        return None, 0
    near = data[max(0, place - 60) : place]
    head = near[len(near.rstrip(_NAME)) :]
    start = place - len(head)
    lead = data[max(0, start - 8) : start]
    if lead[-1:] in (b":", b"/"):  # the name of a type, part of a path
        return None, 0
    reach = 0
    is_argument = _ARGUMENT_LEAD.search(lead) is not None
    for pattern in [_ARGUMENT] if is_argument else _patterns(head, plain):
        match = _compiled(pattern).match(data, after, end)
        if match is None:
            continue
        reach = max(reach, match.end())
        tail = _TAIL.match(data, after, match.start(1))
        name = (head + data[place:after] + (tail[0] if tail else b"")).decode(errors="replace")
        if is_secret_name(name) and not _OF_A_SECRET.search(name) and _is_value(match[1], name):
            return _Hit(f"value of `{name.strip('-')[-60:]}`", match.start(1), match[1]), reach
    return None, reach


def _patterns(head: bytes, plain: bool) -> Iterator[bytes]:
    yield _QUOTED
    if plain:
        yield _UNQUOTED
    if head.startswith(b"--"):
        yield _OPTION
    elif not re.search(rb"[a-z.-]", head):
        yield _ASSIGNED


def _is_value(value: bytes, name: str) -> bool:
    if _PLACEHOLDER.search(value) is not None or _NAMES_A_THING.fullmatch(value):
        return False
    if "pass" in name.lower() or "pwd" in name.lower() or "secret" in name.lower():
        return _is_password(value)
    return len(value) >= 16 and _is_random(value)


def _is_password(value: bytes) -> bool:
    """Whether a person or a machine made this up for nobody to guess."""
    if _PLACEHOLDER.search(value) is not None or len(value) < 6:
        return False
    kinds = [re.search(kind, value) for kind in (rb"[0-9]", rb"[a-z]", rb"[A-Z]", rb"[^\w.\-/]")]
    count = sum(kind is not None for kind in kinds)
    if len(value) >= 16:
        return _is_random(value)
    return (
        count >= 2
        and kinds[0] is not None
        and len(set(value)) >= 6
        and (count >= 3 or _bits(value) >= 2.8)
    )


def _is_random(value: bytes) -> bool:
    digits = sum(48 <= letter < 58 for letter in value)
    letters = sum(chr(letter).isalpha() for letter in value)
    return digits >= 2 and letters >= 2 and _bits(value) >= 3.2
