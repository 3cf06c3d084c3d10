import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS
from tests.support.warm import repro

_BLOCK = re.compile(
    r"Save this as `(.+?)`:\n\n```(?:python|yaml)\n(.*?)```|```console\n(.*?)```", re.DOTALL
)


@pytest.mark.parametrize(
    "name",
    [
        "tutorial/first-run.md",
        "how-to/bundle.md",
        "how-to/clean-up.md",
        "how-to/datasets.md",
        "how-to/environments.md",
        "how-to/from-wandb.md",
        "how-to/hooks.md",
        "how-to/plot.md",
        "how-to/media.md",
        "how-to/report.md",
        "how-to/reproduce.md",
        "how-to/share.md",
        "how-to/sweep.md",
        "how-to/sweep-agents.md",
        "how-to/watch.md",
    ],
)
def test_every_block_of_a_page_does_what_it_says(tmp_path, name):
    page = (DOCS / name).read_text().partition("## From Python")[0]
    tools = Path(sys.executable).parent
    path = f"{tools}:{os.environ['PATH']}"
    here = tmp_path

    assert page.count("```") == 2 * len(_BLOCK.findall(page))
    for match in _BLOCK.finditer(page):
        file, code, block = match.groups()
        if file:
            (here / file).write_text(code)
            continue
        for command, expected in _commands(block):
            if command.startswith("cd "):
                here /= command.removeprefix("cd ")
                continue
            said = _run(command, here, path)
            assert re.fullmatch(_pattern(expected), said, re.DOTALL), f"$ {command}\n{said}"


def _commands(block: str) -> list[tuple[str, str]]:
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, expected) for command, _, expected in (p.partition("\n") for p in parts)]


def _run(command: str, here: Path, path: str) -> str:
    if re.fullmatch(r"repro( [\w@./=,:-]+)+", command):  # to which a shell adds nothing
        words = command.split(" ")[1:]
        done = repro(*words, cwd=here, stderr=subprocess.STDOUT, PATH=path)
    else:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=here,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}"
    return done.stdout


def _pattern(expected: str) -> str:
    """`…` stands for any text; blanks within a line count as one."""
    pattern = re.escape(expected).replace("…", ".*?")
    return re.sub(r"(?:\\ )+", r"\\s+", pattern)
