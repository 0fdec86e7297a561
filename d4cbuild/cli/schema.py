"""``d4cbuild schema``."""

from __future__ import annotations

import click

from d4cbuild.base.canonical import pretty_json
from d4cbuild.cli import common
from d4cbuild.model.schema import WRITTEN, json_schema


@click.command("schema")
@click.argument("name", type=click.Choice(list(WRITTEN)), metavar="|".join(WRITTEN))
@common.json_option
def command(name: str, as_json: bool) -> int:  # noqa: ARG001 - it is JSON in any case
    """Print the JSON Schema of a file that people write, for their editors.

    Editors that know Taplo (Even Better TOML) complete and check a recipe whose first line is

        #:schema ../../d4cbuild/spec/schemas/recipe.json
    """
    click.echo(pretty_json(json_schema(name)), nl=False)
    return 0
