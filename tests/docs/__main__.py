"""Write the generated pages anew: `python -m tests.docs`."""

from tests.docs.pages import CLI, EXIT_CODES, render_cli, render_exit_codes

CLI.write_text(render_cli())
EXIT_CODES.write_text(render_exit_codes(EXIT_CODES.read_text()))
