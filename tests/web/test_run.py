"""The page of one run."""

import math
import re
from dataclasses import replace

from tests.support import git, write_files
from tests.support.projects import begin, end, make_run, open_here
from tests.support.records import NOW, a_summary, make_record, open_at, write_run
from tests.support.webpages import assert_inert, text_of

from repro.core.curate import set_note, tag_run
from repro.core.query import resolve_run
from repro.core.trash import remove_runs
from repro.model.run import Omitted
from repro.model.verdict import Cause, First, Outcome, Verdict
from repro.web.pages.run import TABS
from repro.web.rendering import FRAGMENT

SCRIPT = "</pre></title><script>alert(1)</script><img src=x onerror=alert(1)>"


def get(client, run: str, tab: str = "overview", **more: str):
    """One tab, which must be there."""
    answer = client.get(f"/runs/{run}", params={"tab": tab, **more})
    assert answer.status_code == 200, answer.text
    assert_inert(answer.text)
    return answer.text


def test_the_overview_tells_what_the_record_does(repository, browse):
    record = make_record(
        name="baseline",
        config={"model": {"depth": 3}, "lr": 3e-4},
        metrics={"loss": a_summary(0.25, goal="minimize")},
        summary={"best_epoch": 7},
        tags=("good",),
        note="first line\nsecond line",
        warnings=("the clock went back",),
        omitted=(Omitted("big.bin", 5, "too large"),),
        exit_code=3,
        status="failed",
        sweep="0123456789ab",
        trial=4,
        lost_points=2,
    )
    run = write_run(open_at(repository), record).run.id
    html = get(browse(repository), run)
    words = text_of(html)

    for said in (
        "baseline", "failed exit code 3", "model.depth 3", "lr 0.0003", "loss ↓ 0.25",
        "best_epoch 7", "good", "first line second line", "the clock went back",
        "big.bin too large (5 bytes)", "trial 4", "python train.py", "Ada on engine", "2 points",
    ):  # fmt: skip
        assert said in words, said
    assert "first line\nsecond line" in html


def test_a_run_that_is_removed_while_it_is_looked_at_is_said_to_be(repository, browse):
    run = write_run(open_at(repository), make_record()).run.id
    client = browse(repository)
    assert '<div id="gone"></div>' in get(client, run)
    remove_runs(open_here(repository), [run])
    for block in ("head", "tab"):
        answer = client.get(f"/runs/{run}", headers={"X-Fragment": block})
        assert (answer.status_code, answer.headers["x-instead"]) == (200, "gone")
        assert answer.text.lstrip().startswith('<div id="gone"')
        assert f"run {run} is in the trash: repro restore" in text_of(answer.text).replace("`", "")
    assert client.get(f"/runs/{run}").status_code == 404


def test_what_is_infinite_is_not_the_best(repository, browse):
    metrics = {"loss": a_summary(0.5, goal="minimize"), "odd": a_summary(math.inf, goal="minimize")}
    run = write_run(open_at(repository), make_record(metrics=metrics)).run.id
    assert get(browse(repository), run).count('class="number best"') == 1


def test_every_part_of_a_bare_record_can_be_looked_at(repository, browse):
    run = write_run(open_at(repository), make_record()).run.id
    client = browse(repository)
    for tab in TABS:
        get(client, run, tab)
    assert client.get(f"/runs/{run}?tab=../x").status_code == 404


def test_nothing_in_a_record_becomes_markup(repository, browse):
    odd = {SCRIPT: SCRIPT}
    record = make_record(
        name=SCRIPT, note=SCRIPT, tags=(SCRIPT,), command=(SCRIPT,), user=SCRIPT, host=SCRIPT,
        branch=SCRIPT, config=odd, summary=odd, warnings=(SCRIPT,), sweep=SCRIPT, cwd="a<script>",
        metrics={SCRIPT: a_summary(1.0)}, data={SCRIPT: {"path": "x", "digest": SCRIPT}},
        omitted=(Omitted(SCRIPT, 1, SCRIPT),), foreign=(SCRIPT,),
        environment={
            "interpreter": odd, "hardware": odd, "variables": odd,
            "packages": {"list": [{"name": SCRIPT, "version": SCRIPT}]},
        },
        randomness=odd,
    )  # fmt: skip
    run = write_run(
        open_at(repository),
        record,
        files={
            "output.log": f"\x1b[31m{SCRIPT}\x1b]8;;javascript:alert(1)\x07x\n\u202e".encode(),
            "metrics/main.csv": f'step,time,"{SCRIPT}"\n0,{NOW},1.0\n'.encode(),
        },
    ).run.id
    client = browse(repository)
    for tab in TABS:
        answer = client.get(f"/runs/{run}?tab={tab}")
        assert "<script>alert" not in answer.text, tab
        assert "onerror=alert(1)>" not in answer.text, tab
        assert "\u202e" not in answer.text
        assert "\x1b" not in answer.text


