"""What a person says of a dataset, and what stands for it until somebody does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from d4cbuild.model.facts import Facts

TODO_PACKAGE = "d4c-datapkg-todo"
TODO_LICENCE = "LicenseRef-TODO"
_YEAR = re.compile(r"(?<!\d)(19|20)\d\d(?!\d)")


@dataclass(frozen=True)
class Answers:
    """What is said of a dataset; what is empty is guessed, or marked as to do.

    Attributes:
        id: The dataset's id.
        region: The region covered.
        source: Short name of the publisher.
        package: The data package.
        topic: What it is about.
        vintage: The time the data speak of.
        title_en: English title.
        title_fr: French title.
        licence: The licence of the sources.
    """

    id: str
    region: str = ""
    source: str = ""
    package: str = ""
    topic: str = ""
    vintage: str = ""
    title_en: str = ""
    title_fr: str = ""
    licence: str = ""


def completed(answers: Answers, facts: Facts, names: Sequence[str], year: int) -> Answers:
    """Fill what was not said with what is likely.

    Args:
        answers: What was said.
        facts: What was found.
        names: The names that the raw files came with.
        year: This year, for want of any other.
    """
    first, _, rest = answers.id.partition("-")
    found = None if facts.licence is None else facts.licence.licence
    return replace(
        answers,
        region=answers.region or "ca",
        source=answers.source or first,
        package=answers.package or TODO_PACKAGE,
        topic=answers.topic or rest.replace("-", "_"),
        vintage=answers.vintage or _vintage(facts, [answers.id, *names]) or str(year),
        title_en=answers.title_en or f"TODO: title of {answers.id}",
        title_fr=answers.title_fr or f"TODO : titre de {answers.id}",
        licence=answers.licence or found or TODO_LICENCE,
    )


def _vintage(facts: Facts, names: Sequence[str]) -> str:
    """The last year that a name has, or else the last that a date in the data has."""
    years = [match.group() for name in names for match in _YEAR.finditer(name)]
    if years:
        return max(years)
    moments = ("date", "timestamp", "timestamp_utc")
    dates = [
        column.max[:4]
        for source in facts.sources
        for table in source.tables
        for column in table.columns
        if column.type in moments and column.max is not None and _YEAR.match(column.max)
    ]
    return max(dates, default="")


def guessed(before: Answers, after: Answers) -> dict[str, str]:
    """What was not said but guessed, by field."""
    fields = ("region", "source", "package", "topic", "vintage")
    return {name: getattr(after, name) for name in fields if not getattr(before, name)}
