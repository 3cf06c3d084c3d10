"""No address, however odd, gets more than a refusal: not a byte of a file, no failure of ours."""

import re
from urllib.parse import quote

import pytest
from tests.support.projects import make_run, open_here

from repro.web.routes import ROUTES

READ = sorted(
    route.path
    for route in ROUTES
    if "GET" in (route.methods or ())
    and route.path not in ("/live", "/vendor/plotly.js", "/favicon.ico")
)
WORDS = (
    "../../../../../../etc/passwd",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "%252e%252e%252fetc%252fpasswd",
    "..%5c..%5cetc%5cpasswd",
    "..;/..;/etc/passwd",
    "x%23/../../etc/passwd",
    "%2fetc%2fpasswd",
    "%00",
    "%ff%fe",
    "%2fproc%2fself%2froot%2fetc%2fpasswd",
    "file:%2f%2f%2fetc%2fpasswd",
    "--upload-pack=touch%20CANARY",
    "-1",
    "99999999999999999999",
    "1e12",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "%E2%80%AE%1b%5b31m",
)
KEYS = (
    "q", "sort", "columns", "group", "page", "per", "pin", "sel", "run", "a", "b", "metric", "x",
    "low", "high", "smooth", "most", "tab", "base", "all", "at", "log", "step", "path", "from",
)  # fmt: skip
VALUES = (
    "' OR 1=1 --",
    '__import__("os").system("touch CANARY")',
    "(" * 500,
    f"name ~ '(a+)+$' and name ~ '{'a' * 1000}'",
    "../../etc/passwd",
    "nan",
    "1e999",
    "-1",
    "9" * 400,
    "\0",
    "\u202e\x1b[31m<script>",
    ",,,",
)


def _is_harmless(answer, root) -> bool:
    assert answer.status_code < 500, answer.text[-2000:]
    assert "root:x:0" not in answer.text
    assert "Traceback" not in answer.text
    if answer.headers.get("content-type", "").startswith(("text/html", "image/svg+xml")):
        assert "<script>" not in answer.text.replace('<script type="module"', "")
        assert "\x1b" not in answer.text
        assert "\u202e" not in answer.text
    assert not (root / "CANARY").exists()
    return True


@pytest.mark.parametrize("path", READ)
def test_no_word_of_an_address_leads_anywhere_else(repository, browse, path):
    run = make_run(open_here(repository))
    client = browse(repository)
    parts = re.findall(r"{[^}]*}", path)
    for word in WORDS:
        for part in parts:
            address = path.replace("{id}", run.id) if part != "{id}" else path
            address = re.sub(r"{[^}]*}", "0", address.replace(part, word))
            assert _is_harmless(client.get(address), repository), address


@pytest.mark.parametrize("path", READ)
def test_no_value_of_an_address_is_more_than_a_wrong_value(repository, browse, path):
    run = make_run(open_here(repository))
    client = browse(repository)
    address = re.sub(r"{[^}]*}", "0", path.replace("{id}", run.id))
    asked = f"run={run.id}&a={run.id}&b={run.id}"
    for value in VALUES:
        # All at once, and two alone, behind which a first wrong one may hide the others.
        every = "&".join(f"{key}={quote(value)}" for key in KEYS)
        keys = ("q", "group", "sort") if path in ("/", "/compare") else ()
        alone = [f"{key}={quote(value)}" for key in keys]
        for query in (every, *alone, f"{asked}&metric={quote(value)}"):
            assert _is_harmless(client.get(f"{address}?{query}"), repository), value


def test_a_filter_of_ten_thousand_brackets_is_refused(repository, browse):
    make_run(open_here(repository))

    assert _is_harmless(browse(repository).get(f"/?q={'(' * 10_000}"), repository)
