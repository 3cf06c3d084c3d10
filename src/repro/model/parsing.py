"""A filter read: recursive descent over its words.

    some    = all ("or" all)*
    all     = factor ("and" factor)*
    factor  = "not" factor | "(" some ")" | term
    term    = name [test] | value operator name [operator value]
    test    = operator value | ("~" | "!~") value | "is" ["not"] ("null" | "nan")
            | ["not"] ("like" | "ilike") value | ["not"] "in" "(" value ("," value)* ")"

Nothing in it asks what a name stands for. Keywords are the same whatever the case.
"""

from repro.errors import FilterError
from repro.model.condition import Operator
from repro.model.expression import (
    Alone,
    And,
    Compared,
    Constant,
    Expression,
    Fitting,
    Listed,
    Name,
    Nan,
    Not,
    Null,
    Or,
    Style,
)
from repro.model.lexing import Token, TokenKind, check_text, read_token, shorten
from repro.model.literals import parse_duration, parse_number, parse_size
from repro.model.moments import is_date

MOST_TERMS = 1000
MOST_VALUES = 100_000  # in one list
DEEPEST = 100

_OPERATORS: dict[str, Operator] = {
    "=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
_MIRRORED: dict[Operator, Operator] = {
    "=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=",
}  # fmt: skip
_ORDERINGS = {"<", "<=", ">", ">="}
_STYLES: dict[str, Style] = {"like": "like", "ilike": "ilike"}
_KEYWORDS = {"and", "or", "not", "in", "is", "like", "ilike", "null"}
_NANS = {"nan", "+nan", "-nan"}
_VALUE_WORDS = {"true", "false", "today", "yesterday", "now"} | _NANS
# What other languages have, and how it is written here.
_FOREIGN = {
    "&&": "write `and`", "&": "write `and`", "||": "write `or`", "|": "write `or`",
    "!": "write `not`", "=<": "write `<=`", "=>": "write `>=`", "===": "write `=`",
    "=~": "write `~`", "~=": "write `~`", "~~": "write `like`", "≤": "write `<=`",
    "≥": "write `>=`", "≠": "write `!=`", "between": "write `1 < name < 2`",
    "contains": "write `like '%text%'`", "regexp": "write `~ 'pattern'`",
    "rlike": "write `~ 'pattern'`", "matches": "write `~ 'pattern'`",
}  # fmt: skip
_TOO_MANY = "many values of one name are shorter as `name in (…)`"


def parse_expression(text: str) -> Expression | None:
    """Read a whole filter; None where there is nothing in it.

    Raises:
        FilterError: It is no filter, or has more than 1,000 terms, a nesting of more than 100, a
            list of more than 100,000 values.

    Cost: linear in the text.
    """
    check_text(text)
    return _Parser(text).read()


def is_value(word: str) -> bool:
    """Whether a word without quotes is a value wherever it stands, and no name."""
    first = word[0]
    if first.isalpha() or first == "_":
        word = word.lower() if len(word) < 10 else ""
        return word in _VALUE_WORDS or parse_number(word) is not None
    if word in _NANS or parse_number(word) is not None or is_date(word):
        return True
    return parse_duration(word) is not None or parse_size(word) is not None


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._token = read_token(text, 0)
        self._n_terms = 0
        self._depth = 0

    def read(self) -> Expression | None:
        if self._at("end"):
            return None
        found = self._some()
        if self._at(")"):
            raise self._error("this bracket closes nothing")
        if not self._at("end"):
            raise self._unexpected("`and` or `or`")
        return found

    def _some(self) -> Expression:
        parts = [self._all()]
        while self._takes("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self) -> Expression:
        parts = [self._factor()]
        while self._takes("and"):
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _factor(self) -> Expression:
        if not self._at("(") and not self._is("not"):
            return self._term()
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"this nests deeper than {DEEPEST} levels")
        opening = self._advance()
        found = self._in_brackets(opening) if opening.kind == "(" else Not(self._factor())
        self._depth -= 1
        return found

    def _in_brackets(self, opening: Token) -> Expression:
        if self._at(")"):
            raise self._error("there is nothing in these brackets", opening, end=self._token.end)
        found = self._some()
        if self._at("end"):
            raise self._error("this bracket has no other that closes it", opening)
        if not self._at(")"):
            raise self._unexpected("`and`, `or` or `)`")
        self._advance()
        return found

    def _term(self) -> Expression:
        self._n_terms += 1
        if self._n_terms > MOST_TERMS:
            raise self._error(f"a filter has at most {MOST_TERMS:,} terms", hint=_TOO_MANY)
        return self._turned() if self._is_constant() else self._test(self._name("a name"))

    def _turned(self) -> Expression:
        """`value < name`, and `value < name < value`."""
        first = self._constant("")
        sign = self._token
        operator = self._operator("an operator such as `<`")
        if self._is_constant():
            raise self._error("this compares two values, and no name", first, end=self._token.end)
        name = self._name("a name")
        lower = Compared(name, _MIRRORED[operator], self._usable(first, name, operator))
        if self._token.text not in _OPERATORS:
            return lower
        if operator not in _ORDERINGS or self._token.text not in _ORDERINGS:
            raise self._error(
                f"`{sign.text}` and `{shorten(self._token.text)}` are no chain",
                hint="only orderings are, as in `1e-5 < lr < 1e-3`; else write `and`",
            )
        operator = self._operator("an operator")
        return And((lower, Compared(name, operator, self._value_of(name, operator))))

    def _test(self, name: Name) -> Expression:
        token = self._token
        if token.kind == "operator" and token.text in {"~", "!~"}:
            self._advance()
            fitting = Fitting(name, "regex", self._constant("a pattern"))
            return fitting if token.text == "~" else Not(fitting)
        if token.kind == "operator":
            return self._comparison(name)
        if self._takes("is"):
            return self._is_test(name)
        is_negated = self._takes("not")
        found = self._list_or_like(name)
        if found is None and is_negated:
            raise self._unexpected("`in`, `like` or `ilike`")
        if found is None:
            if not (self._token.kind in {")", "end"} or self._is("and") or self._is("or")):
                raise self._unexpected(f"an operator behind `{shorten(name.text)}`, such as `<`,")
            return Alone(name)
        return Not(found) if is_negated else found

    def _comparison(self, name: Name) -> Expression:
        operator = self._operator("an operator")
        found = Compared(name, operator, self._value_of(name, operator))
        if self._token.text in _OPERATORS:
            raise self._error(
                "a chain of comparisons has its name in the middle",
                hint="as in `1e-5 < lr < 1e-3`; else write `and`",
            )
        return found

    def _is_test(self, name: Name) -> Expression:
        is_negated = self._takes("not")
        if self._takes("null"):
            found: Expression = Null(name)
        elif self._takes("nan"):
            found = Nan(name)
        else:
            raise self._unexpected("`null` or `nan`", hint="for any other value write `=`")
        return Not(found) if is_negated else found

    def _list_or_like(self, name: Name) -> Expression | None:
        if self._takes("in"):
            return Listed(name, self._list(name))
        for word, style in _STYLES.items():
            if self._takes(word):
                return Fitting(name, style, self._constant("a pattern"))
        return None

    def _list(self, name: Name) -> tuple[Constant, ...]:
        opening = self._token
        if opening.kind != "(":
            raise self._unexpected("`(`", hint="a list stands in brackets: `in (1, 2)`")
        self._advance()
        if self._at(")"):
            raise self._error("a list needs at least one value", opening, end=self._token.end)
        values = [self._value_of(name, "=")]
        while self._at(","):
            self._advance()
            if len(values) == MOST_VALUES:
                raise self._error(f"a list has at most {MOST_VALUES:,} values")
            values.append(self._value_of(name, "="))
        if self._at("end"):
            raise self._error("this bracket has no other that closes it", opening)
        if not self._at(")"):
            raise self._unexpected("`,` or `)`")
        self._advance()
        return tuple(values)

    def _name(self, wanted: str) -> Name:
        token = self._token
        if token.kind == "word" and token.text.lower() not in _KEYWORDS:
            self._advance()
            return Name(token.text, None, token.start, token.end)
        if token.kind in {"either", "name"}:
            self._advance()
            return Name(token.text, token.quoted, token.start, token.end)
        raise self._unexpected(wanted)

    def _value_of(self, name: Name, operator: Operator) -> Constant:
        return self._usable(self._constant("a value"), name, operator)

    def _constant(self, wanted: str) -> Constant:
        token = self._token
        if token.kind in {"text", "either"}:
            self._advance()
            return Constant(token.text, is_bare=False, start=token.start, end=token.end)
        if token.kind == "word" and token.text.lower() not in _KEYWORDS - {"null"}:
            self._advance()
            return Constant(token.text, is_bare=True, start=token.start, end=token.end)
        if token.kind == "name":
            raise self._error("a filter compares with values, not with another name")
        if token.kind == "word":
            hint = f"as a text it stands in quotes: '{token.text}'"
            raise self._unexpected(wanted, hint=hint)
        raise self._unexpected(wanted)

    def _usable(self, constant: Constant, name: Name, operator: Operator) -> Constant:
        """That same value; nothing equals null or NaN, so to ask for it is a mistake."""
        word = constant.text.lower() if constant.is_bare and len(constant.text) < 5 else ""
        if word == "null" or word in _NANS:
            test = "is not" if operator == "!=" else "is"
            word = word.lstrip("+-")
            raise self._error(
                f"nothing compares with {word if word == 'null' else 'NaN'}",
                constant,
                hint=f"write `{shorten(name.text)} {test} {word}`",
            )
        return constant

    def _operator(self, wanted: str) -> Operator:
        operator = _OPERATORS.get(self._token.text)
        if not self._at("operator") or operator is None:
            raise self._unexpected(wanted)
        self._advance()
        return operator

    def _is_constant(self) -> bool:
        token = self._token
        return token.kind == "text" or (token.kind == "word" and is_value(token.text))

    def _at(self, kind: TokenKind) -> bool:
        return self._token.kind == kind

    def _is(self, keyword: str) -> bool:
        kind, text, *_ = self._token
        return kind == "word" and len(text) == len(keyword) and text.lower() == keyword

    def _takes(self, keyword: str) -> bool:
        if not self._is(keyword):
            return False
        self._advance()
        return True

    def _advance(self) -> Token:
        """The word at hand; the next one is at hand then."""
        token = self._token
        self._token = read_token(self._text, token.end)
        return token

    def _unexpected(self, wanted: str, *, hint: str | None = None) -> FilterError:
        token = self._token
        hint = _FOREIGN.get(token.text.lower(), hint)
        if token.kind == "end":
            return self._error(f"the filter ends where {wanted} should follow", hint=hint)
        written = self._text[token.start : token.end]
        if token.kind == "operator" and token.text not in _OPERATORS and token.text not in "!~":
            return self._error(f"`{shorten(written)}` is no operator", hint=hint)
        return self._error(f"here {wanted} should stand, not `{shorten(written)}`", hint=hint)

    def _error(
        self,
        message: str,
        at: Token | Name | Constant | None = None,
        *,
        end: int | None = None,
        hint: str | None = None,
    ) -> FilterError:
        """What is wrong at `at`, or from there to `end`; else at the word at hand."""
        at = at or self._token
        end = at.end if end is None else end
        return FilterError(message, text=self._text, start=at.start, end=end, hint=hint)
