"""Options of the commands that write bundles."""

from __future__ import annotations

from pathlib import Path

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
attestations_option = click.option(
    "--attestations",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where attestations are. [default: attestations/ of the project]",
)
