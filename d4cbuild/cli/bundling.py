"""Options of the commands that write bundles."""

from __future__ import annotations

import click

from d4cbuild.bundle.writing import SMALLEST_PART
from d4cbuild.cli import common

fat_option = click.option(
    "--fat/--thin",
    default=False,
    help="With raw sources, packages and environment, so that nothing else is needed to rebuild;"
    " or without them.  [default: --thin]",
)
split_option = click.option(
    "--split",
    type=common.Size(SMALLEST_PART),
    metavar="SIZE",
    help="Cut files that are larger, such as 2GiB, for archives with a limit.",
)
