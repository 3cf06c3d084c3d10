import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.projects import make_run, open_here

TOOLS = Path(sys.executable).parent


def repro(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "repro", *words],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


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

    assert done.stdout == "baseline\n"


def test_a_name_that_a_shell_would_execute_is_not_offered(repository):
    run = make_run(open_here(repository), name="$(touch pwned)x")

    assert complete("show", "") == [run.id[:6]]


def test_the_words_of_a_command_are_completed_as_files():
    done = repro(
        _REPRO_COMPLETE="bash_complete", COMP_WORDS="repro run -- python tr", COMP_CWORD="4"
    )

    assert done.stdout.startswith("file,")
