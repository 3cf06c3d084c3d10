import io
import sys

import pytest
from tests.support import git
from tests.support.projects import make_run, open_here
from tests.support.records import make_record, write_run

from repro.cli.consent import ask_consent
from repro.core.query import resolve_run
from repro.errors import ConsentError

HOSTILE = {
    "command": ("sh", "-c", "echo \x1b[2J"),
    "user": "Eve\u202e",
    "host": "h\n",
    "data": {"d\x1b": {"path": "data/x\x1b", "digest": "x"}},
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def foreign(repository):
    """The project, and the record of a run that nobody here made."""
    project = open_here(repository)
    record = write_run(project.repository, make_record(snapshot=None))
    return project, resolve_run(project, record.run.id)


def answer(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", Terminal(text))


def test_ones_own_run_asks_nothing(repository, capsys):
    project = open_here(repository)
    run = make_run(project)

    ask_consent(project, resolve_run(project, run.id), yes=False, what="execute its command")

    assert capsys.readouterr() == ("", "")


def test_yes_is_enough(foreign, capsys):
    ask_consent(*foreign, yes=True, what="execute its command")

    assert capsys.readouterr() == ("", "")


def test_without_a_terminal_a_foreign_run_is_refused_and_shown(foreign, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

    with pytest.raises(ConsentError) as raised:
        ask_consent(*foreign, yes=False, what="execute its command")

    assert raised.value.exit_code == 1
    assert raised.value.hint == "`--yes` agrees to execute its command"
    said = capsys.readouterr().err
    assert "by Ada on engine" in said
    assert "python train.py" in said
    assert "as the working tree" in said


def test_without_any_standard_input_a_foreign_run_is_refused(foreign, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(ConsentError):
        ask_consent(*foreign, yes=False, what="execute its command")


def test_on_a_terminal_yes_goes_on(foreign, monkeypatch, capsys):
    answer(monkeypatch, "y\n")

    ask_consent(*foreign, yes=False, what="execute its command")

    assert "Execute its command?" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["n\n", "\n"])
def test_on_a_terminal_anything_else_is_a_refusal(foreign, monkeypatch, text):
    answer(monkeypatch, text)

    with pytest.raises(ConsentError):
        ask_consent(*foreign, yes=False, what="execute its command")


def test_what_a_terminal_would_obey_is_shown_escaped(repository, monkeypatch, capsys):
    project = open_here(repository)
    record = write_run(project.repository, make_record(**HOSTILE))
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(ConsentError):
        ask_consent(project, record, yes=False, what="execute its command")

    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_long_lists_are_cut(repository, monkeypatch, capsys):
    for number in range(30):
        (repository / f"file-{number:02}.py").write_text("x = 1\n")
    project = open_here(repository)
    run = make_run(project)
    git(repository, "clean", "-qfd")
    monkeypatch.setattr(sys, "stdin", None)
    for place in (repository / ".git/repro/own").iterdir():
        place.unlink()

    with pytest.raises(ConsentError):
        ask_consent(project, resolve_run(project, run.id), yes=False, what="execute its command")

    said = capsys.readouterr().err
    assert "file-09.py" in said
    assert "file-10.py" not in said
    assert "… and 20 more" in said
    assert "30 files changed, 30 insertions(+)" in said
