"""Pages as tests look at them: their text, and whether anything in them could run."""

import re
from html import unescape
from urllib.parse import quote

# The bypasses of fixes of MLflow's path traversals, and their like.
TRAVERSALS = (
    "%2e%2e",
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "%252e%252e%252fetc%252fpasswd",
    "..%5c..%5cetc%5cpasswd",
    "..;/..;/etc/passwd",
    "x%23/../../etc/passwd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "%00",
    "train.py%00",
    "/proc/self/root/etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd",
    ".git/config",
    "%2e%67it/config",
)
_LIVE = re.compile(r"<script(?![^>]* src=\"/static/)|<[^>]+ (?:on\w+|style)=|javascript:", re.I)


def assert_inert(html: str) -> None:
    """Nothing in a page is a script, a style or a handler of its own."""
    found = _LIVE.search(html)
    assert found is None, html[max(0, found.start() - 100) : found.end() + 100]


def text_of(html: str) -> str:
    """The words of a page, one space between two; colours divide none."""
    joined = re.sub(r"</?span[^>]*>", "", html)
    return " ".join(unescape(re.sub("<[^>]*>", " ", joined)).split())


def in_path(name: str | bytes) -> str:
    """A name as one part of an address."""
    return quote(name if isinstance(name, bytes) else name.encode(), safe="")
