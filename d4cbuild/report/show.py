"""A recipe, a manifest or a file as a page, and many recipes as a site."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from d4cbuild.model.recipe import Dataset
from d4cbuild.profile.distinct import MOST_DISTINCT
from d4cbuild.profile.drawing import Drawing
from d4cbuild.profile.record import ColumnProfile
from d4cbuild.profile.subject import ShownOutput, Subject, sources_of
from d4cbuild.report.page import render_page

INDEX = "index.html"
_MOST_GROUPS = 20

_FORMATS = {"geoparquet": "GeoParquet", "parquet": "Parquet"}

Fact = tuple[str, str, str | int]
"""What it is, in English and French, and its value."""


def subject_page(subject: Subject, index: str | None = None) -> bytes:
    """Make one self-contained page.

    Args:
        subject: What is shown.
        index: Address of the list that the page belongs to, if it does.

    Returns:
        HTML, UTF-8.
    """
    manifest = subject.manifest
    parameters = None if manifest is None else manifest.derivation.parameters
    return render_page(
        "show.html.jinja",
        subject.dataset.title.en if subject.dataset else subject.name,
        subject=subject,
        dataset=subject.dataset,
        manifest=manifest,
        facts=[] if subject.dataset is None else _facts(subject.dataset, subject),
        sources=sources_of(subject),
        parameters=json.dumps(parameters, indent=2, ensure_ascii=False) if parameters else None,
        commands=list(_commands(subject)),
        measured=measured,
        paired=paired,
        index=index,
        most_groups=_MOST_GROUPS,
        most_distinct=MOST_DISTINCT,
    )


@dataclass(frozen=True)
class Entry:
    """A recipe in the list of a site.

    Attributes:
        page: Address of its page, from the list.
        dataset: What it is.
        rows: Rows of all its outputs; none where there are none.
        size: Bytes of all its outputs; 0 where it was never built.
        drawing: A small map, where there is one.
        chart: A column with a histogram that says something, where there is one.
    """

    page: str
    dataset: Dataset
    rows: int | None
    size: int
    drawing: Drawing | None
    chart: ColumnProfile | None


def entry_of(subject: Subject) -> Entry:
    """What a list says of a recipe."""
    assert subject.dataset is not None  # noqa: S101 - a site is made of recipes
    rows = [output.record.rows for output in subject.outputs if output.record is not None]
    tables = [output.table for output in subject.outputs if output.table is not None]
    drawings = [g.drawings[-1] for table in tables for g in table.geometries if g.drawings]
    columns = [column for table in tables for column in table.columns]
    # Numbers that only tell rows apart say nothing.
    barred = [each for each in columns if each.bars and not each.is_unique]
    counted = [count for count in rows if count is not None]
    return Entry(
        page=f"{subject.dataset.id}.html",
        dataset=subject.dataset,
        rows=sum(counted) if counted else None,
        size=sum(output.digests.size for output in subject.outputs if output.digests is not None),
        drawing=drawings[0] if drawings else None,
        chart=max(barred, key=_telling, default=None),
    )


def _telling(column: ColumnProfile) -> tuple[int, float]:
    """How many bars of a histogram can be seen, and how uneven they are."""
    most = max(bar.count for bar in column.bars)
    seen = sum(bar.count * 50 >= most for bar in column.bars)
    return seen, -sum(bar.count for bar in column.bars) / most


def site_index(entries: Sequence[Entry]) -> bytes:
    """Make the list of a site.

    Returns:
        HTML, UTF-8.
    """
    return render_page("site.html.jinja", "Datasets / Jeux de données", entries=entries)


def measured(output: ShownOutput) -> list[Fact]:
    """How large an artifact is."""
    record, table = output.record, output.table
    rows = table.rows if table is not None else record.rows if record is not None else None
    columns = len(table.columns) if table is not None else len(output.columns)
    facts: list[Fact] = [("Format", "Format", _format(output))]
    if rows is not None:
        facts.append(("Rows", "Lignes", rows))
    if columns:
        facts.append(("Columns", "Colonnes", columns))
    if output.digests is not None:
        facts.append(("Bytes", "Octets", output.digests.size))
    return facts


def _format(output: ShownOutput) -> str:
    suffix = PurePath(output.file).suffix
    return _FORMATS.get(output.format) or suffix.removeprefix(".").upper() or "–"


def paired(output: ShownOutput) -> list[tuple[str, Any, ColumnProfile | None]]:
    """Columns as they are declared, beside what was found in them, in the order of the file."""
    declared = {column.name: column for column in output.columns}
    found = {column.name: column for column in output.table.columns} if output.table else {}
    return [(name, declared.get(name), found.get(name)) for name in found or declared]


def _facts(dataset: Dataset, subject: Subject) -> list[Fact]:
    licences = sorted({source.licence for source in sources_of(subject)})
    return [
        ("Version", "Version", dataset.version),
        ("Vintage", "Période visée", dataset.vintage),
        ("Region", "Région", dataset.region.upper()),
        ("Publisher", "Éditeur", dataset.source),
        ("Licence", "Licence", ", ".join(licences)),
    ]


def _commands(subject: Subject) -> Iterator[tuple[str, str, str, str | None]]:
    """What to type to check: why, in both languages, the command, and what it must print."""
    if subject.kind == "recipe" and subject.manifest is not None:
        yield (
            "Build it again from its sources, and compare every byte:",
            "Le reproduire à partir des sources et comparer chaque octet :",
            f"d4cbuild verify {shlex.quote(subject.where)}",
            f"{subject.name}: identical",
        )
    for output in subject.outputs:
        if output.digests is not None:
            yield (
                "See whether a file is this one; its SHA-256 must be:",
                "Voir si un fichier est bien celui-ci; son SHA-256 doit être :",
                f"sha256sum {shlex.quote(output.file)}",
                f"{output.digests.sha256.hex}  {output.file}",
            )
