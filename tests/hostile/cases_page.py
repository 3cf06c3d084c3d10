"""G: requests to the web page, and records as pages of it."""

from tests.hostile.table import Elsewhere, Row

_GUARD = "tests/web/test_guard.py::"
_SERVE = "tests/web/test_serve.py::"
_ADDRESSES = "tests/web/test_hostile_addresses.py::"
_RECORDS = "tests/web/test_hostile_records.py::"
_ARTIFACTS = "tests/web/test_artifacts.py::"
_FILES = "tests/web/test_files.py::"
_ATTACKER = (
    "tests/browser/test_attacker.py::test_a_page_of_another_site_learns_nothing_and_changes_nothing"
)
_OTHERS = f"{_GUARD}test_pages_of_others_may_neither_read_nor_change"
_CHANGE = f"{_GUARD}test_a_change_must_say_that_it_comes_from_our_pages_and_be_json"
_ODD = f"{_SERVE}test_odd_requests_are_refused_and_the_next_one_is_answered"
_PATHS = f"{_ADDRESSES}test_no_word_of_an_address_leads_anywhere_else"
_VALUES = f"{_ADDRESSES}test_no_value_of_an_address_is_more_than_a_wrong_value"
_CRAWLED = f"{_RECORDS}test_every_page_that_a_hostile_record_leads_to_is_inert"

_ROWS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "`Host: evil.example`, `127.0.0.1.evil.example`, another port, `0.0.0.0`, `2130706433`, `[::ffff:127.0.0.1]`",
        "403, with the token, too",
        (f"{_GUARD}test_a_foreign_host_is_refused_even_with_the_token",),
    ),
    ("no `Host`, two of them", "400", (_ODD,)),
    (
        "`Origin` of another site or port, or `null`; `Sec-Fetch-Site: cross-site`; of the stream, too",
        "403",
        (_OTHERS,),
    ),
    (
        "a page on another port of this machine: `fetch`, a form, a frame, a stream, a script, a picture, a window that it opens",
        "learns nothing, changes nothing",
        (_ATTACKER,),
    ),
    (
        "a change without `Origin`, as a form, as text, of more than 1 MiB, by `PUT`",
        "403, 415, 413, 405",
        (_CHANGE,),
    ),
    (
        "a GET that changes something",
        "there is none",
        (f"{_GUARD}test_only_a_post_changes_anything",),
    ),
    (
        "no token, a wrong one, 1,000 wrong ones",
        "401, and the owner is not locked out",
        (
            f"{_GUARD}test_without_the_token_nothing_is_shown",
            f"{_GUARD}test_a_thousand_wrong_tokens_do_not_lock_the_owner_out",
        ),
    ),
    (
        "the token in the address",
        "moves into an `HttpOnly; SameSite=Strict` cookie",
        (f"{_GUARD}test_the_token_moves_from_the_address_into_a_cookie_that_scripts_cannot_read",),
    ),
    (
        "other users look at the list of processes while the browser is started",
        "the token is not in it",
        ("tests/cli/test_browser.py::test_the_token_is_in_no_word_that_a_program_is_started_with",),
    ),
    (
        "cookies of other servers of this machine: malformed, of the same name",
        "passed over",
        (f"{_GUARD}test_cookies_of_other_servers_of_this_machine_do_not_lock_the_owner_out",),
    ),
    (
        "`//evil.example?token=…&next=//evil.example`",
        "no way to another site",
        (f"{_GUARD}test_the_token_never_leads_to_another_site",),
    ),
    (
        "`../`, `%2e%2e%2f`, `%252e%252e`, `..%5c`, `..;/`, `%00`, `/etc/passwd`, `file:///` in every part of every path",
        "404 or 400",
        (
            _PATHS,
            f"{_GUARD}test_no_path_leads_out_of_the_static_files",
            f"{_FILES}test_no_path_leads_out_of_the_code",
        ),
    ),
    (
        "`' OR 1=1 --`, `__import__`, 10,000 brackets, `1e999`, `-1`, 400 digits as the value of every key",
        "400, or a value like any other",
        (_VALUES, f"{_ADDRESSES}test_a_filter_of_ten_thousand_brackets_is_refused"),
    ),
    (
        "a header or an address of 1 MB, `Transfer-Encoding` with `Content-Length`, a body that ends early, TLS, a web socket",
        "refused; the next request is answered",
        (_ODD,),
    ),
    (
        "300 connections that say nothing, or `GET / HT`",
        "others are answered; closed after 10 seconds",
        (
            f"{_SERVE}test_idle_connections_keep_nobody_else_out",
            f"{_SERVE}test_connections_that_say_nothing_are_closed",
        ),
    ),
    (
        "a port that somebody else has",
        "another one is taken; where one was asked for, an error",
        (
            f"{_SERVE}test_a_port_that_is_taken_is_never_shared",
            f"{_SERVE}test_a_port_that_was_asked_for_and_is_taken_is_an_error",
        ),
    ),
    (
        "the page in a frame; a script in the page",
        "forbidden by the policy of each answer",
        (f"{_GUARD}test_every_answer_has_strict_headers",),
    ),
    (
        'a record of which every name, text and value is `<script>`, `"><img onerror>`, `javascript:`, `ESC[31m`, `<U+202E>`, NaN, infinite, or has 4,000 digits',
        "every page is shown, all of it as text; every link leads to the page itself",
        (_CRAWLED,),
    ),
    (
        "`.gitattributes` and a configuration with `textconv`, `filter`, `diff.external`, pagers and monitors",
        "no page starts any of them",
        (_CRAWLED,),
    ),
    (
        "5,000 params and artifacts, a note of 1 MB, a file of a million lines",
        "shown in part, which is said",
        (
            f"{_RECORDS}test_a_record_with_more_than_anybody_reads_is_shown_in_part",
            "tests/core/test_codediff.py::test_a_file_of_a_million_lines_is_shown_in_part",
        ),
    ),
    (
        "artifacts that are HTML, SVG, XHTML, PDF or JavaScript; HTML called `.png`",
        "can be saved, and are never shown",
        (f"{_ARTIFACTS}test_whatever_could_run_is_only_saved",),
    ),
    (
        "an artifact that is a link, is missing, or has other bytes than its digest says",
        "refused",
        (
            f"{_ARTIFACTS}test_a_link_in_a_record_is_no_artifact",
            f"{_ARTIFACTS}test_bytes_that_are_not_here_are_said_to_be_missing",
            f"{_ARTIFACTS}test_bytes_that_are_not_those_of_the_digest_are_not_handed_out",
        ),
    ),
    (
        "code with links to `/etc/passwd`, names that are no UTF-8 or markup",
        "a link says where it leads, and is not followed",
        (
            f"{_FILES}test_a_link_says_where_it_leads_and_is_not_followed",
            f"{_FILES}test_a_file_of_any_name_is_found_by_its_link",
        ),
    ),
    (
        "the disk is full, the repository is gone, a failure that nobody foresaw",
        "a page that says so, without a traceback",
        (
            "tests/web/test_failures.py::test_every_failure_is_a_page_like_the_others",
            "tests/web/test_failures.py::test_a_repository_that_is_gone_is_said",
        ),
    ),
)
CASES: tuple[Row, ...] = tuple(
    Elsewhere(id=f"G{number:02d}", what=what, outcome=outcome, tests=tests)
    for number, (what, outcome, tests) in enumerate(_ROWS, 1)
)
