"""``d4cbuild lock``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.locking import check_lock, lock_recipe
from d4cbuild.cli import common
from d4cbuild.cli.progress import make_progress
from d4cbuild.errors import Exit
from d4cbuild.store import Store


@click.command("lock")
@common.recipes_argument
@common.all_option
@common.mirror_option
@click.option("--check", is_flag=True, help="Only tell whether the lock is stale (exit 2).")
@common.json_option
def command(
    recipes: tuple[Path, ...],
    every: bool,
    mirrors: tuple[str, ...],
    check: bool,
    as_json: bool,
) -> int:
    """Resolve recipes and pin what was found in recipe.lock.

    Fetches every source and hashes it, pins the commit and tree of the recipe's code and the
    environment's image, and prints what is other than in the last lock.
    """
    store = Store()
    progress = make_progress()

    def lock(recipe: Path) -> tuple[dict[str, Any], int]:
        done = lock_recipe(RecipeFolder(recipe), store, mirrors, progress)
        record = {
            "recipe": str(recipe),
            "changes": list(done.changes),
            "first": done.first,
            "lock": done.lock.as_json(),
        }
        return record, 0

    def look(recipe: Path) -> tuple[dict[str, Any], int]:
        reasons = check_lock(RecipeFolder(recipe))
        record = {"recipe": str(recipe), "stale": bool(reasons), "reasons": reasons}
        return record, int(Exit.HASH_MISMATCH) if reasons else 0

    with store.in_use():
        chosen = common.chosen_recipes(recipes, every)
        if check:
            return common.each_recipe(chosen, as_json, look, _render_check)
        return common.each_recipe(chosen, as_json, lock, _render)


def _render(record: dict[str, Any]) -> str:
    if not record["changes"]:
        return f"{record['recipe']}: nothing has changed since the last lock"
    verb = "locked" if record["first"] else "locked again; what has changed"
    return "\n".join([f"{record['recipe']}: {verb}:", *(f"  {c}" for c in record["changes"])])


def _render_check(record: dict[str, Any]) -> str:
    if not record["stale"]:
        return f"{record['recipe']}: the lock is fresh"
    lines = [f"{record['recipe']}: the lock is stale:", *(f"  {r}" for r in record["reasons"])]
    return "\n".join([*lines, f"  next: d4cbuild lock {record['recipe']}"])
