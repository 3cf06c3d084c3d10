import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import repro
from repro.cli.main import VERBS
from repro.core.environment import capture_environment
from repro.core.query import resolve_run
from repro.core.verify import store_verdict, verify_runs
from repro.model.canonical import format_json
from repro.store import settings
from tests.docs.pages import (
    CLI,
    DOCS,
    EXIT_CODES,
    HOSTILE,
    list_verbs,
    render_cli,
    render_exit_codes,
    render_hostile,
)
from tests.support import write_files
from tests.support.projects import make_run, open_here

ROOT = DOCS.parent
PAGES = [ROOT / "README.md", ROOT / "hooks/README.md", *sorted(DOCS.rglob("*.md"))]
FORMAT = (DOCS / "FORMAT.md").read_text()


def test_the_list_of_hostile_runs_is_made_from_the_table():
    assert HOSTILE.read_text() == render_hostile()


def test_the_reference_of_the_commands_is_what_they_say():
    assert CLI.read_text() == render_cli(), "`python -m tests.docs` writes it anew"


def test_the_reference_of_exit_codes_is_what_the_errors_say():
    page = EXIT_CODES.read_text()

    assert page == render_exit_codes(page), "`python -m tests.docs` writes it anew"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_leads_nowhere(page):
    text = page.read_text()

    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (page.parent / target).resolve().exists(), target


def test_every_page_can_be_reached_from_the_index():
    seen: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)#\s]+\.md)", page.read_text())
        waiting += [(page.parent / link).resolve() for link in links if "://" not in link]

    decisions = set((DOCS / "decisions").iterdir())
    assert set(DOCS.rglob("*.md")) - decisions <= seen


def test_every_module_that_a_page_names_is_there():
    pages = [DOCS / "explanation/architecture.md", *(DOCS / "decisions").glob("*.md")]
    for page in pages:
        for name in set(re.findall(r"`([\w*/]+\.(?:py|js|css|html))`", page.read_text())):
            found = [*(ROOT / "src/repro").rglob(name), *ROOT.glob(name)]
            assert found, (page.name, name)


def test_every_setting_is_documented():
    page = (DOCS / "reference/config.md").read_text()

    for key in settings._TOP_KEYS:
        assert f"| `{key}" in page
    for key in settings._SNAPSHOT_KEYS:
        assert f"| `snapshot.{key}`" in page


def test_every_variable_that_is_read_is_documented():
    page = (DOCS / "reference/config.md").read_text() + (DOCS / "contributing.md").read_text()
    sources = "".join(path.read_text() for path in (ROOT / "src/repro").rglob("*.py"))

    for name in set(re.findall(r'"(REPRO_[A-Z_]+)"', sources)):
        assert f"`{name}" in page, name


def test_every_switch_that_lengthens_a_test_is_documented():
    page = (DOCS / "contributing.md").read_text()
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))

    for name in set(re.findall(r'"(REPRO_CRASH_[A-Z]+)"', tests)):
        assert f"{name}=" in page, name


def test_every_verb_that_prints_json_says_in_which_shape():
    page = (DOCS / "reference/json.md").read_text()
    headings = " ".join(re.findall(r"^## (.+)$", page, re.MULTILINE))

    for verb in list_verbs():
        if any("--json" in param.opts for param in verb.command.params):
            path = verb.command_path.removeprefix("repro ").replace("sweep start", "sweep …")
            assert re.search(rf"`(?:repro )?{path} |`{path}`", page) or path in headings, path


def test_everything_that_python_code_may_use_is_documented():
    page = (DOCS / "reference/sdk.md").read_text()

    for name in vars(repro)["__all__"]:
        if not name.startswith("__"):
            assert re.search(rf"\b{name}\b", page), name


def test_every_verb_is_in_the_changelog_or_the_tutorial():
    page = (DOCS / "changelog.md").read_text()

    for verb in VERBS:
        assert f"`repro {verb}`" in page or f"`{verb}`" in page, verb


def test_every_key_of_a_record_is_in_the_format(repository):
    project = open_here(repository)
    run = make_run(project, {"loss": 1.0}, environment=capture_environment(project, ()))
    ref = f"refs/repro/runs/{run.id}"
    show = project.repository.git.text
    facts = json.loads(show("show", f"{ref}:run.json"))
    summary = json.loads(show("show", f"{ref}:metrics.json"))["metrics"]["loss"]
    paths = show("ls-tree", "-r", "--name-only", ref).split("\n")

    for key in (*facts, *facts["attempts"][0], *summary):
        assert re.search(rf"\b{key}\b", FORMAT), key
    for path in paths:
        known = re.sub(r"/\d+\.csv$", "/<n>.csv", path)
        known = re.sub(r"^editables/.*", "editables/<name>/", known)  # repro itself is in place
        assert f"`{known}`" in FORMAT, path


