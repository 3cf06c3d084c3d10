"""The colours of lines in charts."""

PALETTE = (
    "#2f7fd6", "#d9661f", "#1b9a6c", "#c2528f", "#8a63d2",
    "#a87d10", "#0f94a8", "#e0474c", "#6f7d8c", "#7b8f1f",
)  # fmt: skip
