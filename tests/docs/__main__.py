"""Write the generated pages anew: `python -m tests.docs`."""

from tests.docs.pages import (
    CLI,
    EXIT_CODES,
    HOSTILE,
    render_cli,
    render_exit_codes,
    render_hostile,
)

CLI.write_text(render_cli())
EXIT_CODES.write_text(render_exit_codes(EXIT_CODES.read_text()))
HOSTILE.write_text(render_hostile())
