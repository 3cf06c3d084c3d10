import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import git
from tests.support.projects import begin, make_run, open_here
from tests.support.warm import repro

from repro.core.record import seal_run

TOOLS = Path(sys.executable).parent


def complete(*words: str) -> list[str]:
    """What bash would offer for the last word."""
    done = repro(
        _REPRO_COMPLETE="bash_complete",
        COMP_WORDS=" ".join(["repro", *words]),
        COMP_CWORD=str(len(words)),
    )
    return [line.partition(",")[2] for line in done.stdout.split()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_it_can_read(shell):
    done = repro("completion", shell)

    assert done.returncode == 0
    assert "_REPRO_COMPLETE" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)


def test_verbs_and_options_are_completed():
    assert complete("st") == ["status"]
    assert complete("checkout", "--sa") == ["--save"]
    assert complete("help", "data", "a") == ["add"]
    assert complete("hook", "run", "repro-l") == ["repro-lock", "repro-large-files"]
    assert complete("hook", "install", "repro-l") == []


def test_runs_are_completed_by_id_and_by_name(repository):
    run = make_run(open_here(repository), name="baseline")

    assert complete("show", "base") == ["baseline"]
    assert [word for word in complete("show", run.id[:4]) if run.id.startswith(word)]


def test_outside_of_a_repository_nothing_is_completed_and_nothing_said():
    assert complete("show", "x") == []


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")
@pytest.mark.skipif(not (TOOLS / "repro").exists(), reason="repro is not installed here")
def test_bash_completes_behind_git_too(repository):
    make_run(open_here(repository), name="baseline")
    script = """
        eval "$(repro completion bash)"
        COMP_WORDS=(git repro show base); COMP_CWORD=3
        compopt() { printf "%s " compopt "$@"; }
        _git_repro
        echo "${COMPREPLY[@]}"
        COMP_WORDS=(git repro sweep sh)
        _git_repro
        echo "${COMPREPLY[@]}"
    """

    done = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "baseline\ncompopt -o default show\n"


def test_a_name_that_a_shell_would_execute_is_not_offered(repository):
    run = make_run(open_here(repository), name="$(touch pwned)x")

    assert complete("show", "") == [run.id[:6]]


def test_the_words_of_a_command_are_completed_as_files():
    done = repro(
        _REPRO_COMPLETE="bash_complete", COMP_WORDS="repro run -- python tr", COMP_CWORD="4"
    )

    assert done.stdout.startswith("file,")


def test_the_verbs_of_a_sweep_stand_beside_files():
    done = repro(_REPRO_COMPLETE="bash_complete", COMP_WORDS="repro sweep sh", COMP_CWORD="2")

    assert done.stdout.splitlines() == ["file,sh", "plain,show"]


def test_a_remote_is_the_first_word_and_runs_follow(repository):
    run = make_run(open_here(repository), name="original")
    git(repository, "remote", "add", "origin", ".")

    assert complete("push", "ori") == ["origin", "original"]
    assert complete("push", "origin", "ori") == ["original"]
    assert complete("fetch", "ori") == ["origin"]
    assert complete("pull", "origin", run.id[:4]) == [run.id[:6]]


def test_what_bash_takes_for_three_words_is_one_option_with_its_value(recorded):
    assert complete("ls", "--sort", "=", "va") == ["val/loss"]
    assert complete("show", "--series", "=", "loss", "base") == ["baseline"]
    assert complete("run", "-c", "lr", "=", "0.1", "--na") == ["--name"]


@pytest.fixture
def recorded(repository):
    """A repository with a run that has a bit of everything."""
    live = begin(
        open_here(repository), name="baseline", tags=("v1",), config={"lr": 0.1, "opt": {"lr": 2}}
    )
    live.journal.log(0, 1.0, {"loss": 0.5, "val/loss": 0.25})
    live.journal.append({"k": "end", "t": 2.0, "status": "finished", "exit_code": 0})
    live.journal.close()
    seal_run(open_here(repository), live.dir)
    return repository


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["ls", "--sort", "va"], ["val/loss"]),
        (["ls", "--columns", "lr,va"], ["lr,val/loss"]),
        (["ls", "--columns", "+metrics.va"], ["+metrics.val/loss"]),
        (["ls", "--group-by", "opt"], ["opt.lr"]),
        (["ls", "--where", "opt"], ["opt.lr"]),
        (["ls", "-t", "v"], ["v1"]),
        (["ls", "--status", "ru"], ["running"]),
        (["show", "--series", ""], ["loss", "val/loss"]),
        (["run", "-c", "op"], ["opt.lr="]),
        (["rerun", "-c", "l"], ["lr="]),
        (["find", "l"], ["lr="]),
        (["find", "--this", "-c", "l"], ["lr="]),
        (["rerun", "--metric", "v"], ["val/loss"]),
        (["tag", "baseline", ""], ["v1"]),
        (["watch", "baseline", "lo"], ["loss"]),
    ],
    ids=" ".join,
)
def test_what_runs_have_is_completed(recorded, words, offered):
    assert complete(*words) == offered


def complete_line(line: str) -> list[str]:
    """What bash would offer at the end of a line that ends within quotes."""
    count = len(line.split("'")[0].split())
    done = repro(_REPRO_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(count))
    assert done.stderr == ""
    return [offer.partition(",")[2] for offer in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("repro ls --where 'lr < 1 and va", ["lr < 1 and val/loss"]),
        ("repro ls --where 'status = fi", ["status = finished"]),
        ("repro ls --where 'tag = v", ["tag = v1"]),
        ("repro ls --where 'lr is no", ["lr is not"]),
    ],
)
def test_a_filter_within_quotes_is_completed_word_by_word(recorded, line, offered):
    assert complete_line(line) == offered


def test_a_filter_without_quotes_is_no_more_than_one_word(recorded):
    done = repro(
        _REPRO_COMPLETE="bash_complete", COMP_WORDS=r"repro ls --where lr\ \>\ 1\ and\ va",
        COMP_CWORD="3",
    )  # fmt: skip

    assert done.stdout.strip() == ""


def test_the_folder_that_is_given_is_where_runs_are_looked_for(recorded, monkeypatch):
    monkeypatch.chdir(recorded.parent)

    assert complete("-C", str(recorded), "show", "base") == ["baseline"]
    assert complete("show", "base") == []


def test_a_filter_that_makes_no_sense_completes_to_nothing(recorded):
    assert complete_line("repro ls --where 'lr <> and ((") != []
    assert complete_line("repro ls --where 'lr = \"open") == [""]


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")
@pytest.mark.skipif(not (TOOLS / "repro").exists(), reason="repro is not installed here")
def test_behind_the_equals_sign_of_a_setting_bash_puts_no_space(recorded):
    script = """
        eval "$(repro completion bash)"
        compopt() { printf "%s " compopt "$@"; }
        COMP_WORDS=(repro run -c op); COMP_CWORD=3
        _repro_completion repro
        echo "${COMPREPLY[@]}"
    """

    done = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "compopt -o nospace opt.lr=\n"
