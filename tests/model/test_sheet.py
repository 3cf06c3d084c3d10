"""Previews of tables."""

from repro.model.sheet import MOST_COLUMNS, MOST_ROWS, read_sheet


def test_the_first_row_is_the_titles_and_the_others_fit_them():
    sheet = read_sheet('a,b,c\n1,"x, ""y""\nz",3\n4\n5,6,7,8\n', ",")

    assert sheet is not None
    assert sheet.titles == ("a", "b", "c")
    assert sheet.rows == (("1", 'x, "y"\nz', "3"), ("4", "", ""), ("5", "6", "7"))


def test_rows_columns_and_cells_end():
    wide = "\t".join(["x" * 1000] * 100)
    sheet = read_sheet(f"{wide}\n" * 500, "\t")

    assert sheet is not None
    assert (len(sheet.rows), len(sheet.titles), sheet.n_columns) == (MOST_ROWS, MOST_COLUMNS, 100)
    assert len(sheet.titles[0]) == 300


def test_what_is_no_table_is_none():
    assert read_sheet("", ",") is None
    assert read_sheet("only text\nhere\n", ",") is None
    assert read_sheet(f"a,b\n{'x' * 200_000},1\n", ",") is None
