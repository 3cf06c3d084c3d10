"""What of a printed line is new in every execution, masked: times, addresses, process ids."""

import re
from collections.abc import Mapping
from functools import cache

_LONGEST = 10_000  # characters; what no person wrote is compared as it is
_WORTH_A_LOOK = re.compile(r"\d|/")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SPACED_MARK = re.compile(r" *(⟦[a-z]+⟧) *")

# Possessive, so that no number is cut in two to make it fit.
_NUMBER = r"\d++(?:\.\d*+)?+(?:[eE][+-]?\d++)?+"
_CLOCK = r"\d{1,3}:[0-5]\d:[0-5]\d(?:[.,]\d{1,9})?"
_COMPACT_CLOCK = r"[0-2]\d[0-5]\d(?:[0-5]\d)?"
_ZONE = r"(?:\s?(?:Z|UTC|GMT|CES?T|[+-]\d\d:?\d\d)\b)?"
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:(?:Mon|Tue(?:s)?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?,?\s+)?"
_ISO_DAY = r"(?:19|20)\d\d[-/](?:0[1-9]|1[0-2])[-/](?:0[1-9]|[12]\d|3[01])"
_NAMED_DAY = rf"{_WEEKDAY}(?:{_MONTH}\s+\d{{1,2}}|\d{{1,2}}[ -]{_MONTH})"
_YEAR = r"(?:,?[ -]+(?:19|20)\d\d)"

# Only units that stand for nothing but time: `min` is also a minimum, `m` a metre or a million.
_UNIT = r"(?:ns|[uµμ]s|ms|s|secs?|seconds?|msecs?|milliseconds?|minutes|mins|hours|hrs|days)"
_ANY_UNIT = rf"\s?(?:{_UNIT}|minute|min|m|hour|hr|h|day|d)\b"
_PARTS = r"(?:\d+\s?(?:d|h|hr|m|min)\s?){1,3}\d+(?:\.\d+)?\s?s(?:ec)?"
_COUNTED = (
    r"(?:it|iter|iteration|episode|trial|step|batch|sample|example|epoch|token|img|image|frame|row"
    r"|file|record|call)"
)
# A number beside such a word; but what it took 37 of, iterations or epochs, is a result.
_AMOUNT = (
    rf"(?:\d+:\d\d\b|{_NUMBER}{_ANY_UNIT}|\d++\.\d*+(?:[eE][+-]?\d++)?+(?!\s+{_COUNTED}(?:s|es)?\b)"
    r"|\d++(?:[eE][+-]?\d++)?+(?!\.\d|\s+[A-Za-z]))"
)
_RATE = (
    rf"(?:{_NUMBER}|\?)\s?(?:"
    rf"[kKMG]?{_COUNTED}(?:s|es)?\s?/\s?(?:s|sec|second|min|minute)"
    rf"|(?:s|ms|us|µs|sec)\s?/\s?{_COUNTED}|[kKMGT]?i?B\s?/\s?s(?:ec)?)\b"
)
# Words beside which a number without a unit is a time; `timestep` and `times` are none of them.
_WORD = (
    r"(?:elapsed|took|duration|runtime|walltime|timestamp|seconds|(?:[a-z]{1,20}[_-]){0,6}time"
    r"|time[_ -](?:taken|spent|elapsed|total|per[_ -][a-z]{1,10})"
    r"|(?:[a-z]{1,20}_){1,6}(?:runtime|duration|seconds|secs|ms|time_s)"
    r"|(?:[a-z]{1,20}_){0,6}per_(?:second|sec))"
)
_DONE = rf"(?:finished|completed|done|ran|{_COUNTED}(?:s|es)?)"
_BETWEEN = r"(?:\s*\([a-z]{1,10}\))?[\"']?\s*(?:[:=]\s*)?(?:is\s+|of\s+|about\s+)?"
_NAME = r"[^/\s'\",;:)\]}]+"

