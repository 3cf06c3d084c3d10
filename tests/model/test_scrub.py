from tests.support.secrets import SHAPED, make_secret

from repro.model.marking import Marker
from repro.model.scrub import scrub, scrub_values

MARKER = Marker(b"key of a test")


def test_every_key_with_a_shape_is_taken_out_of_an_output():
    secrets = [make_secret(kind) for kind in SHAPED]
    text = "".join(f"step {number}: using {one}\n" for number, one in enumerate(secrets)).encode()
    bare = scrub(text, MARKER)
    assert [one for one in secrets if one.splitlines()[-1].encode() in bare] == []
    assert bare.count(b"<redacted:") == len(SHAPED)


def test_all_else_stays_byte_for_byte():
    text = b"loss 0.1\r\n\xff\xfe\x00 token_count=5 max_tokens: 128\nepoch 1\n"
    assert scrub(text, MARKER) == text
    secret = make_secret("github").encode()
    assert scrub(text + secret + b"\n" + text, MARKER).startswith(text)
    assert scrub(text + secret + b"\n" + text, MARKER).endswith(text)


def test_a_private_key_is_taken_out_whole():
    key = make_secret("pem").encode()
    bare = scrub(b"before\n" + key + b"\nafter\n", MARKER)
    assert (bare[:17], bare[-8:]) == (b"before\n<redacted:", b">\nafter\n")
    assert len(bare) < 60


def test_more_secrets_than_one_search_names_are_all_taken_out():
    text = "\n".join(make_secret("github", number) for number in range(250)).encode()
    assert b"gh" + b"p_" not in scrub(text, MARKER)


def test_a_long_output_is_searched_to_its_end():
    secret = make_secret("github").encode()
    text = b"loss 0.1\n" * (1 << 20) + secret + b"\n"
    assert secret not in scrub(text, MARKER)


def test_what_was_scrubbed_stays():
    once = scrub(f"token: {make_secret('github')}".encode(), MARKER)
    assert scrub(once, MARKER) == once


def test_values_that_are_known_are_taken_out_wherever_they_are():
    value = make_secret("comet")
    bare = scrub_values(f"a{value}b {value}".encode(), [value], MARKER)
    mark = MARKER.mark(value)
    assert bare == f"a{mark}b {mark}".encode()


def test_a_value_that_may_be_a_word_stays():
    text = b"required abc 12345678 /tmp/ssh-X1y2Z3/agent.77 password"
    values = ["required", "abc", "12345678", "/tmp/ssh-X1y2Z3/agent.77", "password", ""]
    assert scrub_values(text, values, MARKER) == text
