"""Likely causes of what was found, one line each, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable

from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.record import Difference, Finding

_SIMPLE = {
    "float-bits": "sums or functions of floats were taken in another order, by other threads, or"
    " on another CPU: round before writing, or sum in a fixed order",
    "float-narrowed": "the values went through float32 on one side: declare one type and"
    " keep to it",
    "float-rounded": "one side was rounded: round to a fixed number of digits in the recipe",
    "geometry-form": "another WKB writer (byte order, EWKB, or single shapes against multi):"
    " the normal form writes one",
    "geometry-start": "rings start elsewhere: another version of GEOS, or shapes were rebuilt"
    " (union, make_valid)",
    "geometry-winding": "rings or lines go the other way round: orient polygons",
    "geometry-parts": "parts of shapes come in another order: sort them",
    "geometry-precision": "coordinates were rounded or projected otherwise: another version of"
    " PROJ, or set_precision on one side",
    "crs": "the CRS was declared otherwise, or coordinates are in another one",
    "text-unicode": "texts were normalised on one side (NFC, NFD): normalise in the recipe",
    "text-space": "white space or line ends were trimmed or changed on one side",
    "text-case": "upper and lower case were changed, or depend on the locale",
    "text-encoding": "one side was read with the wrong character encoding: name it when reading",
    "text-number": "numbers were written as text in two ways: keep them as text when reading, or"
    " declare a number",
    "null-empty": "one side has null where the other has an empty text: say which is meant",
    "null-value": "values went missing, or appeared: a join or a parser did otherwise",
    "schema": "the declaration of the columns changed, or types were guessed from other rows",
    "output": "outputs of the builds differ: compare the files themselves",
    "output-bytes": "the same tables in other bytes: another writer of the normal form",
    "ingredient": "the builds had other ingredients: sources, code, environment or parameters",
    "json-form": "the same JSON, written otherwise: sort keys and fix the indentation",
    "wrapper": "the archive was made anew: times, order or compression of its members differ",
    "line-ends": "line ends or a byte order mark: a checkout or an editor changed them"
    " (.gitattributes: * -text)",
}


def causes_of(found: Difference, repeated: tuple[int, int] = (0, 0)) -> tuple[str, ...]:
    """One line for each likely cause.

    Args:
        found: What was found.
        repeated: How many rows of A and B have a key that occurred before.
    """
    names = {finding.name for finding in found.findings}
    lines = [_SIMPLE[name] for name in _SIMPLE if name in names]
    lines = [*_of_rows(found, names, repeated), *lines]
    if found.findings and names <= {"footer", "encoding", "storage", "covering"}:
        lines.append(_of_writers(found.findings))
    return tuple(lines)


def _of_rows(found: Difference, names: set[str], repeated: tuple[int, int]) -> Iterable[str]:
    key = ", ".join(found.key.columns) if found.key else ""
    if any(repeated):
        how = "came in another order" if names & {"row-order", "value"} else "occur"
        declared = found.key is not None and "sort_by" in found.key.found_in
        what = "sort_by key" if declared else "key"
        yield f"rows of equal {what} ({key}) {how}: the key is not total"
    elif "row-order" in names:
        yield "rows came in another order: an ORDER BY or sort is missing, or not by a total order"
    rows = found.rows
    if rows is not None and rows.removed and rows.added and rows.removed == rows.added:
        yield "as many rows were removed as added: perhaps the key itself changed in them"
    elif names & {"rows-removed", "rows-added"}:
        yield "rows are missing or new: other sources, another filter, or another join"
    moved = [f.column for f in found.findings if "same_values_in_other_rows" in f.facts]
    if moved:
        yield (
            f"{', '.join(map(str, moved))}: the same values in other rows: rows were numbered,"
            " joined or put beside each other in another order"
        )
    if (
        names & {"value", "geometry-shape"} - ({"value"} if moved else set())
        and rows is not None
        and rows.cells
    ):
        yield "cells hold other values: other sources or code, chance, or the clock"


def _of_writers(findings: tuple[Finding, ...]) -> str:
    for finding in findings:
        for example in finding.examples:
            if example.where == "created_by":
                return f"another writer: {example.before} against {example.after}"
    return "another writer, or other settings of it"


def next_of(found: Difference, options: DiffOptions) -> tuple[str, ...]:
    """What to type next."""
    names = {finding.name for finding in found.findings}
    a, b = shlex.quote(found.a.path), shlex.quote(found.b.path)
    lines: list[str] = []
    for applies, line in _NEXT:
        if applies(names):
            lines.append(line.format(a=a, b=b))
    cut = any(finding.untold > 0 for finding in found.findings)
    if cut:
        lines.append(f"d4cbuild diff --examples {options.examples * 10} {a} {b}")
    if found.key is not None and not found.key.columns and names & {"rows-added", "rows-removed"}:
        lines.append(f"d4cbuild diff --key COLUMN,… {a} {b}    (name what tells rows apart)")
    return tuple(lines)


_UNSTEADY = {
    "row-order",
    "float-bits",
    "value",
    "geometry-shape",
    "geometry-start",
    "geometry-parts",
}
_NEXT: tuple[tuple[Callable[[set[str]], bool], str], ...] = (
    (
        lambda names: bool(names) and names <= {"footer", "encoding", "storage", "covering"},
        "d4cbuild digest {a} {b}    (the content digest shows that it is the same table)",
    ),
    (
        lambda names: "output" in names and "ingredient" not in names,
        "d4cbuild verify --vary all RECIPE    (the same ingredients gave other outputs)",
    ),
    (
        lambda names: "output" in names,
        "d4cbuild diff FILE_OF_A FILE_OF_B    (the data files that the manifests name)",
    ),
    (lambda names: bool(names & _UNSTEADY), "d4cbuild check RECIPE    (hazards in its code)"),
    (
        lambda names: bool(names & _UNSTEADY),
        "d4cbuild verify --vary all RECIPE    (which circumstance flips it)",
    ),
)
