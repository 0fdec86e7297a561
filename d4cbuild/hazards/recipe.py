"""Hazards in ``recipe.toml``: moving addresses, plain http, orders that are none, commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from d4cbuild.hazards.code_files import python_spots_in, shell_spots_in
from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.toml_places import Place, TomlPlaces
from d4cbuild.model.recipe import Output, Recipe, sort_column

MOVING: Final = re.compile(
    r"(?:^|[/_.=?&-])(latest|newest|most[-_]?recent|nightly|HEAD)(?=$|[/_.?&=-])"
    r"|/(current|master|main|trunk|daily)(?=/)",
    re.IGNORECASE,
)
FLOATING: Final = frozenset({"float32", "float64"})
SHELLS: Final = frozenset({"sh", "dash", "bash"})
PYTHONS: Final = frozenset({"python", "python3", "python3.11"})


def recipe_spots(recipe: Recipe, places: TomlPlaces) -> Iterator[Spot]:
    """Find them.

    Args:
        recipe: What is wanted.
        places: Where in the file it says so.
    """
    for i, source in enumerate(recipe.sources):
        yield from address_spots(source.url, places.of(f"sources[{i}].url"))
        for j, mirror in enumerate(source.mirrors):
            if "://" in mirror:
                yield from address_spots(mirror, places.of(f"sources[{i}].mirrors[{j}]"))
    for i, output in enumerate(recipe.outputs):
        yield from _order(output, i, places)
    yield from _command(recipe, places)


def address_spots(address: str, place: Place) -> Iterator[Spot]:
    """What is wrong with a web address."""
    path = address.partition("://")[2].partition("/")[2]
    moving = MOVING.search(f"/{path}")
    if moving is not None:
        word = moving[1] or moving[2]
        yield Spot(*place, "moving-address", f"{address[:80]} names whatever is {word!r}")
    if address.lower().startswith("http://"):
        yield Spot(*place, "plain-http", f"{address[:80]} is fetched without protection")


def _order(output: Output, index: int, places: TomlPlaces) -> Iterator[Spot]:
    columns = {column.name: column for column in output.columns}
    if not output.sort_by:
        return
    place = places.of(f"outputs[{index}].sort_by")
    keys = [columns[sort_column(key)] for key in output.sort_by]
    if all(key.startswith("hilbert(") for key in output.sort_by):
        message = "two geometries with the same centre have no order between them"
        yield Spot(*place, "sort-key", message)
    elif all(key.nullable for key in keys):
        message = "every column of the key may be null, and two nulls have no order between them"
        yield Spot(*place, "sort-key", message)
    for key, column in zip(output.sort_by, keys, strict=True):
        if column.type in FLOATING:
            message = f"{key} is a floating-point number, whose last bit may differ"
            yield Spot(*place, "sort-key", message)


def _command(recipe: Recipe, places: TomlPlaces) -> Iterator[Spot]:
    command = recipe.build.run
    place = places.of("build.command")
    text = _inline(command, SHELLS)
    code = _inline(command, PYTHONS)
    spots = [] if text is None else shell_spots_in(text)[0]
    spots += [] if code is None else python_spots_in(code)[0]
    for spot in spots:
        yield spot.moved(*place)


def _inline(command: tuple[str, ...], programs: frozenset[str]) -> str | None:
    """The script that a command holds itself, as in ``sh -c '…'``."""
    if command[0].rpartition("/")[2] not in programs:
        return None
    for argument, after in pairwise(command[1:]):
        if argument.startswith("-") and not argument.startswith("--") and "c" in argument:
            return after
    return None
