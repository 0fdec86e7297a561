"""Hazards in the SQL of a recipe's steps, at their lines in ``recipe.toml``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from d4cbuild.hazards.allow import Comment
from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.placed import PlacedText
from d4cbuild.hazards.sql import read_sql
from d4cbuild.hazards.toml_places import Place, TomlPlaces
from d4cbuild.model.recipe import Recipe
from d4cbuild.model.steps import Check, Sql


@dataclass
class Queries:
    """What was found in all queries of a recipe.

    Attributes:
        spots: Hazards.
        comments: Comments within the SQL.
        spans: For each line of a query, its first and last line.
        unread: Where SQL could not be read: line, column, and why.
    """

    spots: list[Spot] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)
    unread: list[tuple[int, int, str]] = field(default_factory=list)


def queries_in(recipe: Recipe, places: TomlPlaces) -> Queries:
    """Look at the queries of a recipe's steps.

    Args:
        recipe: What is wanted.
        places: Where in the file it says so.
    """
    found = Queries()
    for path, query in _queries(recipe):
        key = places.of(path)
        text = _placed(query, places.texts.get(path, key))
        # Rows are put in order when they are written, and a step has one thread.
        reading = read_sql(text, ordered=True, single_thread=True)
        found.spots += reading.spots
        found.comments += reading.comments
        found.unread += [] if reading.unread is None else [reading.unread]
        first, last = key[0], text.place(len(query))[0]
        found.spans |= dict.fromkeys(range(first, last + 1), (first, last))
    return found


def _queries(recipe: Recipe) -> Iterator[tuple[str, str]]:
    for number, step in enumerate(recipe.build.steps or ()):
        if isinstance(step, Sql | Check):
            yield f"build.steps[{number}].query", step.query


def _placed(query: str, start: Place) -> PlacedText:
    """A text between three quotes, whose lines are lines of the file."""
    line, column = start
    starts, lines = [0], [(line, column)]
    offset = query.find("\n")
    while offset >= 0:
        starts.append(offset + 1)
        lines.append((line + len(starts) - 1, 1))
        offset = query.find("\n", offset + 1)
    return PlacedText(query, starts, lines)