def test_every_key_of_a_verdict_is_in_the_format(repository):
    project = open_here(repository)
    a, b = (make_run(project, {"loss": loss}) for loss in (1.0, 2.0))
    verdict = verify_runs(project, *(resolve_run(project, one.id) for one in (a, b)))
    store_verdict(project, b.id, verdict)
    show = project.repository.git.text
    facts = json.loads(show("show", f"refs/repro/runs/{b.id}:verdict.json"))
    section = FORMAT.partition("### Verdicts")[2].partition("\n## ")[0]

    for key in (*facts, *facts["metrics"]["loss"], *facts["output"], *facts["first"]):
        assert re.search(rf"\b{key}\b", section), key


def test_every_key_of_an_environment_is_in_the_format(repository):
    write_files(repository, {"uv.lock": "1\n"})
    project = open_here(repository)
    environment = capture_environment(project, ())
    make_run(project, environment=environment)
    record = resolve_run(project, "@").environment
    section = FORMAT.partition("### Environment")[2].partition("\n## ")[0]
    packages = record["packages"]["list"]
    origins = [package["origin"] for package in packages if "origin" in package]

    keys = [*record, *record["packages"], *record["lockfiles"][0], *record["interpreter"]]
    keys += [*record["platform"], *record["hardware"], *(key for one in origins for key in one)]
    for key in {*keys, *(key for package in packages for key in package)}:
        assert re.search(rf"`[^`]*\b{key}\b[^`]*`", section), key


def test_everything_in_the_private_folder_is_in_the_format(repository):
    for words in (["run", "--", "true"], ["ls"], ["checkout", "@"], ["undo"]):
        subprocess.run([sys.executable, "-m", "repro", *words], check=True, capture_output=True)

    for path in (repository / ".git/repro").iterdir():
        name = f"{path.name}/" if path.is_dir() else path.name
        assert f"`{name}`" in FORMAT or f"`{name}<id>/`" in FORMAT, name


def test_the_canonical_form_is_the_one_that_the_format_names():
    value = {"b": [1, 2.5, "é"], "a": {"c": None}}
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False) + "\n"

    assert format_json(value) == text.encode()


def test_promises_that_are_cited_are_made():
    made = set(re.findall(r"\*\*(F\d+)\*\*", FORMAT))
    sections = set(re.findall(r"^#+ (.+)$", FORMAT, re.MULTILINE))
    sources = "".join(
        path.read_text()
        for folder in ("src", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(__file__)
    )

    assert set(re.findall(r"FORMAT\.md (F\d+)", sources)) <= made
    assert set(re.findall(r'FORMAT\.md,? (?:section )?"([^"\n]+)"', sources)) <= sections


def test_the_readme_has_two_commands_and_the_second_one_is_what_everyone_runs():
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"```sh\n(.+)\n```", readme)

    assert len(commands) == 2
    assert commands[0].endswith("repro demo")
    assert f"```sh\n{commands[1]}\n```" in (DOCS / "contributing.md").read_text()
    pattern = re.search(r"grep -m 1 '(.+)' README.md", (ROOT / ".ci/run").read_text())
    assert pattern is not None
    found = [line for line in readme.splitlines() if re.search(pattern[1], line)]
    assert found == [commands[1]]


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "reference/sdk.md"], ids=str)
def test_the_python_of_a_page_runs(page, repository):
    [code] = re.findall(r"```python\n(.+?)```", page.read_text(), re.DOTALL)
    ast.parse(code)
    (repository / "snippet.py").write_text(code)

    done = subprocess.run(
        [sys.executable, "snippet.py"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_glossary_words_are_defined_once():
    page = (DOCS / "reference/glossary.md").read_text()
    words = [row.split("|")[1].strip() for row in page.splitlines() if row.startswith("| ")][1:]

    assert len(words) == len(set(words))


def test_the_list_of_decisions_has_each_by_its_title():
    listed = (DOCS / "decisions/README.md").read_text().splitlines()

    for page in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        title = page.read_text().partition("\n")[0].partition(". ")[2]
        assert f"- [{page.name[:4]}]({page.name}): {title}" in listed


def test_decisions_are_numbered_without_a_gap():
    names = sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*"))

    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
