"""A recorded command runs in another tree, and nothing else in it changes."""

import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.model.relocate import relocate

NEW = "/proj/.git/repro/trees/1"


def move(argv, **changes):
    values = {
        "old_roots": ["/proj", "/real/proj"],
        "new_root": NEW,
        "old_prefix": "/proj/.venv",
        "new_bin": "/envs/1/bin",
        **changes,
    }
    return list(relocate(argv, **values))


@pytest.mark.parametrize(
    ("word", "moved"),
    [
        ("/proj/train.py", f"{NEW}/train.py"),
        ("/proj", NEW),
        ("/proj/", f"{NEW}/"),
        ("/proj//data", f"{NEW}//data"),
        ("/real/proj/train.py", f"{NEW}/train.py"),
        ("--data=/proj/data", f"--data={NEW}/data"),
        ("data=/proj/a,/proj/b", f"data={NEW}/a,{NEW}/b"),
        ("/elsewhere:/proj/a:/proj", f"/elsewhere:{NEW}/a:{NEW}"),
        ("['/proj/a', \"/proj/b\"]", f"['{NEW}/a', \"{NEW}/b\"]"),
        ("-I/proj/include", f"-I{NEW}/include"),
        ("@/proj/arguments.txt", f"@{NEW}/arguments.txt"),
        ("file:///proj/x?y=1", f"file://{NEW}/x?y=1"),
        ("sqlite:////proj/x.db", f"sqlite:///{NEW}/x.db"),
        ("/proj/a/../b", f"{NEW}/a/../b"),
        ("/proj/.github/x", f"{NEW}/.github/x"),
        ("/proj/a b/c", f"{NEW}/a b/c"),
        ("copy /proj to there", f"copy {NEW} to there"),
        ("/proj/.venv/bin/python", "/envs/1/bin/python"),
        ("--python=/real/proj/.venv/bin/python", "--python=/envs/1/bin/python"),
    ],
)
def test_paths_into_the_old_tree_lead_into_the_new_one(word, moved):
    assert move(["python", word]) == ["python", moved]


@pytest.mark.parametrize(
    "word",
    [
        "/proj-2/train.py",
        "/proj2",
        "/proj.bak/x",
        "/proj 2/x",
        "/projects",
        "/other/proj/x",
        "~/proj/x",
        "$HOME/proj/x",
        "${HOME}/proj/x",
        "./proj/x",
        "s3://proj/x",
        "https://host/proj/x",
        "me@host:/proj/x",
        "/proj/.git/config",
        "/proj/sub/.git",
        "/proj/a/../.git/x",
        "/proj/../other",
        "/proj/a/../../other",
        f"{NEW}/train.py",
        "/proj/.venv/lib/python3.11/site-packages/x.py",
        "proj/x",
        "",
    ],
)
def test_what_only_looks_like_it_stays(word):
    assert move(["python", word]) == ["python", word]


@pytest.mark.parametrize(
    ("command", "moved"),
    [
        (".venv/bin/python train.py", "/envs/1/bin/python train.py"),
        ("./.venv/bin/torchrun train.py", "/envs/1/bin/torchrun train.py"),
        ("env A=1 .venv/bin/python t.py", "env A=1 /envs/1/bin/python t.py"),
        ("uv run .venv/bin/python t.py", "uv run /envs/1/bin/python t.py"),
        ("nohup time /proj/.venv/bin/x", "nohup time /envs/1/bin/x"),
        ("python .venv/bin/tool", "python /envs/1/bin/tool"),
        ("uv run --python=.venv/bin/python t.py", "uv run --python=/envs/1/bin/python t.py"),
        ("python train.py", "python train.py"),
        ("./run.sh", "./run.sh"),
        ("/usr/bin/python3 t.py", "/usr/bin/python3 t.py"),
    ],
)
def test_programs_of_the_environment_become_those_of_the_new_one(command, moved):
    assert move(command.split()) == moved.split()


