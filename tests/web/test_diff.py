"""What differs between two runs, as a page."""

from tests.support import git, write_files
from tests.support.projects import make_run, open_here
from tests.support.records import a_summary, make_record, open_at, write_run, write_runs
from tests.support.webpages import assert_inert, text_of

from repro.core import codediff
from repro.web import codeview


def get(client, a: str, b: str, **more: str) -> str:
    answer = client.get("/diff", params={"a": a, "b": b, **more})
    assert answer.status_code == 200, answer.text
    assert_inert(answer.text)
    return str(answer.text)


def packages(version: str) -> dict[str, object]:
    return {
        "interpreter": {"version": f"3.11.{version}"},
        "packages": {"list": [{"name": "numpy", "version": version}]},
        "hardware": {"cpu": f"cpu {version}"},
    }


def test_every_part_that_differs_is_there_and_the_others_are_named(repository, browse):
    runs = write_runs(
        open_at(repository),
        [
            make_record(name="one", config={"lr": 0.1}, metrics={"loss": a_summary(0.5)},
                        environment=packages("1")),
            make_record(name="two", config={"lr": 0.2, "new": "<b>"}, command=("python", "x.py"),
                        metrics={"loss": a_summary(0.25)}, environment=packages("2")),
        ],
    )  # fmt: skip
    a, b = (one.run.id for one in runs)
    html = get(browse(repository), "one", "two")
    words = text_of(html)

    for said in (
        "lr 0.1 0.2", "new not there <b>", "loss 0.5 0.25 -0.25", "− python train.py",
        "+ python x.py", "numpy 1 → 2", "interpreter.version 3.11.1 3.11.2", "cpu cpu 1 cpu 2",
        "Equal: code, data, randomness.",
    ):  # fmt: skip
        assert said in words, said
    assert f'href="/diff?a={b}&amp;b={a}"' in html


def test_results_have_as_many_digits_as_show_that_they_differ(repository, browse):
    values = {"far": (0.03288863588670862, 0.25), "near": (0.1, 0.10000000000000002)}
    for n, name in enumerate(("one", "two")):
        metrics = {key: a_summary(pair[n]) for key, pair in values.items()}
        write_run(open_at(repository), make_record(name=name, metrics=metrics))

    html = get(browse(repository), "one", "two")

    assert "far 0.032889 0.25" in text_of(html)
    assert 'title="0.03288863588670862"' in html
    assert "near 0.1 0.10000000000000002" in text_of(html)


def test_equal_runs_differ_in_nothing(repository, browse):
    run = write_runs(open_at(repository), [make_record()])[0].run.id

    assert "Nothing differs." in get(browse(repository), run, run)


def test_code_is_shown_line_by_line(repository, browse):
    project = open_here(repository)
    write_files(repository, {"old_name.py": "".join(f"x{n} = {n}\n" for n in range(30))})
    write_files(repository, {"data.bin": b"\0a", "kind": "text\n"})
    first = make_run(project).id
    (repository / "old_name.py").rename(repository / "new name.py")
    (repository / "kind").unlink()
    (repository / "kind").symlink_to("train.py")
    write_files(repository, {"data.bin": b"\0b", "train.py": "print('<script>')\n"})
    second = make_run(project).id
    client = browse(repository)
    words = text_of(get(client, first, second))

    assert "4 files differ" in words
    assert "renamed old_name.py → new name.py" in words
    assert "of another type kind" in words
    assert "A binary file" in words
    assert "-print('hello')" in words
    assert "+print('<script>')" in words
    patch = client.get("/diff/patch", params={"a": first, "b": second})
    assert patch.headers["content-disposition"].startswith("attachment;")
    assert b"rename to new name.py" in patch.content


def test_a_large_file_is_shown_alone(repository, browse, monkeypatch):
    monkeypatch.setattr(codediff, "MOST_LINES", 20)
    project = open_here(repository)
    first = make_run(project).id
    write_files(
        repository,
        {"a.txt": "".join(f"line {n}\n" for n in range(50)), "train.py": "print('other')\n"},
    )
    second = make_run(project).id
    client = browse(repository)
    words = text_of(get(client, first, second))

    assert "line 49" not in words
    assert "too large" in words
    assert "print('other')" in words
    alone = text_of(get(client, first, second, file="0"))
    assert "line 49" in alone
    assert "print('other')" not in alone
    assert get(client, first, second, file="99")


def test_of_very_many_files_the_first_are_named(repository, browse, monkeypatch):
    monkeypatch.setattr(codeview, "MOST_FILES", 10)
    project = open_here(repository)
    first = make_run(project).id
    write_files(repository, {f"many/{n:02}": "x" for n in range(30)})
    words = text_of(get(browse(repository), first, make_run(project).id))

    assert "30 files differ" in words
    assert "many/09" in words
    assert "many/10" not in words
    assert "and 20 more files" in words


def test_a_run_that_is_not_there_is_said_and_can_be_chosen_again(repository, browse):
    run = write_runs(open_at(repository), [make_record(name="one")])[0].run.id
    client = browse(repository)
    answer = client.get("/diff", params={"a": "one", "b": '"><script>alert(1)</script>'})

    assert answer.status_code == 404
    assert "there is no run" in answer.text
    assert_inert(answer.text)
    chosen = client.get("/diff", params={"a": run})
    assert (chosen.status_code, "Swap" in chosen.text) == (200, False)
    assert client.get("/diff").status_code == 200


def test_runs_near_the_one_that_is_chosen_are_offered(repository, browse):
    first, second = write_runs(open_at(repository), [make_record(), make_record()])
    html = browse(repository).get("/diff", params={"b": second.run.id}).text

    assert f"/diff?a={first.run.id}&amp;b={second.run.id}" in html


def test_code_that_is_gone_is_an_error_without_a_traceback(repository, browse):
    project = open_here(repository)
    first = make_run(project).id
    write_files(repository, {"train.py": "print('other')\n"})
    git(repository, "commit", "-qam", "second")
    second = make_run(project).id
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    (repository / ".git/objects" / tree[:2] / tree[2:]).unlink()
    answer = browse(repository).get("/diff", params={"a": first, "b": second})

    assert answer.status_code >= 400
    assert "Traceback" not in answer.text
