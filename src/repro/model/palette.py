"""The colours of lines in charts."""

# Found by a search: of any two, seen as they are or with a kind of colour blindness, the distance
# in CIE Lab is as large as could be had, and each has a contrast of 3 with white and with #0d1117
# (tests/model/test_palette.py measures both).
PALETTE = (
    "#0090ff", "#e27407", "#297149", "#ee035c", "#851dff",
    "#925416", "#ff1cb7", "#8f9388", "#7e5384", "#ba00ca",
)  # fmt: skip

# The nearest of the 256 colours of terminals that are the same everywhere, of each.
TERMINAL_PALETTE = (33, 166, 29, 197, 93, 94, 199, 246, 96, 164)
