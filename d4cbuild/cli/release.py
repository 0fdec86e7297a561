"""``d4cbuild release``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.project import dist_folder, project_root
from d4cbuild.build.result import shown_path
from d4cbuild.bundle.gather import Gathering
from d4cbuild.cli import bundling, common
from d4cbuild.cli.progress import make_progress
from d4cbuild.cli.trusting import attestations_folder
from d4cbuild.errors import Exit
from d4cbuild.release.release import Release, ReleaseOptions, release_recipe
from d4cbuild.release.rows import RowComparer
from d4cbuild.store import Store

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("release")
@common.recipes_argument
@common.all_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@bundling.fat_option
@bundling.split_option
@click.option(
    "--policy",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="TRUST.TOML",
    help="Whose signatures count. [default: trust.toml of the project]",
)
@bundling.attestations_option
@click.option(
    "--output",
    type=_FOLDER,
    metavar="DIR",
    help="Where the bundle's folder is made. [default: dist/releases of the project]",
)
@common.mirror_option
@common.dist_option
@common.json_option
def command(
    recipes: tuple[Path, ...],
    every: bool,
    dry_run: bool,
    fat: bool,
    split: int | None,
    policy: Path | None,
    attestations: Path | None,
    output: Path | None,
    mirrors: tuple[str, ...],
    dist: Path | None,
    as_json: bool,
) -> int:
    """Release accepted builds: check the version, write notes in both languages, bundle, tag.

    What changed since the last release is found from its tag, and decides which version may follow:
    major for a broken schema, minor for more columns or rows, patch for fixed values. A build that
    is not committed, locked, verified and signed is refused, with the list of what is missing.

    A release that was interrupted is finished by running it again.
    """
    store = Store()
    progress = make_progress()

    def work(recipe: Path) -> tuple[dict[str, Any], int]:
        place = dist_folder(dist, recipe)
        signed = attestations_folder(attestations, recipe)
        options = ReleaseOptions(
            policy=policy or project_root(recipe) / "trust.toml",
            attestations=signed,
            output=output or place / "releases",
            split=split,
            dry_run=dry_run,
        )
        gathering = Gathering(store, place, signed, mirrors, fat, progress)
        compare = RowComparer(store, place).counts
        released = release_recipe(RecipeFolder(recipe), gathering, compare, options, progress)
        return released.as_json(), _exit_code(released)

    with store.in_use():
        return common.each_recipe(common.chosen_recipes(recipes, every), as_json, work, _render)


def _exit_code(released: Release) -> int:
    return int(Exit.BAD_INPUT) if released.lacks else 0


def _render(record: dict[str, Any]) -> str:
    status = {"planned": "would be released", "done": "was released already"}
    title = f"{record['recipe']} {record['version']}: {status.get(record['status'], 'released')}"
    lines = [title]
    if record["before"] is not None:
        lines.append(
            f"  since {record['before']}: {record['size']}; {record['least']} is the least version"
        )
    if record["remark"] is not None:
        lines.append(f"  {record['remark']}")
    lines += [f"  missing: {lack['what']}\n    next: {lack['next']}" for lack in record["lacks"]]
    lines += [f"  | {line}" for line in record["notes"]["en"].splitlines()]
    if record["bundle"] is not None:
        lines.append(f"  bundle: {shown_path(Path(record['bundle']))}")
    if record["commit"] is not None:
        lines.append(f"  tag: {record['tag']} at {record['commit'][:12]}")
        lines.append(f"  next: git push origin {record['tag']}")
    return "\n".join(lines)