def test_any_name_of_a_run_leads_to_its_address(repository, browse):
    run = write_run(open_at(repository), make_record(name="a/b c")).run.id
    client = browse(repository)
    for name in ("a%2Fb%20c", "a/b%20c", "@", run[:8], f"refs/repro/runs/{run}"):
        answer = client.get(f"/runs/{name}?tab=output", follow_redirects=False)

        assert answer.status_code == 307, name
        assert answer.headers["location"] == f"/runs/{run}?tab=output"


def test_a_name_that_nothing_has_gives_near_ones(repository, browse):
    write_run(open_at(repository), make_record(name="baseline"))
    answer = browse(repository).get("/runs/basline")

    assert answer.status_code == 404
    assert "did you mean <code>baseline</code>" in answer.text


def test_a_block_comes_alone(repository, browse):
    run = write_run(open_at(repository), make_record(name="one")).run.id
    client = browse(repository)
    head = client.get(f"/runs/{run}", headers={"X-Fragment": "head"}).text
    tab = client.get(f"/runs/{run}?tab=output", headers={"X-Fragment": "tab"}).text

    assert re.match(r'\s*<div id="gone"></div>\s*<header id="head"', head)
    assert re.match(r'\s*<div id="tab"', tab)
    assert "<html" not in head + tab


def test_a_damaged_record_is_named_and_hides_no_page(repository, browse):
    run = write_run(open_at(repository), make_record(), files={"run.json": b"{"}, ref_id=None)
    newer = make_record()
    said = b'{"format": 99, "id": "%s"}' % newer.run.id.encode()
    other = write_run(open_at(repository), newer, files={"run.json": said})
    client = browse(repository)
    answer, upgrade = (client.get(f"/runs/{one.run.id}") for one in (run, other))

    assert f"run {run.run.id} cannot be read" in text_of(answer.text)
    assert "repro fsck" in answer.text
    assert "Traceback" not in answer.text
    assert f"run {other.run.id} cannot be read" in text_of(upgrade.text)
    assert "upgrade repro" in upgrade.text
    assert {answer.status_code, upgrade.status_code} == {422}
    assert client.get("/").status_code == 200


def test_no_page_takes_a_run_that_cannot_be_read_for_a_fault_of_its_own(repository, browse):
    project = open_here(repository)
    sound = make_run(project, {"loss": 1.0}).id
    damaged = write_run(open_at(repository), make_record(), files={"run.json": b"{"}).run.id
    live = begin(project)
    live.journal.close()
    (live.dir / "start.json").write_text("{")
    client = browse(repository)
    for run in (damaged, live.id):
        for path in (
            f"/runs/{run}",
            f"/runs/{run}/files",
            f"/compare?run={sound}&run={run}",
            f"/diff?a={run}&b={sound}",
            f"/api/coordinates?run={sound}&run={run}",
        ):
            answer = client.get(path)
            assert answer.status_code == 422, path
            assert run in answer.text, path
            assert "repro fsck" in answer.text, path
        head = client.get(f"/runs/{run}", headers={FRAGMENT: "head"})
        assert (head.status_code, head.headers["x-instead"]) == (200, "gone")
        assert run in head.text
    assert client.get("/").status_code == 200
    assert sound in client.get(f"/api/curves?run={damaged}&run={sound}&metric=loss").text


def test_a_run_in_progress_is_followed_with_what_it_printed_so_far(repository, browse):
    project = open_here(repository)
    live = begin(project, name="going")
    live.journal.log(0, project.clock(), {"loss": 0.5})
    (live.dir / "output.log").write_bytes(b"epoch 1\n 10%\r 20%")
    client = browse(repository)
    pages = {tab: get(client, live.id, tab) for tab in TABS}
    end(live, repository)
    sealed = get(client, live.id)

    assert 'id="tab" data-live="tab"' in pages["overview"]
    assert "0.5" in pages["overview"]
    assert "<svg" in pages["overview"]
    assert "epoch 1 20%" in text_of(pages["output"])
    assert 'id="tab" data-live' not in sealed
    assert " so far" in text_of(pages["overview"])
    assert 'aria-label="Edit the name"' in pages["overview"]
    assert " so far" not in text_of(sealed)


def test_colours_of_output_are_classes_and_all_of_it_can_be_saved(repository, browse):
    output = b"\x1b[1;32mgood\x1b[0m plain \x1b[2K\x1b[38;5;196mx\x1b[m\n"
    run = write_run(open_at(repository), make_record(), files={"output.log": output}).run.id
    client = browse(repository)

    assert '<span class="a-green a-bold">good</span> plain x\n' in get(client, run, "output")
    saved = client.get(f"/runs/{run}/output")
    assert saved.content == output
    assert saved.headers["content-disposition"].startswith("attachment;")
    assert saved.headers["content-security-policy"] == "sandbox; default-src 'none'"


def test_of_a_huge_output_the_end_is_shown(repository, browse):
    output = b"".join(b"line %d of a long output\n" % n for n in range(200_000))
    run = write_run(open_at(repository), make_record(), files={"output.log": output}).run.id
    client = browse(repository)
    html = get(client, run, "output")

    assert "line 199999 of" in html
    assert "line 199499 of" not in html
    assert len(html) < 100_000
    assert "line 197000 of" in get(client, run, "output", lines="5000")
    assert client.get(f"/runs/{run}/output").content == output


