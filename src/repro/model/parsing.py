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
from repro.model.expression import Constant, Expression, Group, Name, Term
from repro.model.lexing import Token, TokenKind, check_text, read_token, shorten
from repro.model.literals import parse_duration, parse_number, parse_size
from repro.model.moments import is_date

MOST_TERMS = 1000
MOST_VALUES = 100_000  # in one list
DEEPEST = 100
UNITS = "a duration is one word, such as `90s`, `4h`, `1h30m`; so is a size: `10MB`, `2GiB`"

_OPERATORS: dict[str, Operator] = {
    "=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
_MIRRORED: dict[Operator, Operator] = {
    "=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=",
}  # fmt: skip
_ORDERINGS = {"<", "<=", ">", ">="}
_ENDS = {"end", ")", "and", "or"}  # of a term
_UNITS = {
    "ms", "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes",
    "h", "hr", "hrs", "hour", "hours", "d", "day", "days", "w", "week", "weeks",
    "b", "byte", "bytes", "kb", "mb", "gb", "tb", "pb", "kib", "mib", "gib", "tib", "pib",
}  # fmt: skip
_NANS = {"nan", "+nan", "-nan"}
_VALUE_WORDS = {"true", "false", "today", "yesterday", "now", "inf", "infinity", *_NANS}
_LONGEST_VALUE_WORD = max(map(len, _VALUE_WORDS))
_LONGEST_NOTHING = len("null")
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
    if len(word) <= _LONGEST_VALUE_WORD and word.lower() in _VALUE_WORDS:
        return True
    if word[0].isalpha() or word[0] == "_":
        return False
    if parse_number(word) is not None or is_date(word):
        return True
    return parse_duration(word) is not None or parse_size(word) is not None


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._token = read_token(text, 0)
        self._last: Token | None = None
        self._n_terms = 0
        self._depth = 0

    def read(self) -> Expression | None:
        if self._at("end"):
            return None
        found = self._some()
        if self._at(")"):
            raise self._error("this bracket closes nothing")
        if not self._at("end"):
            raise self._unexpected("`and` or `or`", hint=self._unit_hint())
        return found

    def _some(self) -> Expression:
        parts = [self._all()]
        while self._takes("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Group("or", tuple(parts))

    def _all(self) -> Expression:
        parts = [self._factor()]
        while self._takes("and"):
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else Group("and", tuple(parts))

    def _factor(self) -> Expression:
        if self._token.kind not in {"(", "not"}:
            return self._term()
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"this nests deeper than {DEEPEST} levels")
        opening = self._advance()
        found = (
            self._in_brackets(opening) if opening.kind == "(" else Group("not", (self._factor(),))
        )
        self._depth -= 1
        return found

    def _in_brackets(self, opening: Token) -> Expression:
        if self._at(")"):
            raise self._error("there is nothing in these brackets", opening, end=self._token.end)
        found = self._some()
        if self._at("end"):
            raise self._error("this bracket has no other that closes it", opening)
        if not self._at(")"):
            raise self._unexpected("`and`, `or` or `)`", hint=self._unit_hint())
        self._advance()
        return found

    def _term(self) -> Expression:
        self._n_terms += 1
        if self._n_terms > MOST_TERMS:
            raise self._error(f"a filter has at most {MOST_TERMS:,} terms", hint=_TOO_MANY)
        return self._turned() if self._at_value() else self._test(self._name())

    def _turned(self) -> Expression:
        """`value < name`, and `value < name < value`."""
        first = self._constant("")
        sign = self._token
        operator = self._operator("an operator such as `<`")
        if self._at_value():
            message = "this compares two values, and no name"
            raise self._error(message, first, end=self._token.end)
        name = self._name()
        lower = Term(name, _MIRRORED[operator], (self._usable(first, name, operator),))
        if not self._at_comparison():
            return lower
        if operator not in _ORDERINGS or self._token.text not in _ORDERINGS:
            raise self._error(
                f"`{sign.text}` and `{self._token.text}` are no chain",
                hint="only orderings are, as in `1e-5 < lr < 1e-3`; else write `and`",
            )
        operator = self._operator("an operator")
        return Group("and", (lower, Term(name, operator, (self._value_of(name, operator),))))

    def _test(self, name: Name) -> Expression:
        token = self._token
        if token.kind == "operator":
            return self._comparison(name)
        if token.kind in _ENDS:
            return Term(name, "alone")
        if self._takes("is"):
            return self._is_test(name)
        is_negated = self._takes("not")
        if self._takes("in"):
            term = Term(name, "in", self._list(name))
        elif self._takes("like"):
            term = Term(name, "like", (self._constant("a pattern"),))
        elif self._takes("ilike"):
            term = Term(name, "ilike", (self._constant("a pattern"),))
        elif is_negated:
            raise self._unexpected("`in`, `like` or `ilike`")
        else:
            raise self._unexpected(f"an operator behind `{shorten(name.text)}`, such as `<`,")
        return _negated(term, is_negated=is_negated)

    def _comparison(self, name: Name) -> Expression:
        token = self._token
        if token.text in {"~", "!~"}:
            self._advance()
            fitting = Term(name, "regex", (self._constant("a pattern"),))
            return _negated(fitting, is_negated=token.text == "!~")
        operator = self._operator("an operator")
        found = Term(name, operator, (self._value_of(name, operator),))
        if self._at_comparison():
            raise self._error(
                "a chain of comparisons has its name in the middle",
                hint="as in `1e-5 < lr < 1e-3`; else write `and`",
            )
        return found

    def _is_test(self, name: Name) -> Expression:
        is_negated = self._takes("not")
        if self._takes("null"):
            return _negated(Term(name, "null"), is_negated=is_negated)
        if self._at("word") and self._token.text.lower() == "nan":
            self._advance()
            return _negated(Term(name, "nan"), is_negated=is_negated)
        raise self._unexpected("`null` or `nan`", hint="for any other value write `=`")

    def _list(self, name: Name) -> tuple[Constant, ...]:
        opening = self._token
        if not self._takes("("):
            raise self._unexpected("`(`", hint="a list stands in brackets: `in (1, 2)`")
        if self._at(")"):
            raise self._error("a list needs at least one value", opening, end=self._token.end)
        values = [self._value_of(name, "=")]
        while self._takes(","):
            if len(values) == MOST_VALUES:
                raise self._error(f"a list has at most {MOST_VALUES:,} values")
            values.append(self._value_of(name, "="))
        if self._at("end"):
            raise self._error("this bracket has no other that closes it", opening)
        if not self._takes(")"):
            raise self._unexpected("`,` or `)`")
        return tuple(values)

    def _name(self) -> Name:
        kind, text, start, end, quoted = self._token
        if kind not in {"word", "either", "name"}:
            raise self._unexpected("a name")
        self._advance()
        return Name(text, start, end, quoted)

    def _value_of(self, name: Name, operator: Operator) -> Constant:
        return self._usable(self._constant("a value"), name, operator)

    def _constant(self, wanted: str) -> Constant:
        kind, text, start, end, _ = self._token
        if kind in {"word", "null"}:
            self._advance()
            return Constant(text, start, end)
        if kind in {"text", "either"}:
            self._advance()
            return Constant(text, start, end, is_bare=False)
        if kind == "name":
            raise self._error("a filter compares with values, not with another name")
        hint = f"as a text it stands in quotes: '{text}'" if text.isalpha() else None
        raise self._unexpected(wanted, hint=hint)

    def _usable(self, constant: Constant, name: Name, operator: Operator) -> Constant:
        """That same value; nothing equals null or NaN, so to ask for it is a mistake."""
        if not constant.is_bare or len(constant.text) > _LONGEST_NOTHING:
            return constant
        word = constant.text.lower()
        if word == "null" or word in _NANS:
            word = word.lstrip("+-")
            test = "is not" if operator == "!=" else "is"
            raise self._error(
                f"nothing compares with {word if word == 'null' else 'NaN'}",
                constant,
                hint=f"write `{shorten(name.text)} {test} {word}`",
            )
        return constant

    def _operator(self, wanted: str) -> Operator:
        if not self._at_comparison():
            raise self._unexpected(wanted)
        return _OPERATORS[self._advance().text]

    def _at_comparison(self) -> bool:
        return self._token.kind == "operator" and self._token.text in _OPERATORS

    def _at_value(self) -> bool:
        token = self._token
        return token.kind == "text" or (token.kind == "word" and is_value(token.text))

    def _at(self, kind: TokenKind) -> bool:
        return self._token.kind == kind

    def _takes(self, kind: TokenKind) -> bool:
        if self._token.kind != kind:
            return False
        self._advance()
        return True

    def _advance(self) -> Token:
        """The word at hand; the next one is at hand then."""
        token = self._last = self._token
        self._token = read_token(self._text, token.end)
        return token

    def _unit_hint(self) -> str | None:
        """For a unit behind a number, as in `4 h`."""
        last = self._last
        is_number = last is not None and last.kind == "word" and parse_number(last.text) is not None
        is_unit = self._at("word") and self._token.text.lower() in _UNITS
        return UNITS if is_number and is_unit else None

    def _unexpected(self, wanted: str, *, hint: str | None = None) -> FilterError:
        token = self._token
        hint = _FOREIGN.get(token.text.lower(), hint)
        if token.kind == "end":
            return self._error(f"the filter ends where {wanted} should follow", hint=hint)
        written = shorten(self._text[token.start : token.end])
        if token.kind == "operator" and token.text not in {*_OPERATORS, "~", "!~", "!"}:
            return self._error(f"`{written}` is no operator", hint=hint)
        return self._error(f"here {wanted} should stand, not `{written}`", hint=hint)

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


def _negated(term: Expression, *, is_negated: bool) -> Expression:
    return Group("not", (term,)) if is_negated else term
