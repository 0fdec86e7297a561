"""``d4cbuild build``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from d4cbuild.build.request import BuildRequest
from d4cbuild.build.result import BuildResult, shown_path
from d4cbuild.cli import common, sharing
from d4cbuild.cli.progress import make_progress
from d4cbuild.cli.sharing import Shared
from d4cbuild.errors import InputError
from d4cbuild.store import Store

_STATUS = {
    "built": "built",
    "known": "known to the store, nothing was run",
    "substituted": "taken from a substituter, nothing was run",
    "unchanged": "unchanged",
}


@click.command("build")
@common.recipes_argument
@common.all_option
@common.runner_option
@common.mirror_option
@common.dist_option
@common.cpus_option
@sharing.options(outputs=True)
@click.option("--explain", is_flag=True, help="Say which ingredient makes a build necessary.")
@click.option("--force", is_flag=True, help="Build also what the store already knows.")
@click.option("--dirty", is_flag=True, help="Build uncommitted files; not releasable.")
@click.option("--watch", is_flag=True, help="Build uncommitted files at every save.")
@common.json_option
def command(
    recipes: tuple[Path, ...],
    every: bool,
    runner: str,
    mirrors: tuple[str, ...],
    dist: Path | None,
    cpus: int | None,
    shared: Shared,
    explain: bool,
    force: bool,
    dirty: bool,
    watch: bool,
    as_json: bool,
) -> int:
    """Build recipes from their locks.

    Fetches what is missing, runs the recipe's code in a sandbox, checks its outputs against their
    declarations, writes them in normal form, and records everything in manifest.json. What was
    built before from the same ingredients is not built again; what others built is taken from
    substituters, if somebody trusted has signed it.

    With --watch, one recipe is built from uncommitted files whenever something in its folder is
    saved; its first rows are shown, and what changed since the build before. Ctrl-C ends it. With
    --json, each build is one line: a JSON document of its own.
    """
    if watch:
        recipe = _watched(recipes, every, explain or force)
        request = BuildRequest(recipe, shared, dist, mirrors, runner, cpus, dirty=True)
        # Imported late: it needs much that a build with nothing to do does not.
        from d4cbuild.cli.watching import watch as watch_builds

        return watch_builds(request, as_json)
    store = Store()
    progress = make_progress()

    def work(recipe: Path) -> tuple[dict[str, Any], int]:
        request = BuildRequest(
            recipe, shared, dist, mirrors, runner, cpus, dirty=dirty, explain=explain, force=force
        )
        return request.answer(store, progress).as_json(), 0

    with store.in_use():
        return common.each_recipe(common.chosen_recipes(recipes, every), as_json, work, _render)


def _watched(recipes: tuple[Path, ...], every: bool, otherwise: bool) -> Path:
    """The one recipe that is to be watched."""
    if otherwise:
        raise InputError("--watch does not go with --explain or --force", hint="leave out either")
    chosen = common.chosen_recipes(recipes, every)
    if len(chosen) != 1:
        raise InputError(
            "only one recipe can be watched at a time",
            expected="one recipe",
            found=f"{len(chosen)}",
            hint=f"d4cbuild build --watch {chosen[0]}",
        )
    return chosen[0]


def _render(record: dict[str, Any]) -> str:
    result = BuildResult.from_json(record)
    lines = [f"{result.recipe}: {_STATUS[result.status]} ({result.build_key})"]
    if result.taken_from is not None:
        taken = result.taken_from
        lines.append(f"  from {taken.where}, built by {taken.builder} (key {taken.key_id[:12]})")
    lines += [f"  because {line}" for line in result.explanation]
    for output in result.outputs:
        rows = "" if output.rows is None else f", {output.rows:,} rows"
        lines.append(f"  {shown_path(output.path)}  {output.size:,} bytes{rows}")
        lines.append(f"    {output.sha256}")
        if output.rewritten:
            lines.append(f"    rewritten: {', '.join(output.rewritten)}")
        if output.kept:
            lines.append(f"    kept as it is: {output.kept}")
    if result.manifest_changed:
        lines.append(f"  manifest: {shown_path(result.manifest)} (changed: see git diff)")
    if not result.releasable:
        lines.append("  not releasable: built from files that were not committed")
    return "\n".join(lines)
