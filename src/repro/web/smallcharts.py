"""Small charts that need no script: SVG within the page."""

from markupsafe import Markup

from repro.core.runcurves import SmallCurve
from repro.model.medium import Bins
from repro.model.readable import format_number
from repro.model.svgchart import STYLE, Line, line_chart

_WIDTH, _HEIGHT = 400, 210
_TALL = 90  # pixels of a histogram


def draw_small(name: str, curve: SmallCurve, x_label: str) -> Markup:
    """The chart of one curve."""
    svg = line_chart(
        [Line(label=name, xs=curve.xs, ys=curve.ys)],
        title=name,
        x_label=x_label,
        y_label="",
        width=_WIDTH,
        height=_HEIGHT,
    )
    return Markup(svg.replace(STYLE, ""))  # noqa: S704  # line_chart escapes all that is not its own


def draw_histogram(bins: Bins) -> Markup:
    """The bars of a histogram, as wide as their bins, from 0 to the largest count."""
    low, high = bins.edges[0], bins.edges[-1]
    span = high - low
    most = max((count for count in bins.counts if count > 0), default=0.0)
    bars = []
    for left, right, count in zip(bins.edges, bins.edges[1:], bins.counts, strict=False):
        if not (0 < span < float("inf") and 0 < count <= most < float("inf")):
            continue
        x, width = _WIDTH * (left - low) / span, max(_WIDTH * (right - left) / span - 0.5, 0.5)
        tall = _TALL * (count / most)
        bars.append(f"M{x:.1f} {_TALL}v-{tall:.1f}h{width:.1f}v{tall:.1f}z")
    said = f"from {format_number(float(low))} to {format_number(float(high))}"
    said += f", at most {format_number(float(most))}"
    return Markup(  # noqa: S704  # numbers alone
        f'<svg class="chart" role="img" viewBox="0 0 {_WIDTH} {_TALL}"'
        f' preserveAspectRatio="none"><title>histogram {said}</title>'
        f'<path d="{"".join(bars)}" fill="currentColor"/></svg>'
    )
