import pytest
from tests.store.forms import submodule_inside
from tests.support import git, write_files
from tests.support.doctors import states_of
from tests.support.projects import make_run, open_here
from tests.support.records import make_record

from repro.core.doctor_command import (
    check_command,
    check_omitted,
    check_randomness,
    check_secrets,
)
from repro.core.query import resolve_run
from repro.model.run import Omitted
from repro.model.secrets import redact_argv


def look(repository, *command, **request):
    project = open_here(repository)
    run = make_run(project, command=command, **request)
    [item] = check_command(project, resolve_run(project, run.id))
    return item


def test_a_program_on_the_path_is_ok(repository):
    item = look(repository, "sh", "-c", "true")

    assert states_of([item]) == [("command", "ok")]
    assert item.detail.startswith("`sh` is `/")


def test_a_program_in_the_code_of_the_run_is_ok_though_it_is_gone_here(repository):
    write_files(repository, {"tools/go.sh": "#!/bin/sh\n"})
    (repository / "tools/go.sh").chmod(0o755)
    project = open_here(repository)
    run = make_run(project, command=("tools/go.sh",))
    (repository / "tools/go.sh").unlink()

    assert states_of(check_command(project, resolve_run(project, run.id))) == [("command", "ok")]


def test_a_program_that_git_ignores_is_degraded(repository):
    write_files(repository, {".gitignore": "build/\n", "build/train": "#!/bin/sh\n"})
    (repository / "build/train").chmod(0o755)

    item = look(repository, "build/train")

    assert states_of([item]) == [("command", "degraded")]
    assert "in no record" in item.detail


def test_a_program_that_is_gone_is_missing(repository):
    item = look(repository, "no-such-program")

    assert states_of([item]) == [("command", "missing")]
    assert "`no-such-program` is not found" in item.detail


def test_a_python_that_is_gone_is_degraded_for_another_can_take_its_place(repository):
    item = look(repository, ".venv/bin/python", "train.py")

    assert states_of([item]) == [("command", "degraded")]
    assert "--env recorded" in item.hint


@pytest.mark.parametrize(
    "words",
    [
        ("train.py",),
        ("-u", "train.py", "--lr", "1"),
        ("-W", "ignore", "-X", "dev", "train.py"),
        ("-m", "module"),
        ("-c", "print()"),
        ("-", "gone.py"),
        ("/elsewhere/script.py",),
    ],
)
def test_a_script_that_is_in_the_code_or_cannot_be_is_no_problem(repository, words):
    assert states_of([look(repository, "python3", *words)]) == [("command", "ok")]


def test_a_script_that_git_ignores_is_missing(repository):
    write_files(repository, {".gitignore": "scratch.py\n", "scratch.py": "1\n"})

    item = look(repository, "python3", "-u", "scratch.py")

    assert states_of([item]) == [("command", "missing")]
    assert "`scratch.py` is in no record, for git ignores it" in item.detail


def test_a_script_is_looked_for_where_the_run_was(repository):
    write_files(repository, {"sub/inner.py": "1\n"})

    item = look(repository, "python3", "inner.py", cwd=repository / "sub")

    assert states_of([item]) == [("command", "ok")]


def test_a_script_inside_of_a_submodule_is_no_problem(tmp_path):
    root = submodule_inside(tmp_path)
    inner = next(path.parent for path in root.glob("*/.git"))
    script = next(inner.glob("*"), None)
    name = f"{inner.name}/{script.stem if script else 'x'}.py"

    assert states_of([look(root, "python3", name)]) == [("command", "ok")]


@pytest.mark.parametrize(
    "command", [(), ("",), ("a\0b",), ("python3", "x\0.py"), ("python3", "\ud800.py"), ("-x/y",)]
)
def test_a_command_made_to_do_harm_is_no_traceback(repository, command):
    record = make_record(command=command, snapshot=git(repository, "rev-parse", "HEAD"))

    [item] = check_command(open_here(repository), record)

    assert item.item == "command"


def test_redacted_arguments_are_named(repository):
    words = ("python", "t.py", "--api-key", "k", "HF_TOKEN=h", "https://u:p@example.org/")
    record = make_record(command=redact_argv(words))

    items = list(check_secrets(open_here(repository), record))

    assert [one.state.value for one in items] == ["degraded"] * 3
    assert [one.detail for one in items] == [
        "the value of `--api-key` is not recorded",
        "the value of `HF_TOKEN` is not recorded",
        "the value of `argument 5` is not recorded",
    ]


def test_files_that_look_secret_are_degraded_whether_they_are_here_or_not(repository):
    write_files(repository, {".env": "KEY=1\n"})
    project = open_here(repository)
    record = resolve_run(project, make_run(project).id)
    [here] = check_secrets(project, record)
    (repository / ".env").unlink()
    [gone] = check_secrets(project, record)

    assert states_of([here, gone]) == [("secrets", "degraded")] * 2
    assert "`.env` lies here as it is now" in here.detail
    assert "`.env` is not here" in gone.detail
    assert gone.hint


def test_a_run_without_secrets_has_no_such_item(repository):
    assert list(check_secrets(open_here(repository), make_record())) == []


def test_a_file_too_large_for_the_record_is_degraded_while_it_is_there(repository):
    write_files(repository, {"repro.yaml": "snapshot: {max_file: 1KiB}\n", "big.bin": "x" * 2000})
    project = open_here(repository)
    record = resolve_run(project, make_run(project).id)
    [here] = check_omitted(project, record)
    (repository / "big.bin").unlink()
    [gone] = check_omitted(project, record)

    assert states_of([here, gone]) == [("omitted", "degraded"), ("omitted", "missing")]
    assert "`big.bin` is in no record (too large)" in here.detail
    assert "is gone" in gone.detail


def test_what_the_user_excluded_is_never_missing(repository):
    record = make_record(omitted=(Omitted("a.ckpt", 1, "excluded"),))

    assert states_of(check_omitted(open_here(repository), record)) == [("omitted", "degraded")]


@pytest.mark.parametrize("path", ["/etc/passwd", "a\0b", "x" * 5000, "../x"])
def test_a_path_made_to_do_harm_is_no_traceback(repository, path):
    record = make_record(omitted=(Omitted(path, 1, "too large"), Omitted(path, 1, "looks secret")))
    project = open_here(repository)

    found = [*check_omitted(project, record), *check_secrets(project, record)]

    assert [one.item for one in found] == ["omitted", "secrets"]


def test_a_secret_that_the_environment_gives_is_ok(repository, monkeypatch):
    monkeypatch.setenv("API_KEY", "k")
    record = make_record(command=redact_argv(("python", "t.py", "--api-key", "k")))

    [item] = check_secrets(open_here(repository), record)

    assert states_of([item]) == [("secrets", "ok")]
    assert item.detail == "the value of `--api-key` comes from `API_KEY` in your environment"


def test_a_recorded_seed_is_ok():
    [item] = check_randomness(make_record(randomness={"seed": 7}))

    assert states_of([item]) == [("randomness", "ok")]


@pytest.mark.parametrize("randomness", [{}, {"seed": None}, {"seed": "7"}, {"seed": True}])
def test_randomness_that_was_not_recorded_is_degraded(randomness):
    found = check_randomness(make_record(randomness=randomness))

    assert states_of(found) == [("randomness", "degraded")]
