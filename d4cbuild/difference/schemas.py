"""How the columns of two tables differ: names, order, types, nullability, CRS, storage."""

from __future__ import annotations

import json
from typing import Any

from d4cbuild.difference.equality import named_type
from d4cbuild.difference.pair import TablePair
from d4cbuild.difference.record import Example, Finding
from d4cbuild.difference.shown import shortened
from d4cbuild.tables.parquet import geo_columns

_DEFAULT_CRS = "OGC:CRS84 (by default)"
_OF_MEANING = ("edges", "epoch")


def schema_findings(pair: TablePair) -> list[Finding]:
    """Compare the schemas."""
    return [*_columns(pair), *_storage(pair), *_geo(pair)]


def _columns(pair: TablePair) -> list[Finding]:
    (names_a, shapes_a), (names_b, shapes_b) = pair.a.logical(), pair.b.logical()
    examples = [Example(f"column {name}", None, _field(pair.b, name, shapes_b))
                for name in names_b if name not in pair.a.schema.names]  # fmt: skip
    examples += [Example(f"column {name}", _field(pair.a, name, shapes_a), None)
                 for name in names_a if name not in pair.b.schema.names]  # fmt: skip
    for column in pair.columns:
        before = _field(pair.a, column.name, shapes_a)
        after = _field(pair.b, column.name, shapes_b)
        if before != after:
            note = "" if column.type is not None else "the cells cannot be compared"
            examples.append(Example(f"column {column.name}", before, after, note=note))
    common_a = [name for name in names_a if name in names_b]
    common_b = [name for name in names_b if name in names_a]
    if common_a != common_b:
        before, after = (shortened(", ".join(names)) for names in (common_a, common_b))
        examples.append(Example("order of the columns", before, after))
    if not examples:
        return []
    return [Finding("schema", len(examples), "columns", "", examples=tuple(examples))]


def _field(side: Any, name: str, shapes: set[str]) -> str:
    field = side.schema.field(name)
    kind = "geometry" if name in shapes else named_type(field.type)
    return f"{kind}, {'nullable' if field.nullable else 'required'}"


def _storage(pair: TablePair) -> list[Finding]:
    examples = []
    for column in pair.columns:
        a, b = pair.a.schema.field(column.name).type, pair.b.schema.field(column.name).type
        if a != b and named_type(a) == named_type(b):
            examples.append(Example(f"column {column.name}", str(a), str(b)))
    if not examples:
        return []
    says = "the same logical type, stored otherwise"
    return [Finding("storage", len(examples), "columns", says, examples=tuple(examples))]


def _geo(pair: TablePair) -> list[Finding]:
    geo_a, geo_b = geo_columns(pair.a.schema), geo_columns(pair.b.schema)
    findings = []
    for name in geo_a:
        if name not in geo_b:
            continue
        before, after = geo_a[name], geo_b[name]
        crs_a, crs_b = _crs(before), _crs(after)
        if crs_a != crs_b:
            example = Example(f"column {name}", crs_a, crs_b)
            findings.append(Finding("crs", 1, "columns", "", name, examples=(example,)))
        for part in _OF_MEANING:
            if before.get(part) != after.get(part):
                values = (str(before.get(part)), str(after.get(part)))
                example = Example(f"column {name}, {part}", *values)
                findings.append(Finding("crs", 1, "columns", "", name, examples=(example,)))
    return findings


def _crs(column: dict[str, Any]) -> str:
    if "crs" not in column:
        return _DEFAULT_CRS
    crs = column["crs"]
    if crs is None:
        return "unknown"
    try:
        identity = crs["id"]
        name = f"{identity['authority']}:{identity['code']}"
    except (KeyError, TypeError):
        return shortened(json.dumps(crs, sort_keys=True))
    return _DEFAULT_CRS if name == "OGC:CRS84" else name
