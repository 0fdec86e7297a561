"""The ``geo`` record of GeoParquet 1.1, and canonical JSON to write it in."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from d4cbuild.normalform.place import COVERING_FIELDS, COVERING_NAME, EXTENTS

VERSION = "1.1.0"
_HERE = Path(__file__).parent


def geo_column(
    crs: str, types: list[str], box: list[float] | None, *, oriented: bool, covered: bool
) -> dict[str, Any]:
    """Describe one geometry column.

    Args:
        crs: Its CRS, one of :data:`~d4cbuild.normalform.place.EXTENTS`.
        types: GeoParquet type names that occur.
        box: xmin, ymin, xmax, ymax of all shapes, if any has a box.
        oriented: Whether every polygon's outer ring runs counterclockwise.
        covered: Whether the covering boxes are this column's.
    """
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted(types),
        "crs": projjson(crs),
        "edges": "planar",
    }
    if oriented:
        column["orientation"] = "counterclockwise"
    if covered:
        column["covering"] = {"bbox": {edge: [COVERING_NAME, edge] for edge in COVERING_FIELDS}}
    if box is not None:
        column["bbox"] = [edge + 0.0 for edge in box]
    return column


def geo_record(primary: str, columns: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Put the descriptions of a file's geometry columns together."""
    return {"version": VERSION, "primary_column": primary, "columns": columns}


def projjson(crs: str) -> dict[str, Any]:
    """The fixed PROJJSON of a CRS, so that PROJ's version is not in the file."""
    path = _HERE / "crs" / f"{crs.replace(':', '-').lower()}.json"
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def stated_crs(metadata: dict[bytes, bytes] | None, column: str) -> str | None:
    """Read from a file's metadata which CRS a column was written with.

    Returns:
        ``authority:code``, ``none`` or ``unnamed``; ``None`` where the file says nothing of the
        column.

    Raises:
        ValueError: if the ``geo`` record makes no sense.
    """
    text = (metadata or {}).get(b"geo")
    if text is None:
        return None
    try:
        entry = json.loads(text)["columns"].get(column)
        if entry is None:
            return None
        if not isinstance(entry, dict):
            raise TypeError("not an object")
        if "crs" not in entry:
            return "OGC:CRS84"  # what leaving it out means
        if entry["crs"] is None:
            return "none"
        identity = entry["crs"].get("id")
        return "unnamed" if identity is None else f"{identity['authority']}:{identity['code']}"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("the file's geo record makes no sense") from error


def same_crs(one: str, other: str) -> bool:
    """Whether two names mean one CRS, given that GeoParquet's axes are always x, y."""
    alias = {"OGC:CRS84": "EPSG:4326"}
    return alias.get(one, one) == alias.get(other, other)


def epsg_code(crs: str) -> int:
    """The number EWKB knows a CRS by."""
    return 4326 if crs == "OGC:CRS84" else int(crs.removeprefix("EPSG:"))


def canonical_json(value: Any) -> bytes:
    """JSON by RFC 8785, for the values that occur in ``geo`` metadata."""
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return (
            b"{" + b",".join(canonical_json(k) + b":" + canonical_json(v) for k, v in items) + b"}"
        )
    if isinstance(value, list | tuple):
        return b"[" + b",".join(canonical_json(inner) for inner in value) + b"]"
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def _number(value: float) -> bytes:
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{value} is not JSON")
    if value == 0:
        return b"0"
    # repr() gives the shortest digits that read back; only their layout differs from JavaScript's.
    if 1e-6 <= abs(value) < 1e21:
        text = format(Decimal(repr(value)), "f")
        return (text.rstrip("0").rstrip(".") if "." in text else text).encode()
    mantissa, _, exponent = repr(value).partition("e")
    power = int(exponent)
    return f"{mantissa}e{'+' if power > 0 else '-'}{abs(power)}".encode()


def known_crs(crs: str) -> bool:
    """Whether the normal form has a fixed record of a CRS."""
    return crs in EXTENTS
