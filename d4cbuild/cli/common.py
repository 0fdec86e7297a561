"""Options that several commands share, and the loop over several recipes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from d4cbuild.build.project import (
    RECIPE_FILE,
    all_recipes,
    find_recipe,
    project_root,
    relative,
)
from d4cbuild.errors import D4CError, InputError, trouble
from d4cbuild.model.quantities import parse_bytes

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
mirror_option = click.option(
    "--mirror",
    "mirrors",
    multiple=True,
    metavar="DIR|URL",
    help="A further place that holds copies of sources, by file name. Tried first.",
)
runner_option = click.option(
    "--runner",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="What runs the sandbox: auto, bubblewrap or docker.",
)
dist_option = click.option(
    "--dist",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where data files go. [default: dist/ of the project]",
)
cpus_option = click.option(
    "--cpus",
    type=click.IntRange(1, 256),
    metavar="N",
    help="CPUs to use, instead of the recipe's. The bytes must not depend on it.",
)
targets_argument = click.argument("targets", nargs=-1, type=click.Path(path_type=Path))
recipes_argument = click.argument("recipes", nargs=-1, type=click.Path(path_type=Path))
all_option = click.option("--all", "every", is_flag=True, help="Every recipe of the project.")


class Size(click.ParamType[int]):
    """A number of bytes, written with its unit.

    Args:
        least: The smallest that is taken, in bytes.
    """

    name = "size"

    def __init__(self, least: int = 0) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it; see :meth:`click.ParamType.convert`."""
        try:
            size = parse_bytes(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not isinstance(size, int) or size < self._least:
            self.fail(f"{value} is less than {self._least} bytes", param, ctx)
        return size


def chosen_recipes(recipes: Sequence[Path], every: bool) -> list[Path]:
    """Which recipes a command is to work on.

    Raises:
        InputError: if none is named.
    """
    if every or not recipes:
        if recipes:
            raise InputError("name recipes, or use --all, but not both")
        here = Path.cwd()
        if not every and (here / RECIPE_FILE).exists():
            return [Path()]
        if not every:
            raise InputError(
                "no recipe is named", hint="name a recipe's folder, or use --all for every one"
            )
        return [relative(path) for path in all_recipes(project_root(here))]
    return [find_recipe(path) for path in recipes]


def _worked(
    work: Callable[[Path], tuple[dict[str, Any], int]], recipe: Path
) -> tuple[dict[str, Any], int]:
    try:
        return work(recipe)
    except OSError as error:
        raise trouble(error) from error


def each_recipe(
    recipes: Sequence[Path],
    as_json: bool,
    work: Callable[[Path], tuple[dict[str, Any], int]],
    render: Callable[[dict[str, Any]], str],
    summarise: Callable[[list[dict[str, Any]]], None] | None = None,
) -> int:
    """Work on recipes one by one; one that fails does not keep the next from being tried.

    Args:
        recipes: Folders.
        as_json: Whether to print one JSON document at the end, instead of text as it comes.
        work: Does one recipe; returns the record for JSON and its exit code.
        render: Makes the text of a record.
        summarise: Prints what is to be said of all of them, after the last.

    Returns:
        All exit codes, OR-ed.
    """
    status = 0
    results: list[dict[str, Any]] = []
    for recipe in recipes:
        try:
            record, code = _worked(work, recipe)
        except D4CError as error:
            record, code = {"recipe": str(recipe), **error.as_record()}, int(error.exit_code)
            click.echo(f"error: {error}", err=True)
        else:
            if not as_json:
                click.echo(render(record))
        status |= code
        results.append(record)
    if summarise is not None and not as_json:
        summarise(results)
    if as_json:
        click.echo(json.dumps({"results": results, "exit_code": status}, indent=2, sort_keys=True))
    return status
