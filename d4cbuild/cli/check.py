"""``d4cbuild check``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from d4cbuild.build.checking import check_recipe
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.mending import mend_recipe
from d4cbuild.cli import common
from d4cbuild.errors import Exit
from d4cbuild.hazards.finding import Finding
from d4cbuild.sources.sight import LookLimits


@click.command("check")
@common.recipes_argument
@common.all_option
@click.option("--fix", is_flag=True, help="Mend in recipe.toml what has exactly one right answer.")
@click.option("--reach", is_flag=True, help="Ask addresses and remotes whether they answer.")
@click.option("--strict", is_flag=True, help="Hazards that are not allowed are errors too.")
@common.json_option
def command(
    recipes: tuple[Path, ...], every: bool, fix: bool, reach: bool, strict: bool, as_json: bool
) -> int:
    """Say everything that is wrong with recipes, without building them.

    Faults of recipe.toml, of the lock and the manifest, and hazards to sameness in Python, SQL and
    shell: each with file, line, column and what to do. A comment `# d4c: allow <hazard>: reason` on
    the line, or above it, keeps a hazard. The network is used with --reach only.
    """

    def check(recipe: Path) -> tuple[dict[str, Any], int]:
        folder = RecipeFolder(recipe)
        mended = mend_recipe(folder) if fix else []
        findings = check_recipe(folder, LookLimits() if reach else None)
        bad = any(_is_bad(finding, strict) for finding in findings)
        record = {
            "recipe": str(recipe),
            "findings": [finding.as_record() for finding in findings],
            "mended": [finding.as_record() for finding in mended],
        }
        return record, int(Exit.BAD_INPUT) if bad else 0

    chosen = common.chosen_recipes(recipes, every)
    return common.each_recipe(chosen, as_json, check, _render)


def _is_bad(finding: Finding, strict: bool) -> bool:
    return finding.level == "error" or (strict and finding.is_hazard and finding.counts)


def _render(record: dict[str, Any]) -> str:
    findings, mended = record["findings"], record["mended"]
    lines = [f"mended: {_mended(finding)}" for finding in mended]
    lines += [str(Finding(**finding)) for finding in findings]
    errors = sum(1 for f in findings if f["level"] == "error")
    allowed = sum(1 for f in findings if f["allowed"] is not None)
    warnings = len(findings) - errors - allowed
    counts = f"{errors} errors, {warnings} warnings, {allowed} allowed"
    counts = counts if findings else "nothing found"
    head = f"{record['recipe']}: {counts}{f', {len(mended)} mended' if mended else ''}"
    return "\n".join([*lines, head])


def _mended(finding: dict[str, Any]) -> str:
    place = f"{finding['file']}:{finding['line']}:{finding['column']}"
    return f"{place}: {finding['name']}: {finding['message']}\n    {finding['remedy']}"
