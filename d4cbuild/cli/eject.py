"""``d4cbuild eject``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from d4cbuild.build.ejecting import eject
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.cli import common


@click.command("eject")
@common.recipes_argument
@common.json_option
def command(recipes: tuple[Path, ...], as_json: bool) -> int:
    """Write the steps of recipes as code that can be edited.

    The recipe's folder gets process.py and the package it calls, and recipe.toml runs them instead
    of the steps. Nothing else changes: it is the code that was run before.
    """

    def write(recipe: Path) -> tuple[dict[str, Any], int]:
        return {"recipe": str(recipe), "files": list(eject(RecipeFolder(recipe)).files)}, 0

    return common.each_recipe(common.chosen_recipes(recipes, False), as_json, write, _render)


def _render(record: dict[str, Any]) -> str:
    recipe, files = record["recipe"], record["files"]
    written = "\n".join(f"  {recipe}/{name}" for name in files)
    return (
        f"{recipe}: its steps are code now\n{written}\n"
        f"next: edit {recipe}/process.py, then d4cbuild build --dirty {recipe}"
    )
