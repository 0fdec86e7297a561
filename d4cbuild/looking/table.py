"""One table: read as a build would read it, its columns understood, its key found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.looking.crs import KNOWN, place
from d4cbuild.looking.keys import Keys, keys_of
from d4cbuild.looking.names import column_names
from d4cbuild.looking.notes import Note, NotReadable, few, plain
from d4cbuild.looking.places import GEOMETRY, facts_of_shapes, geometry_step, may_be_coordinate
from d4cbuild.looking.values import Reading, narrowest, reading_of, whole_numbers
from d4cbuild.steps.columns import change_columns
from d4cbuild.steps.declared import as_declared
from d4cbuild.steps.geometry import change_geometry
from d4cbuild.steps.reading import read_source
from d4cbuild.steps.shapes import UNKNOWN, shape_columns

_SIMPLE = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_float32, "float32"),
    (pa.types.is_floating, "float64"),
    (pa.types.is_string, "string"),
    (pa.types.is_large_string, "string"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time"),
    (pa.types.is_binary, "binary"),
    (pa.types.is_large_binary, "binary"),
)


@dataclass
class _Draft:
    """The table as it is after the steps so far."""

    table: pa.Table
    steps: list[dict[str, Any]]
    notes: list[Note] = field(default_factory=list)

    def columns(self, **options: Any) -> None:
        """Add a columns step and do it."""
        given = {name: value for name, value in options.items() if value}
        if given:
            with refusals():
                self.table = change_columns(self.table, **given)
            self.steps.append({"step": "columns", **given})

    def geometry(self, **options: Any) -> None:
        """Add a geometry step and do it."""
        with refusals():
            self.table = change_geometry(self.table, **options)
        self.steps.append({"step": "geometry", **options})


@contextmanager
def refusals() -> Iterator[None]:
    """Take a step's refusal as a file that cannot be read.

    Raises:
        NotReadable: with what the step said.
    """
    try:
        yield
    except SystemExit as refusal:
        raise NotReadable(str(refusal)) from refusal


def look_at_table(
    path: Path, name: str, options: Mapping[str, Any], notes: Sequence[Note], *, texts: bool
) -> dict[str, Any]:
    """Read a table and find out what it holds.

    Args:
        path: The raw file.
        name: What to call the table.
        options: Of the read step.
        notes: What was noticed before.
        texts: Whether the format has only text, so that types are to be found in it.

    Raises:
        NotReadable: if it cannot be read.
    """
    read = {"step": "read", "source": path.name, **options}
    with refusals():
        table = read_source(path, **options)
    draft = _Draft(table, [read], list(notes))
    kinds = _understood(draft, texts=texts)
    with refusals():
        crs = _placed(draft)
    kinds |= dict.fromkeys(shape_columns(draft.table), "geometry")
    order = [name for name in draft.table.column_names if name in kinds]
    nullable = [name for name in order if draft.table.column(name).null_count]
    with refusals():
        declared = as_declared(
            draft.table,
            {n: kinds[n] for n in order},
            nullable,
            {GEOMETRY: crs} if crs else {},
        )
    return _facts(draft, name, declared, kinds, crs)


def _understood(draft: _Draft, *, texts: bool) -> dict[str, str]:
    """Rename and clean columns, find their types; returns the declared type of each."""
    shapes = shape_columns(draft.table)
    given = draft.table.column_names
    plain_ones = [name for name in given if name not in shapes]
    wanted = dict(zip(plain_ones, _apart(column_names(plain_ones), shapes), strict=True))
    rename = {old: new for old, new in wanted.items() if old != new}
    padded = [n for n in plain_ones if texts and _is_padded(draft.table.column(n))]
    draft.columns(rename=rename, trim=bool(padded))
    if padded:
        text = f"white space at the ends of texts is cut, as in {few(wanted[n] for n in padded)}"
        draft.notes.append(Note("trim", text, 90, "without trim in the columns step"))
    kinds: dict[str, str] = {}
    readings: dict[str, Reading] = {}
    for name in wanted.values():
        column = draft.table.column(name)
        if texts and pa.types.is_string(column.type):
            readings[name] = reading_of(pc.unique(column.drop_null()), name)
            kinds[name] = readings[name].kind
            draft.notes += readings[name].notes
        elif (kind := _kind_of(column, name, draft.notes)) is not None:
            kinds[name] = kind
    _note_empty(draft, kinds)
    _leave_out(draft, [name for name in wanted.values() if name not in kinds])
    _clean(draft, readings)
    return kinds


def _note_empty(draft: _Draft, kinds: Mapping[str, str]) -> None:
    rows = draft.table.num_rows
    empty = [name for name in kinds if rows and draft.table.column(name).null_count == rows]
    if empty:
        text = f"columns without any value, kept: {', '.join(empty)}"
        write = f"drop = {json.dumps(empty)} in a columns step"
        draft.notes.append(Note("columns", text, 50, plain(write, 9_000)))


def _apart(names: Sequence[str], taken: Mapping[str, str]) -> list[str]:
    return [f"{name}_1" if name in taken else name for name in names]


def _leave_out(draft: _Draft, names: Sequence[str]) -> None:
    if names:
        kinds = few(str(draft.table.schema.field(name).type) for name in names)
        text = f"columns of kinds that are not declared yet are left out: {few(names)} ({kinds})"
        draft.notes.append(Note("drop", text, 50, "declare them with a type of their own"))
        draft.columns(drop=list(names))


def _is_padded(column: pa.ChunkedArray) -> bool:
    if not pa.types.is_string(column.type):
        return False
    return bool(pc.any(pc.not_equal(column, pc.utf8_trim_whitespace(column))).as_py())


def _clean(draft: _Draft, readings: Mapping[str, Reading]) -> None:
    groups: dict[tuple[tuple[str, ...], str, str], list[str]] = {}
    for name, reading in readings.items():
        how = (reading.null, reading.thousands, reading.decimal)
        if any(how):
            groups.setdefault(how, []).append(name)
    for (null, thousands, decimal), names in groups.items():
        draft.columns(only=names, null=list(null), thousands=thousands, decimal=decimal)
    draft.columns(
        replace={name: r.replace for name, r in readings.items() if r.replace},
        types={name: r.via for name, r in readings.items() if r.via},
        formats={name: r.pattern for name, r in readings.items() if r.pattern},
    )


def _kind_of(column: pa.ChunkedArray, name: str, notes: list[Note]) -> str | None:
    """The declared type for values that have one already."""
    kind = column.type
    if pa.types.is_floating(kind) and (whole := whole_numbers(column)) is not None:
        notes.append(Note(name, f"all are whole numbers; taken as {whole}", 75, f'type = "{kind}"'))
        return whole
    if pa.types.is_integer(kind):
        return narrowest(column)
    if pa.types.is_timestamp(kind):
        return "timestamp" if kind.tz is None else "timestamp_utc"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    for is_kind, name in _SIMPLE:
        if is_kind(kind):
            return name
    return None


def _placed(draft: _Draft) -> str:
    """Give the table its shapes, in a CRS that an output can have; returns that CRS."""
    shapes = shape_columns(draft.table)
    if not shapes:
        typed = _with_floats(draft.table)
        step, notes = geometry_step(typed)
        draft.notes += notes
        if step is None:
            return ""
        options = {name: value for name, value in step.items() if name != "step"}
        draft.geometry(**options)
        return "OGC:CRS84"
    if set(shapes) != {GEOMETRY}:
        raise NotReadable(f"it has several columns of shapes: {few(shapes)}")
    if draft.table.column(GEOMETRY).null_count == draft.table.num_rows and draft.table.num_rows:
        draft.columns(drop=[GEOMETRY])
        return ""
    if _is_measured(draft.table):
        text = "measures along shapes, and their heights, are left out: GeoParquet has no place"
        draft.notes.append(Note(GEOMETRY, text, 90))
        draft.geometry(drop_z=True)
    found = place(shapes[GEOMETRY], GEOMETRY)
    if found is None:
        known = "none" if shapes[GEOMETRY] == UNKNOWN else plain(shapes[GEOMETRY], 80)
        text = f"the file says {known} as its CRS; taken as longitude and latitude"
        write = f'crs = "EPSG:…" in the read step, one of {", ".join(KNOWN)}, or to_crs besides'
        draft.notes.append(Note(f"{GEOMETRY}.crs", text, 20, write))
        draft.geometry(crs="EPSG:4326")
        return "OGC:CRS84"
    draft.notes += found.notes
    options = {"crs": found.given, "to_crs": found.to_crs, "decimals": found.decimals}
    options = {name: value for name, value in options.items() if value not in ("", None)}
    if options:
        draft.geometry(**options)
    return found.declared


def _is_measured(table: pa.Table) -> bool:
    import shapely

    return bool(shapely.has_m(shapely.from_wkb(table.column(GEOMETRY).to_pylist())).any())


def _with_floats(table: pa.Table) -> pa.Table:
    """The table with texts that are all numbers as numbers, where they may be coordinates."""
    for name in table.column_names:
        if not may_be_coordinate(name):
            continue
        column = table.column(name)
        if pa.types.is_string(column.type) and column.null_count < len(column):
            try:
                numbers = column.cast(pa.float64())
            except pa.ArrowInvalid:
                continue
            table = table.set_column(table.column_names.index(name), name, numbers)
    return table


def _facts(
    draft: _Draft,
    name: str,
    declared: pa.Table,
    kinds: Mapping[str, str],
    crs: str,
) -> dict[str, Any]:
    geometry, beside = None, None
    notes = list(draft.notes)
    if crs:
        shapes = facts_of_shapes(declared.column(GEOMETRY), crs)
        geometry, beside = shapes.facts, shapes.places
        notes += shapes.notes
    values = declared.select([n for n in declared.column_names if kinds[n] != "geometry"])
    keys = keys_of(values, beside) if values.num_columns else Keys(())
    notes += _key_notes(keys, values, name)
    renamed = {new: old for step in draft.steps for old, new in step.get("rename", {}).items()}
    return {
        "name": name,
        "steps": draft.steps,
        "rows": declared.num_rows,
        "columns": [
            _column(declared.column(n), n, kinds[n], renamed.get(n, n))
            for n in declared.column_names
        ],
        "geometry": geometry,
        "key": list(keys.chosen),
        "candidates": [list(key) for key in keys.candidates],
        "repeated": keys.repeated,
        "notes": [note.as_json() for note in notes],
    }


def _key_notes(keys: Keys, values: pa.Table, name: str) -> Iterator[Note]:
    if values.num_rows == 0:
        yield Note("rows", "there are names of columns, but no rows: no types can be seen", 20)
    elif keys.repeated:
        text = f"no columns tell all rows apart: {keys.repeated} rows are like another in all"
        once = "SELECT DISTINCT *"
        write = f'a sql step before the outputs: query = "{once} FROM {name}", if such rows say'
        write += " nothing more; or a column that tells them apart"
        yield Note("sort_by", text, None, write)
    elif len(keys.chosen) > 1 or keys.candidates:
        others = "; or ".join(", ".join(key) for key in keys.candidates)
        text = f"{', '.join(keys.chosen)} tells all rows apart"
        sure = 85 if len(keys.chosen) == 1 else 70 if len(keys.chosen) <= 3 else 50
        yield Note("sort_by", f"{text}; so does {others}" if others else text, sure)


def _column(column: pa.ChunkedArray, name: str, kind: str, given: str) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": name,
        "given": plain(given, 200),
        "type": kind,
        "nulls": column.null_count,
    }
    if kind in ("geometry", "binary") or pa.types.is_nested(column.type):
        return facts
    values = column.drop_null()
    facts["distinct"] = len(pc.unique(values))
    if len(values):
        bounds = pc.min_max(values).as_py() if not pa.types.is_boolean(column.type) else {}
        facts |= {edge: plain(str(bounds[edge]), 80) for edge in bounds}
    return facts