def test_a_relative_program_is_found_from_the_folder_that_the_command_runs_in():
    assert move(["../.venv/bin/python"], cwd="sub") == ["/envs/1/bin/python"]
    assert move(["../.venv/bin/python"], cwd=".") == ["/.venv/bin/python"]


@pytest.mark.parametrize(
    ("cwd", "word", "moved"),
    [
        (".", "../data/x", "/data/x"),
        (".", "--data=../data/../more", "--data=/more"),
        ("sub", "../data", "../data"),
        ("sub", "../../data", "/data"),
        (".", "../proj/data", f"{NEW}/data"),
        (".", "../proj/.git/x", "/proj/.git/x"),
        (".", "a/../b", "a/../b"),
        (".", "..", ".."),
    ],
)
def test_a_relative_path_out_of_the_tree_leads_to_where_it_did(cwd, word, moved):
    assert move(["python", word], cwd=cwd) == ["python", moved]


def test_a_hostile_command_takes_no_time():
    words = ["/proj " * 20_000, "me@" * 30_000 + ":/proj", "<redacted>" * 10_000]

    started = time.process_time()
    for line in words:
        move(["sh", "-c", line])
        move(["x", line])

    assert time.process_time() - started < 20


def test_without_a_new_environment_programs_stay_those_of_the_old_one():
    assert move([".venv/bin/python", "/proj/t.py"], new_bin=None) == [
        "/proj/.venv/bin/python",
        f"{NEW}/t.py",
    ]


def test_of_a_prefix_that_is_no_environment_only_python_is_replaced():
    argv = ["/usr/bin/env", "/usr/bin/python3", "/usr/bin/python3-config"]

    assert move(argv, old_prefix="/usr") == [
        "/usr/bin/env",
        "/envs/1/bin/python3",
        "/usr/bin/python3-config",
    ]


@pytest.mark.parametrize(
    ("line", "moved"),
    [
        ("cd /proj && .venv/bin/python t.py", f"cd {NEW} && /envs/1/bin/python t.py"),
        ("cat </proj/a >/proj/b; ls /proj", f"cat <{NEW}/a >{NEW}/b; ls {NEW}"),
        ("python '/proj/a b' \"/proj/c\"", f"python '{NEW}/a b' \"{NEW}/c\""),
        ("ls /proj-2 '/proj 2'", "ls /proj-2 '/proj 2'"),
        ("/proj/.venv/bin/python $(cat /proj/x)", f"/envs/1/bin/python $(cat {NEW}/x)"),
    ],
)
def test_a_line_of_shell_is_rewritten_inside(line, moved):
    assert move(["bash", "-ec", line]) == ["bash", "-ec", moved]


NAMES = st.text("ab '\"$`\\;&|*()-é", min_size=1, max_size=8).filter(lambda name: name.strip())


@given(NAMES, NAMES, st.sampled_from(["plain", "single", "double"]))
def test_in_a_line_of_shell_any_name_is_quoted_as_it_must_be(old, new, style):
    old_root, new_root = f"/o/{old}", f"/n/{new}"
    quoted = {
        "plain": "".join(c if c.isalnum() or c in "/é-" else f"\\{c}" for c in old_root) + "/x",
        "single": "'" + old_root.replace("'", "'\\''") + "/x'",
        "double": '"' + "".join(f"\\{c}" if c in '\\"$`' else c for c in old_root) + '/x"',
    }[style]

    _, _, line = relocate(["sh", "-c", f"cat {quoted}"], old_roots=[old_root], new_root=new_root)

    line = line.replace("cat", "printf %s", 1)
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout == f"{new_root}/x"


@given(st.lists(st.text("/proj-2.git :='\" ", max_size=20), max_size=3))
def test_to_move_twice_is_to_move_once(argv):
    once = move(argv)

    assert len(once) == len(argv)
    assert move(once) == once


def test_a_root_that_is_everything_moves_nothing():
    assert list(relocate(["/a", "/"], old_roots=["/", "relative"], new_root="/n")) == ["/a", "/"]