_TIME, _FOLDER, _PATH, _ADDRESS, _PROCESS = "⟦time⟧", "⟦folder⟧", "⟦path⟧", "⟦address⟧", "⟦pid⟧"
_KEPT = r"\1"  # the word before a number
_I = re.IGNORECASE
# What a pattern cannot match without (one of several), so that most are not tried; the pattern;
# what stands in place of it; flags.
_TABLE: tuple[tuple[str, str, str, int], ...] = (
    # A folder of tempfile or pytest below one for temporary files, and all such folders.
    ("/var/folders/", rf"(?:/private)?/var/folders/[^/\s]+/[^/\s]+(?:/[A-Z])?/{_NAME}", _FOLDER, 0),
    ("tmp/", rf"(?<![\w.⟧])(?:/var|/usr|/dev/shm)?/tmp/{_NAME}", _FOLDER, 0),
    ("tmp", r"(?<=/)tmp[a-z0-9_]{8}(?![\w])", _FOLDER, 0),
    ("/worktrees/", rf"(?<![^\s'\"(=])[^\s'\"(=⟦]*/repro/worktrees/{_NAME}", _PATH, 0),
    # tqdm: [00:12<00:03, 3.2it/s, loss=0.5], whose postfix stays.
    (
        "[", r"(?<=\[)(?:\d+:)?\d+:\d\d(?:<(?:\?|(?:\d+:)?\d+:\d\d))?"
        r"(?:,\s*[\d.?]+\s?[^\s\],]{1,20}/[^\s\],]{1,20})?(?=[\],])", _TIME, 0,
    ),
    (":", rf"(?<![\w.])(?:{_ISO_DAY}|{_NAMED_DAY}{_YEAR}?)[T ]+{_CLOCK}{_ZONE}{_YEAR}?", _TIME, 0),
    (":", rf"(?<![\w.])(?:{_ISO_DAY}|{_NAMED_DAY}{_YEAR})[T ]+\d\d:\d\d{_ZONE}(?![\w:])", _TIME, 0),
    (":", rf"\b[IWEF]\d{{4}} {_CLOCK}(?:\s+\d{{2,}}(?=\s))?", _TIME, 0),  # glog
    ("20|19", rf"(?<![\w.])(?:19|20)\d\d[01]\d[0-3]\d[-_T]{_COMPACT_CLOCK}Z?(?!\w)", _TIME, 0),
    (":", rf"(?<![\w.:])(?:\d+ days?, )?{_CLOCK}(?:\s?[AP]M\b)?{_ZONE}(?![\w:])", _TIME, _I),
    (":", r"(?<![\w.:])\d{1,2}:[0-5]\d\s?[AP]M\b", _TIME, _I),
    ("20|19", rf"(?<![\w./-])(?:{_ISO_DAY}|{_NAMED_DAY}{_YEAR})(?![\w/-])", _TIME, 0),
    ("s", rf"(?<![\w.]){_PARTS}\b", _TIME, 0),
    ("/", rf"(?<![\w.]){_RATE}", _TIME, 0),
    (
        "time|elapsed|took|duration|second|_secs|_ms|per_sec",
        rf"((?<![A-Za-z\d]){_WORD}{_BETWEEN}){_AMOUNT}(?![\w%/:])",
        _KEPT + _TIME, _I,
    ),
    ("eta", rf"(\bETA{_BETWEEN}){_AMOUNT}(?![\w%/:])", _KEPT + _TIME, 0),
    (" in", rf"(\b{_DONE}\s+in\s+)\d++\.\d++(?!\.?\w|\s*[a-z])", _KEPT + _TIME, _I),
    ("s", rf"(?<![\w.])(?:{_NUMBER}\s?(?:±|\+/?-)\s?)?{_NUMBER}\s?{_UNIT}(?![\w/])", _TIME, 0),
    ("elapsed", rf"(?<![\w.]){_NUMBER}(?=\s+elapsed\b)", _TIME, 0),
    ("0x", r"\bat 0x[0-9a-fA-F]+\b", "at " + _ADDRESS, 0),
    ("0x", r"\b0x(?:0000)?[0-9a-fA-F]{9,12}\b", _ADDRESS, 0),
    ("pid|tid", r"((?<![A-Za-z])[pt]id[\"']?\s*[:=#]?\s*\(?)\d+\b(?!\.\d)", _KEPT + _PROCESS, _I),
    (
        "process|thread", r"((?<![A-Za-z])(?<!to )(?<!per )(?:process|thread)(?:\s+id)?"
        r"\s*[:=#]?\s*)\d{3,8}\b(?!\.\d|\s*[A-Za-z%])", _KEPT + _PROCESS, _I,
    ),
)  # fmt: skip


@cache
def _patterns() -> tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...]:
    """The table, compiled when first needed: that takes 30 ms."""
    return tuple(
        (tuple(needs.split("|")), re.compile(pattern, flags), replacement)
        for needs, pattern, replacement, flags in _TABLE
    )


class Masker:
    """Puts a mark in the place of all in a line that differs from execution to execution.

    Those are times of day, dates, durations, rates, addresses, process ids and temporary paths;
    colours, which depend on whether there is a terminal, are taken away. A number is a duration
    only with its unit, or beside a word such as `took`: results, such as `loss 0.123`, are never
    masked. Masking what is masked changes nothing.
    """

    def __init__(self, paths: Mapping[str, str] | None = None) -> None:
        """Prepare.

        Args:
            paths: Other texts to put a mark in the place of, longer ones first, each with the
                name of its mark: what has the same name in two executions is the same.
        """
        given = {path.rstrip("/"): name for path, name in (paths or {}).items()}
        self._paths = [
            (re.compile(rf"(?<![\w.-]){re.escape(path)}(?![\w-])"), f"⟦{given[path]}⟧")
            for path in sorted(given, key=len, reverse=True)
            if path
        ]

    def __call__(self, line: str) -> str:
        """The line with marks in it.

        Cost: about 100 µs for a line of 80 characters.
        """
        if len(line) > _LONGEST:
            return line
        line = _COLOUR.sub("", line)
        for pattern, mark in self._paths:
            line = pattern.sub(mark, line)
        # To the end, so that masking twice is masking once; each turn that changes anything
        # takes digits or temporary folders away.
        while (after := _mask_once(line)) != line:
            line = after
        return line


def _mask_once(line: str) -> str:
    if _WORTH_A_LOOK.search(line):
        lower = line.lower()
        for needs, pattern, replacement in _patterns():
            if any(need in lower for need in needs):
                line = pattern.sub(replacement, line)
    # Columns are padded to the width of what was masked.
    return _SPACED_MARK.sub(r" \1 ", line) if "⟦" in line else line
