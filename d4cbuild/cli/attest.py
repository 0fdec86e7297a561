"""``d4cbuild attest``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from d4cbuild.attest.keys import read_signing_key
from d4cbuild.build.attesting import attest_recipe
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.project import dist_folder
from d4cbuild.build.result import shown_path
from d4cbuild.cli import common
from d4cbuild.cli.trusting import attestations_folder


@click.command("attest")
@common.recipes_argument
@common.all_option
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The private key to sign with; d4cbuild key new makes one.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where attestations go. [default: attestations/ of the project]",
)
@common.dist_option
@common.json_option
def command(
    recipes: tuple[Path, ...],
    every: bool,
    key_file: Path,
    output: Path | None,
    dist: Path | None,
    as_json: bool,
) -> int:
    """Sign the provenance of recipes' manifests: what was built from what, and by whom.

    Sign what you built yourself. Data files that are there must be those of the manifest.
    """
    key = read_signing_key(key_file)

    def work(recipe: Path) -> tuple[dict[str, Any], int]:
        path = attest_recipe(
            RecipeFolder(recipe),
            key,
            attestations_folder(output, recipe),
            dist_folder(dist, recipe),
        )
        record = {
            "recipe": str(recipe),
            "attestation": str(path),
            "builder": key.builder,
            "key_id": key.public.key_id,
        }
        return record, 0

    return common.each_recipe(
        common.chosen_recipes(recipes, every),
        as_json,
        work,
        lambda record: (
            f"{record['recipe']}: signed by {record['builder']}:"
            f" {shown_path(Path(record['attestation']))}"
        ),
    )
