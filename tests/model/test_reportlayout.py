from dataclasses import replace

from tests.support.records import a_summary, make_record
from tests.support.reports import make_curves, make_report_of

from repro.model.blocks import Block, Code, Fold, Page, Paragraph, Patch, Table
from repro.model.diff import DataChange, FileChange
from repro.model.importance import Influence
from repro.model.report import CodeChange, DatasetChange, Weights
from repro.model.reportlayout import lay_out_report
from repro.model.verdict import Cause, First, Outcome, Verdict

_ONE_BEST = [place == 4 for place in range(8)]


def section(page: Page, title: str) -> list[Block]:
    [found] = [one for one in page.sections if one.title == title]
    return list(found.blocks)


def plain(text) -> str:
    return "".join(piece.text if isinstance(piece, Code) else piece for piece in text)


def cells(table: Block) -> list[list[str]]:
    assert isinstance(table, Table)
    return [[plain(cell.text) for cell in row] for row in (table.heads, *table.rows)]


def lay_out(*records, **changes) -> Page:
    return lay_out_report(make_report_of(records, **changes), patch_chars=1_000)


def test_the_table_of_runs_has_what_differs_and_the_best_marked():
    runs = [
        make_record(
            name="base", config={"lr": 0.1, "epochs": 3}, duration_s=61.0,
            metrics={"loss": a_summary(0.5, goal="minimize"), "f1": a_summary(0.25)},
        ),
        make_record(
            config={"lr": 0.2, "epochs": 3}, status="failed", exit_code=3, tags=("a", "b"),
            metrics={"loss": a_summary(0.25, goal="minimize"), "f1": a_summary(0.5)},
        ),
    ]  # fmt: skip

    table = section(lay_out(*runs), "Runs")[0]

    short = [run.run.id[:6] for run in runs]
    assert cells(table) == [
        ["run", "name", "status", "lr", "loss ↓", "f1", "duration", "tags"],
        [short[0], "base", "finished", "0.1", "0.50", "0.25", "1m 01s", "-"],
        [short[1], "-", "failed, exit code 3", "0.2", "0.25", "0.50", "1.5s", "a, b"],
    ]
    assert isinstance(table, Table)
    assert [[cell.is_best for cell in row] for row in table.rows] == [[False] * 8, _ONE_BEST]
    assert [row[0].colour for row in table.rows] == [0, 1]
    assert table.right == {3, 4, 5, 6}


def test_one_run_is_shown_with_all_its_params_and_without_differences():
    page = lay_out(make_record(name="mine", config={"lr": 0.1}))

    assert plain(page.title) == "Report of run mine"
    assert cells(section(page, "Config")[0]) == [["config", "value"], ["lr", "0.1"]]
    assert "are compared" not in plain(page.head[0].text)
    assert [one.title for one in page.sections] == ["Runs", "Config", "Reproduce"]


def test_many_params_stand_in_a_table_of_their_own():
    runs = [make_record(config={f"p{key}": number for key in range(12)}) for number in (1, 2)]

    table = section(lay_out(*runs), "Config")[0]

    assert cells(table)[1] == ["p0", "1", "2"]
    assert len(cells(table)) == 13


def test_what_is_the_same_is_folded():
    runs = [make_record(config={"lr": 0.1, "seed": number}) for number in (1, 2)]

    said, fold = section(lay_out(*runs), "Config")

    assert plain(said.text) == "1 param of the table above differs."
    assert isinstance(fold, Fold)
    assert plain(fold.title) == "1 param the same in all runs"
    assert cells(fold.blocks[0])[1] == ["lr", "0.1"]


def test_a_run_in_progress_is_said_to_be_and_cannot_be_restored_yet():
    page = lay_out(make_record(status="running", duration_s=None, ended=None))

    assert "1 run was in progress then." in [
        plain(one.text) for one in page.head if isinstance(one, Paragraph)
    ]
    assert cells(section(page, "Reproduce")[1])[1][2:] == ["in progress", "in progress"]


def test_a_command_is_shown_with_its_folder():
    record = make_record(command=("python", "a b.py"), cwd="my code")

    row = cells(section(lay_out(record), "Reproduce")[1])[1]

    assert row[1] == "cd 'my code' && python 'a b.py'"
    assert row[2:] == [f"repro checkout {record.run.id}", f"repro rerun {record.run.id} --verify"]


