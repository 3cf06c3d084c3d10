"""F: sweeps from elsewhere."""

from tests.hostile.table import Elsewhere, Row

_SWEEPS = "tests/hostile/test_sweeps.py::"
_REFUSED = f"{_SWEEPS}test_hostile_sweeps_are_refused_one_by_one"
_LONG = f"{_SWEEPS}test_a_ledger_without_end_is_refused_by_its_size"
_UNASKED = f"{_SWEEPS}test_nothing_of_a_hostile_sweep_runs_unasked_and_its_names_are_escaped"
_VETTED = "tests/core/test_vetted_sweep.py::"
_SECRET = (
    "tests/core/sweep/test_trial.py::"
    "test_a_secret_of_the_environment_reaches_the_command_and_no_record"
)
_CHANGED = f"{_VETTED}test_what_a_sweep_is_never_changes_and_no_result_of_it_goes"

_ROWS = (
    ("`sweep.json` has another command than the frozen record", "refused", _REFUSED),
    ("the frozen record is another run's", "refused", _REFUSED),
    ("the frozen record is missing, or is code; a commit without parents", "refused", _REFUSED),
    ("`sweep.json` says another id than the ref", "refused", _REFUSED),
    ("`sweep.json` of a newer format, or with a spec that nobody can do", "refused", _REFUSED),
    ("a file beside `sweep.json` and `journal`", "refused", _REFUSED),
    ("`journal` is a link or a submodule", "refused", _REFUSED),
    ("a page is a link or a submodule, or is named with escape sequences", "refused", _REFUSED),
    ("a page that is missing, short, too long, or cut off in a line", "refused", _REFUSED),
    (
        "an entry that is no JSON, 10,000 levels deep, or has a number beyond all",
        "refused",
        _REFUSED,
    ),
    ("params that are NaN, have 4,000 digits, or a key such as `--x`", "refused", _REFUSED),
    (
        "a trial of somebody's own sweep with other params than its space: words of a command",
        "refused",
        f"{_VETTED}test_what_runs_is_what_was_shown_and_params_are_of_the_space",
    ),
    ("a ledger of more than 10^6 entries", "refused before it is read", _LONG),
    (
        "a ledger that takes results back, or a sweep that became another one",
        "refused; what is here is kept",
        _CHANGED,
    ),
    (
        "name, note and command with `ESC[31m`, `<U+202E>`",
        "comes in, and is shown escaped",
        _UNASKED,
    ),
    (
        "a command that executes something, such as `sh -c`",
        "shown, and asked about, before `resume` or `agent` executes it",
        _UNASKED,
    ),
    ("a command that starts with `-`, a name `--yes`", "a word like any other: no shell", _UNASKED),
    (
        "`${envvar:AWS_SECRET_ACCESS_KEY}` in the command",
        "shown with the question; only its process gets the value, the record a mark",
        _SECRET,
    ),
)
CASES: tuple[Row, ...] = tuple(
    Elsewhere(id=f"F{number:02d}", what=what, outcome=outcome, tests=(test,))
    for number, (what, outcome, test) in enumerate(_ROWS, 1)
)
