import hashlib
from pathlib import Path

from tests.support.projects import open_here
from tests.support.records import make_record, open_at, write_run

from repro.core.report import ReportWish, make_report
from repro.core.reportmedia import read_pictures
from repro.model.medium import Bins, MediaFile, Medium
from repro.model.reporthtml import write_html
from repro.model.reportlayout import lay_out_report
from repro.model.reportmarkdown import write_markdown
from repro.model.run import Record
from repro.store.media import FILE, format_media

_SIGN = b"\x89PNG\r\n\x1a\n"


def picture(name: str, step: int, data: bytes, caption: str | None = None) -> Medium:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    file = MediaFile("png", len(data), digest, "git", 1, 1)
    return Medium(name=name, step=step, time=5.0, place=0, kind="image", caption=caption, file=file)


def write(root: Path, *media: Medium, **contents: bytes) -> Record:
    """A run with media; `contents` are the bytes of pictures, by their names."""
    files = {FILE: format_media(media)}
    files |= {one.file.path: contents[one.name] for one in media if one.file is not None}
    return write_run(open_at(root), make_record(name="mine"), files=files)


def test_the_newest_picture_of_each_name_is_shown(repository):
    new, other = _SIGN + b"new", _SIGN + b"other"
    bins = Medium(
        name="h", step=1, time=1.0, place=0, kind="histogram", bins=Bins((0.0, 1.0), (1,))
    )  # fmt: skip
    record = write(
        repository, picture("a", 1, new), picture("a", 5, new, "<b>"), picture("b", 2, other), bins,
        a=new, b=other,
    )  # fmt: skip

    report = make_report(open_here(repository), ReportWish(names=(record.run.id,)))
    page = lay_out_report(report, patch_chars=0)

    shown = [(one.name, one.step, one.data) for one in report.pictures.shots]
    assert shown == [("a", 5, new), ("b", 2, other)]
    pictures = report.pictures
    assert (pictures.n_left, pictures.n_earlier, pictures.n_tables) == (0, 1, 0)
    html, markdown = write_html(page), write_markdown(page)
    assert html.count('src="data:image/png;base64,iVBORw0KGgp') == 2
    assert "(mine): &lt;b&gt;" in html
    assert "\n2 pictures, which `repro report -o report.html` shows.\n" in markdown
    assert "Not shown: 1 earlier picture, 1 histogram. `repro ui` shows all." in markdown


def test_pictures_take_no_more_than_their_room(repository):
    large, small = _SIGN + b"x" * 500, _SIGN
    record = write(
        repository, picture("a", 1, large), picture("b", 1, large), picture("c", 1, small),
        a=large, b=large, c=small,
    )  # fmt: skip

    found = read_pictures(open_here(repository), [record], 600)

    assert [one.name for one in found.shots] == ["a", "c"]
    assert found.n_left == 1


def test_a_picture_that_is_none_hides_no_other(repository):
    script, good = b"<script>", _SIGN
    record = write(
        repository, picture("a", 1, script), picture("b", 1, good), picture("c", 1, _SIGN + b"1"),
        a=script, b=good, c=_SIGN + b"2",
    )  # fmt: skip
    broken = write_run(open_at(repository), make_record(), files={FILE: b"{"})

    found = read_pictures(open_here(repository), [record, broken], 10_000)

    assert [one.name for one in found.shots] == ["b"]
    assert [problem.partition(":")[0] for problem in found.problems] == [
        f"picture `a` of run `{record.run.id}`",
        f"picture `c` of run `{record.run.id}`",
        f"the media of run `{broken.run.id}`",
    ]
