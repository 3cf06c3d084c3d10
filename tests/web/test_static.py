"""Our own scripts: each import leads somewhere, and what a page fetches ahead is what it needs."""

import re
from pathlib import Path

import repro.web

WEB = Path(repro.web.__file__).parent
SCRIPTS = {path.name: path.read_text() for path in (WEB / "static").glob("*.js")}
_IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"\./([\w.]+)";', re.M)
_EXPORT = re.compile(r"^export (?:async )?(?:function|class|const|let) (\w+)", re.M)


def needed_by(name: str) -> set[str]:
    """The scripts that a script imports, and those that these import."""
    found: set[str] = set()
    left = [name]
    while left:
        new = {script for _, script in _IMPORT.findall(SCRIPTS[left.pop()])} - found
        found |= new
        left += new
    return found


def test_scripts_import_what_there_is_and_export_what_is_imported():
    exported = {(name, word) for name, text in SCRIPTS.items() for word in _EXPORT.findall(text)}
    imported = {
        (script, word.split(" as ")[0].strip())
        for text in SCRIPTS.values()
        for words, script in _IMPORT.findall(text)
        for word in words.split(",")
        if word.strip()
    }

    assert exported == imported


def test_every_script_is_in_a_page():
    html = "".join(path.read_text() for path in (WEB / "templates").rglob("*.html"))
    roots = {name for name in SCRIPTS if f'<script type="module" src="/static/{name}"' in html}

    assert set(SCRIPTS) == roots.union(*map(needed_by, roots))


def test_the_page_that_compares_fetches_its_scripts_ahead():
    html = (WEB / "templates/compare.html").read_text()
    [words] = re.findall(r"for name in \(([^)]*)\)[^\n]*modulepreload", html)

    assert needed_by("compare.js") | {"live.js"} == {
        f"{word}.js" for word in re.findall(r"\w+", words)
    }
