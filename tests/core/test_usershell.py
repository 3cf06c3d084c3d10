"""A shell that is in the environment it was given, whatever its start-up files say."""

import subprocess

import pytest
from tests.support import write_files

from repro.core.usershell import user_shell

GIVEN = {"PATH": "/it's here/bin:/usr/bin:/bin", "VIRTUAL_ENV": "/it's here"}
RC = "export PATH=/shims:$PATH VIRTUAL_ENV=/conda PYTHONPATH=/mine; alias mine='echo an alias'\n"


def test_bash_reads_the_users_file_and_then_gets_its_environment_again(tmp_path):
    write_files(tmp_path, {".bashrc": RC})
    typed = 'echo "$PATH|$VIRTUAL_ENV|${PYTHONPATH-none}"\nmine\n'

    with user_shell("/bin/bash", GIVEN) as shell:
        done = subprocess.run(
            [*shell.argv, "-i"],
            input=typed,
            env={**GIVEN, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )

    assert shell.is_sure
    assert done.stdout == "/it's here/bin:/usr/bin:/bin|/it's here|none\nan alias\n"


def test_fish_is_told_after_its_own_file():
    with user_shell("/usr/bin/fish", {"PATH": r"/it's:/a\b"}) as shell:
        assert shell.is_sure

    assert shell.argv[:2] == ("/usr/bin/fish", "-C")
    assert shell.argv[2].startswith(r"set -gx PATH '/it\'s' '/a\\b'; set -e VIRTUAL_ENV")


@pytest.mark.parametrize(("program", "is_sure"), [("/bin/sh", True), ("/bin/zsh", False)])
def test_another_shell_is_started_as_it_is(program, is_sure):
    with user_shell(program, GIVEN) as shell:
        assert (shell.argv, shell.is_sure) == ((program,), is_sure)