def test_uncommitted_changes_are_shown_with_their_lines(repository, browse):
    write_files(repository, {"train.py": "print('<b>changed</b>')\n", "new.py": "x = 1\n"})
    run = make_run(open_here(repository)).id
    client = browse(repository)
    html = get(client, run, "code")
    words = text_of(html)

    assert "2 files differ +2 −1" in words
    assert "<b>changed</b>" in words
    assert 'tr class="removed"' in html
    patch = client.get(f"/runs/{run}/patch").content
    git(repository, "checkout", "-q", "train.py")
    (repository / "new.py").unlink()
    git(repository, "apply", "--check", "-", stdin=patch)


def test_code_without_a_base_is_said_to_have_none(repository, browse):
    git(repository, "update-ref", "-d", "HEAD")
    run = make_run(open_here(repository)).id
    client = browse(repository)

    assert "before the first commit" in get(client, run, "code")
    assert client.get(f"/runs/{run}/patch").status_code == 404
    assert "train.py" in client.get(f"/runs/{run}/files").text


def test_relatives_signatures_and_what_was_said_are_its_history(repository, browse):
    project = open_here(repository)
    first = make_run(project, name="first").id
    child = make_run(project, parent=first).id
    tag_run(project, resolve_run(project, first), ["later"])
    set_note(project, resolve_run(project, first), "why")
    client = browse(repository)
    words = text_of(get(client, first, "history"))

    assert "went on from it" in words
    assert child[:6] in words
    assert "Nobody signed it." in words
    assert "tag later" in words
    assert "note why" in words
    assert "parent, from which it went on" in text_of(get(client, child, "history"))


def test_the_verdict_on_a_rerun_is_told_on_both_pages(repository, browse):
    original = write_run(open_at(repository), make_record(name="original")).run.id
    made = make_record(rerun_of=original)
    verdict = Verdict(
        run=made.run.id,
        rerun_of=original,
        outcome=Outcome.DIVERGED,
        first=First("loss", 3, (0.5, None)),
        ends=("finished, exit code 0",) * 2,
        causes=(Cause("code", "`train.py` modified <b>"),),
    )
    rerun = write_run(open_at(repository), replace(made, verdict=verdict)).run.id
    client = browse(repository)
    said = "diverged at step 3 of <code>loss</code>: 0.5 against no point"

    assert said in get(client, original, "history")
    assert said in get(client, rerun)
    reproduce = get(client, rerun, "reproduce")
    assert "<code>train.py</code> modified &lt;b&gt;" in reproduce
    assert "original, which it does again" in text_of(get(client, rerun, "history"))


def test_a_relative_that_is_not_here_is_named(repository, browse):
    record = make_record(rerun_of="abcdefghjkmn")
    run = write_run(open_at(repository), record).run.id

    assert "abcdefghjkmn again, which is not in this repository" in text_of(
        get(browse(repository), run, "history")
    )


def test_datasets_are_compared_with_those_of_another_run(repository, browse):
    write_files(
        repository,
        {
            "repro.yaml": "data:\n  train: data\n",
            "data/a": "1",
            "data/b": "2",
            ".gitignore": "data",
        },
    )
    project = open_here(repository)
    before = make_run(project).id
    write_files(repository, {"data/a": "changed", "data/c<script>": "3"})
    (repository / "data/b").unlink()
    after = make_run(project).id
    client = browse(repository)
    words = text_of(get(client, after, "data"))

    for said in (
        "changed a",
        "removed b",
        "added c<script>",
        f"Against {before[:6]} , created just before it",
    ):
        assert said in words
    assert f"repro checkout {after[:6]} --data" in get(client, after, "reproduce")
    assert "Nothing differs" in get(client, after, "data", against=after)
    assert client.get(f"/runs/{after}?tab=data&against=nothing").status_code == 404


def test_the_doctor_looks_only_when_it_is_asked(repository, browse):
    run = make_run(open_here(repository)).id
    client = browse(repository)

    assert "Examine it" in get(client, run, "reproduce")
    examined = get(client, run, "reproduce", examine="1")
    assert "Examine it" not in examined
    assert "is missing" in text_of(examined)
    assert f"repro rerun {run[:6]} --verify" in examined


def test_the_sampled_machine_has_charts(repository, browse):
    table = f"step,time,cpu_percent\n0,{NOW},10.0\n1,{NOW + 5},90.0\n".encode()
    record = make_record(environment={"hardware": {"cpu": "a fast one"}})
    run = write_run(open_at(repository), record, files={"metrics/system.csv": table}).run.id
    html = get(browse(repository), run, "machine")

    assert "cpu_percent" in html
    assert "a fast one" in html
    assert "<style" not in html


def test_who_may_only_look_is_offered_no_editor(repository, browse):
    run = make_run(open_here(repository), tags=("a",)).id

    assert "data-edit" in get(browse(repository), run)
    assert "data-edit" not in get(browse(repository, is_read_only=True), run)
