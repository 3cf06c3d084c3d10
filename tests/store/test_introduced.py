"""Which addresses runs were pushed to before."""

from repro.store.introduced import FILE, introduce, is_introduced


def test_an_address_is_known_once_it_was_pushed_to(tmp_path):
    private = tmp_path / "repro"
    assert not is_introduced(private, "https://example.org/x")
    introduce(private, "https://example.org/x")
    introduce(private, "https://example.org/x")
    introduce(private, "/srv/y")

    assert is_introduced(private, "https://example.org/x")
    assert is_introduced(private, "/srv/y")
    assert not is_introduced(private, "https://example.org/z")
    assert len((private / FILE).read_text().split()) == 2


def test_no_address_is_written_down(tmp_path):
    introduce(tmp_path, "https://ada:hunter2@example.org/x")
    assert "hunter2" not in (tmp_path / FILE).read_text()


def test_a_file_that_is_damaged_only_costs_a_question(tmp_path):
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    assert not is_introduced(tmp_path, "/srv/y")
