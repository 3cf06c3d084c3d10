"""A text is read as the expression it writes, or refused at the place where it is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.filters import expressions, without_places, write_expression

from repro.errors import FilterError
from repro.model.expression import Constant, Expression, Group, Name, Term
from repro.model.lexing import LONGEST
from repro.model.parsing import MOST_TERMS, MOST_VALUES, parse_expression


def bare(text: str) -> Constant:
    return Constant(text, 0, 0)


def quoted(text: str) -> Constant:
    return Constant(text, 0, 0, is_bare=False)


def named(text: str, quotes: tuple[int, int] | None = None) -> Name:
    return Name(text, 0, 0, quotes)


def compared(name: str | Name, operator: str, *values: Constant) -> Term:
    return Term(named(name) if isinstance(name, str) else name, operator, values)


def both(parts: tuple[Expression, ...]) -> Expression:
    return Group("and", parts)


def either(parts: tuple[Expression, ...]) -> Expression:
    return Group("or", parts)


def no(part: Expression) -> Expression:
    return Group("not", (part,))


A, B, C = (Term(named(name), "alone") for name in "abc")


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("", None),
        (" \t\n\u00a0", None),
        ("lr < 1e-4", compared("lr", "<", bare("1e-4"))),
        ("lr<-1", compared("lr", "<", bare("-1"))),
        ("a == 1", compared("a", "=", bare("1"))),
        ("a <> 1", compared("a", "!=", bare("1"))),
        ("0.1 < lr", compared("lr", ">", bare("0.1"))),
        ("'adam' = a", compared("a", "=", quoted("adam"))),
        ("true = a", compared("a", "=", bare("true"))),
        ("today <= created", compared("created", ">=", bare("today"))),
        (
            "1 < a <= 2",
            both((compared("a", ">", bare("1")), compared("a", "<=", bare("2")))),
        ),
        ("a = b", compared("a", "=", bare("b"))),
        ("val/loss<1", compared("val/loss", "<", bare("1"))),
        ("top-5:acc@k = 1", compared("top-5:acc@k", "=", bare("1"))),
        ("学習率 = 1", compared("学習率", "=", bare("1"))),
        ("`in` = 1", compared(named("in", (0, 2)), "=", bare("1"))),
        ('"a b" = "c d"', compared(named("a b", (0, 3)), "=", quoted("c d"))),
        ("`a``b` = 1", compared(named("a`b", (0, 3)), "=", bare("1"))),
        ("params.`a b` = 1", compared(named("params.a b", (7, 10)), "=", bare("1"))),
        ('metrics."a.b".min = 1', compared(named("metrics.a.b.min", (8, 11)), "=", bare("1"))),
        ("`a`.min = 1", compared(named("a.min", (0, 1)), "=", bare("1"))),
        ("a = 'it''s'", compared("a", "=", quoted("it's"))),
        (r"a = 'it\'s'", compared("a", "=", quoted("it's"))),
        (r"""a = "say \"x\"" """, compared("a", "=", quoted('say "x"'))),
        (r"a ~ '^\d+\.x$'", compared("a", "regex", quoted(r"^\d+\.x$"))),
        (r"a = 'C:\\'", compared("a", "=", quoted("C:\\"))),
        ("a = ''", compared("a", "=", quoted(""))),
        ("a !~ b", no(compared("a", "regex", bare("b")))),
        ("a like %x%", compared("a", "like", bare("%x%"))),
        ("a NOT ILIKE 'x'", no(compared("a", "ilike", quoted("x")))),
        ("a in (1, 'b')", compared("a", "in", bare("1"), quoted("b"))),
        ("a not in(1)", no(compared("a", "in", bare("1")))),
        ("a IS NULL", compared("a", "null")),
        ("a is not null", no(compared("a", "null"))),
        ("a is nan", compared("a", "nan")),
        ("a is not NaN", no(compared("a", "nan"))),
        ("a", A),
        ("not a", no(A)),
        ("not not a", no(no(A))),
        ("a and b AND c", both((A, B, C))),
        ("a or b and c", either((A, both((B, C))))),
        ("(a or b) and c", both((either((A, B)), C))),
        ("not a or b", either((no(A), B))),
        ("not (a or b)", no(either((A, B)))),
        ("a and (b and c)", both((A, both((B, C))))),
        ("((a))", A),
        ("nota and orb", both((compared("nota", "alone"), compared("orb", "alone")))),
    ],
)
def test_a_text_is_the_expression_it_writes(text, expression):
    found = parse_expression(text)

    assert (found and without_places(found)) == expression


def fault_in(text: str) -> FilterError | None:
    try:
        parse_expression(text)
    except FilterError as error:
        return error
    return None


def fault_of(text: str) -> FilterError:
    error = fault_in(text)
    assert error is not None
    return error


# The text with the wrong place between « and », part of the message, part of the hint.
FAULTS = [
    ("lr <«»", "ends where a value should follow", ""),
    ("a and«»", "ends where a name should follow", ""),
    ("a not«»", "ends where `in`, `like` or `ilike` should follow", ""),
    ("a is«»", "ends where `null` or `nan` should follow", ""),
    ("«and» a", "here a name should stand, not `and`", ""),
    ("a and «or» b", "here a name should stand, not `or`", ""),
    ("a «b»", "here an operator behind `a`, such as `<`, should stand, not `b`", ""),
    ("a = 1 «b» = 2", "here `and` or `or` should stand, not `b`", ""),
    ("«()»", "nothing in these brackets", ""),
    ("a in «()»", "at least one value", ""),
    ("a in «5»", "here `(` should stand", "in (1, 2)"),
    ("a in (1,«)»", "here a value should stand", ""),
    ("a in (1 «2»)", "here `,` or `)` should stand", ""),
    ("a in «(»1, 2", "has no other that closes it", ""),
    ("«(»a and b", "has no other that closes it", ""),
    ("(a «b»)", "operator behind `a`", ""),
    ("(a = 1 «b»)", "here `and`, `or` or `)` should stand", ""),
    ("a«)»", "this bracket closes nothing", ""),
    ("a = «'»b", "this quote has no other", "'a''b'"),
    ("«`»b = 1", "this quote has no other", ""),
    ("config.«\"»b = 1", "this quote has no other", ""),
    ("a = «null»", "nothing compares with null", "write `a is null`"),
    ("a != «NULL»", "nothing compares with null", "write `a is not null`"),
    ("a = «nan»", "nothing compares with NaN", "write `a is nan`"),
    ("a < «-NaN»", "nothing compares with NaN", "write `a is nan`"),
    ("«nan» = a", "nothing compares with NaN", "write `a is nan`"),
    ("a in (1, «nan»)", "nothing compares with NaN", "write `a is nan`"),
    ("a in (1, «null»)", "nothing compares with null", "write `a is null`"),
    ("a «&&» b", "`&&` is no operator", "write `and`"),
    ("a = 1 «&&» b = 2", "`&&` is no operator", "write `and`"),
    ("a = 1 «||» b = 2", "`||` is no operator", "write `or`"),
    ("«!»a", "not `!`", "write `not`"),
    ("a «=<» 1", "`=<` is no operator", "write `<=`"),
    ("a «≥» 1", "not `≥`", "write `>=`"),
    ("a «between» 1 and 2", "not `between`", "write `1 < name < 2`"),
    ("a is «true»", "not `true`", "write `=`"),
    ("a = «in»", "here a value should stand", "in quotes: 'in'"),
    ("a < «`b`»", "not with another name", ""),
    ("«1 = 1»", "compares two values, and no name", ""),
    ("«1 = 1» --", "compares two values, and no name", ""),
    ("a < 1 «<» 2", "has its name in the middle", "1e-5 < lr < 1e-3"),
    ("1 < a «=» 2", "are no chain", "only orderings are"),
    ("a = 1«;» drop table run", "`;` has no meaning", "'a;b'"),
    ("a = 1 «union» select * from run", "here `and` or `or` should stand", ""),
    ("a = 1 «--» b", "here `and` or `or` should stand", ""),
    ("a = 1 or «1=1»", "compares two values", ""),
    ("a = 'x\\''«;»", "`;` has no meaning", ""),
    ("a = «\0»", "in no record", ""),
    ("a = '«\0»'", "in no record", ""),
    ("a = '«\udcff»'", "in no record", ""),
    ("a «\x1b»", "has no meaning", ""),
    ("a = «,»", "here a value should stand", ""),
    ("a = b«'c'»", "should stand, not `'c'`", ""),
]  # fmt: skip


@pytest.mark.parametrize(("marked", "message", "hint"), FAULTS)
def test_a_fault_is_told_where_it_is(marked, message, hint):
    text = marked.replace("«", "").replace("»", "")

    error = fault_of(text)

    start, end = error.start, error.end
    assert f"{text[:start]}«{text[start:end]}»{text[end:]}" == marked
    assert error.text == text
    assert message in error.message
    assert hint in (error.hint or "")


def test_a_filter_has_a_greatest_length():
    assert parse_expression("a = '" + "x" * (LONGEST - 6) + "'") is not None
    assert "longer than the limit" in fault_of("a = '" + "x" * LONGEST + "'").message


def test_a_filter_has_a_greatest_number_of_terms():
    assert len(parse_expression(" or ".join(["a"] * MOST_TERMS)).parts) == MOST_TERMS
    error = fault_of(" or ".join(["a"] * 100_000))

    assert error.message == "a filter has at most 1,000 terms"
    assert "in (…)" in (error.hint or "")


def test_a_list_has_a_greatest_length():
    values = ",".join(["1"] * MOST_VALUES)

    assert len(parse_expression(f"a in ({values})").constants) == MOST_VALUES
    assert "at most 100,000 values" in fault_of(f"a in ({values},1)").message


@pytest.mark.parametrize("opening", ["(", "not ", "not(", "((not "])
def test_nesting_has_an_end(opening):
    depth = opening.count("(") + opening.count("not")
    n = 100 // depth
    closing = ")" * opening.count("(")

    assert parse_expression(opening * n + "a" + closing * n) is not None
    assert "nests deeper than 100" in fault_of(opening * (n + 1) + "a").message
    assert "nests deeper than 100" in fault_of(opening * 100_000).message


@pytest.mark.parametrize(
    "text",
    [
        "a = '" + "\\" * 1_000_000,
        "a = '" + "''" * 500_000,
        "`" + "`" * 1_000_000,
        "a = " + "x" * 1_000_000,
        "1" * 1_000_000,
        "a = " + "1_" * 500_000 + "x",
        "a.b" * 300_000 + " = 1",
        "." * 1_000_000 + "'",
        " " * 1_000_000 + "a",
        "a in (" + "1," * 500_000,
        "<" * 1_000_000,
        "=1" * 500_000,
        "a and " * 150_000,
        "😀" * 1_000_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_megabyte_of_anything_is_read_or_refused(text):
    error = fault_in(text)

    assert error is None or len(f"{error.message}{error.hint}") < 300


@given(expressions())
def test_an_expression_that_is_written_is_read_back(expression):
    found = parse_expression(write_expression(expression))

    assert found is not None
    assert without_places(found) == expression


SCRAPS = st.sampled_from(
    [
        *("lr", "<", "<=", "=", "!=", "~", "!~", "(", ")", ",", "and", "or", "not", "in", "is"),
        *("null", "nan", "like", "'x'", '"y"', "`z`", "1", "1e-4", "4h", "2026-11-01", "tag"),
        *("a.b", "config.", "'", '"', "`", "\\", ";", "--", "%", "&&", "!", "😀", "\0", "\ud800"),
    ]
)


@given(st.text() | st.lists(SCRAPS).map(" ".join) | st.lists(SCRAPS).map("".join))
def test_any_text_is_an_expression_or_refused_within_it(text):
    error = fault_in(text)

    if error is not None:
        assert 0 <= error.start <= error.end <= len(text)
        assert error.message
