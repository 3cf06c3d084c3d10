"""The option `--data` of verbs that record: datasets beside those of `repro.yaml`."""

import click

takes_data = click.option(
    "--data",
    "data",
    multiple=True,
    type=click.Path(),
    metavar="PATH",
    help="Dataset that the command reads, beside those of repro.yaml; may be repeated.",
)