def test_patches_share_their_room_and_say_what_shows_the_rest():
    runs = [make_record(snapshot=letter * 40, base="b" * 40) for letter in "abc"]
    changes = [
        CodeChange(
            letter=letter, before="a" * 40, after=letter.lower() * 40,
            files=(FileChange("x.py", "M"),), lines=("x" * 99,) * n, is_cut=False,
        )
        for letter, n in (("B", 7), ("C", 9))
    ]  # fmt: skip
    lost = CodeChange(letter="D", before="", after="", problem="it is gone")

    said, first, second, third = section(lay_out(*runs, codes=(*changes, lost)), "Code")

    assert plain(said.text).endswith("is commit bbbbbbbbbbbb.")
    assert isinstance(first, Fold)
    assert isinstance(second, Fold)
    assert isinstance(third, Fold)
    assert [len(one.lines) for one in first.blocks if isinstance(one, Patch)] == [7]
    assert [one for one in second.blocks if isinstance(one, Patch)] == []
    assert f"repro diff {runs[0].run.id} {runs[2].run.id}" in plain(second.blocks[-1].text)
    assert plain(third.blocks[0].text).startswith("it is gone; ")


def test_lost_code_is_no_section():
    runs = [make_record(snapshot=None), make_record(snapshot=None)]

    assert "Code" not in [one.title for one in lay_out(*runs).sections]


def test_data_verdicts_and_weights_have_their_words():
    a, b = make_record(), make_record()
    verdict = Verdict(
        run=b.run.id, rerun_of=a.run.id, outcome=Outcome.DIVERGED, ends=("finished", "failed"),
        causes=(Cause("code", "1 file"),),
    )  # fmt: skip
    change = DataChange(added=("new.txt",), size_added=5)
    weights = Weights(
        metric="loss", n_runs=9,
        influences=(
            Influence(
                key="lr", measure="rank correlation", strength=0.5, chance=0.01, n_runs=9,
                n_values=9,
            ),
        ),
    )  # fmt: skip

    page = lay_out(
        a, b, verdicts=(verdict,), weights=weights,
        data=(DatasetChange(runs=(b.run.id,), name="train", change=change),),
    )  # fmt: skip

    [verdicts] = section(page, "Reruns")
    assert plain(verdicts.items[0]) == (
        f"{b.run.id[:6]} against {a.run.id[:6]}: diverged,"
        " the original finished; the rerun failed; likeliest cause: code: 1 file"
    )
    [data] = section(page, "Data")
    assert plain(data.title) == f"train of {b.run.id[:6]}: 1 added (5 bytes)"
    assert plain(data.blocks[0].items[0]) == "A new.txt"
    assert cells(section(page, "Importance")[1])[1] == ["lr", "+0.50", "9", "0.010"]


def test_names_in_a_verdict_are_code_and_so_is_whatever_else_the_record_says():
    a, b = make_record(), make_record()
    first = First("train/loss", 0, (0.991234567, 0.98))
    diverged = Verdict(
        run=b.run.id, rerun_of=a.run.id, outcome=Outcome.DIVERGED, ends=("finished",) * 2,
        first=first,
    )  # fmt: skip
    ends = ("finished", "<b> @ada www.example.org")
    hostile = replace(diverged, first=None, ends=ends)

    page = lay_out(a, b, verdicts=(diverged, hostile))

    [verdicts] = section(page, "Reruns")
    assert verdicts.items[0][4:] == (
        ", ", "at step 0 of ", Code("train/loss"), ": 0.99123 against 0.98",
    )  # fmt: skip
    said = f"the original finished; the rerun {ends[1]}"
    assert verdicts.items[1][4:] == (", ", Code(said))


def test_each_tag_stands_for_itself_and_many_are_counted():
    table = section(lay_out(make_record(tags=("a", "b, c")), make_record()), "Runs")[0]
    assert table.rows[0][-1].text == (Code("a"), ", ", Code("b, c"))

    many = tuple(f"t{number}" for number in range(11))
    table = section(lay_out(make_record(tags=many), make_record()), "Runs")[0]
    assert plain(table.rows[0][-1].text).endswith(", t7 and 3 more")


def test_curves_have_the_colours_of_the_table_and_metrics_without_one_are_named():
    runs = [
        make_record(name="n", metrics={"loss": a_summary(1.0), "f1": a_summary(1.0)}) for _ in "ab"
    ]
    curves = (make_curves("loss", runs[1:], [1.0, 2.0]),)

    chart, said = section(lay_out(*runs, curves=curves), "Curves")

    assert [(line.label, line.colour) for line in chart.lines] == [(f"{runs[1].run.id[:6]} n", 1)]
    assert "--metric NAME" in plain(said.text)


def test_notes_warnings_and_problems_are_cut():
    record = make_record(note="line\n" * 100, warnings=tuple("abc") * 10, lost_points=2)
    report = make_report_of([record], problems=("x" * 1_000,))

    page = lay_out_report(replace(report, n_left=5, where="a > 1"), patch_chars=0)

    _, quote, _, items = section(page, "Notes")
    assert quote.lines[-1] == "… and 40 more lines"
    assert plain(items.items[-1]) == "… and 11 more"
    assert len(plain(page.head[-1].items[0])) == 400
    assert "5 more fit" in plain(page.head[0].text)
