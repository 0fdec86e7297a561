"""The content digest once more, written from its page: tiny, slow, and of plain Python values.

Values are plain: integers for dates (days), times and time stamps (microseconds), ``Decimal``,
``str``, ``bytes``, ``bool`` and ``float``; a list is a list, a struct a dict, a map a list of
pairs, and what is missing is ``None``. A type is the tree a job file carries.
"""

import json
import math
import struct
from decimal import Decimal, localcontext
from typing import Any

from blake3 import blake3

RUN = 122_880
WIDTHS = {
    **{f"{sign}int{bits}": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "date": 4,
    "time": 8,
    "timestamp": 8,
    "timestamp_utc": 8,
    "decimal": 16,
}

Column = tuple[str, dict[str, Any], bool, list[Any]]
"""Name, type, nullable, values."""


def slow_digest(columns: list[Column]) -> str:
    rows = len(columns[0][3]) if columns else 0
    description = json.dumps(
        [[name, name_of(kind), nullable] for name, kind, nullable, _ in columns],
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    top = b"d4c.content/1\0" + struct.pack("<Q", len(description)) + description
    top += struct.pack("<Q", rows)
    for _, kind, _, values in columns:
        runs = [values[start : start + RUN] for start in range(0, rows, RUN)]
        top += blake3(b"".join(blake3(layout(kind, run)).digest() for run in runs)).digest()
    return blake3(top).hexdigest()


def name_of(kind: dict[str, Any]) -> str:
    children = kind.get("children", [])
    if kind["kind"] == "decimal":
        return f"decimal({kind['precision']},{kind['scale']})"
    if kind["kind"] == "struct":
        return f"struct<{','.join(c['name'] + ':' + name_of(c['type']) for c in children)}>"
    if children:
        return f"{kind['kind']}<{','.join(name_of(c['type']) for c in children)}>"
    return str(kind["kind"])


def layout(kind: dict[str, Any], values: list[Any]) -> bytes:
    head = b"\0"
    if any(value is None for value in values):
        head = b"\1" + bits([value is not None for value in values])
    return head + body(kind, values)


def body(kind: dict[str, Any], values: list[Any]) -> bytes:
    name, types = kind["kind"], [child["type"] for child in kind.get("children", [])]
    if name == "boolean":
        return bits([bool(value) for value in values])
    if name in ("string", "binary", "geometry"):
        raw = [b"" if v is None else v.encode() if isinstance(v, str) else v for v in values]
        return offsets(raw) + b"".join(raw)
    if name == "struct":
        fields = [child["name"] for child in kind["children"]]
        return b"".join(
            layout(inner, [None if value is None else value[field] for value in values])
            for field, inner in zip(fields, types, strict=True)
        )
    if name == "list":
        lists = [value or [] for value in values]
        return offsets(lists) + layout(types[0], [inner for one in lists for inner in one])
    if name == "map":
        pairs = {"kind": "struct", "children": kind["children"]}
        lists = [[{"key": k, "value": v} for k, v in value or []] for value in values]
        return offsets(lists) + layout(pairs, [inner for one in lists for inner in one])
    return b"".join(cell(kind, value) for value in values)


def cell(kind: dict[str, Any], value: Any) -> bytes:
    name = kind["kind"]
    if name in ("float32", "float64"):
        code, quiet = ("<f", 0x7FC00000) if name == "float32" else ("<d", 0x7FF8000000000000)
        if value is not None and math.isnan(value):
            return quiet.to_bytes(4 if name == "float32" else 8, "little")
        return struct.pack(code, value or 0.0)
    if name == "decimal" and value is not None:
        with localcontext(prec=60):
            value = int(Decimal(value).scaleb(kind["scale"]))
    return (value or 0).to_bytes(WIDTHS[name], "little", signed=not name.startswith("u"))


def bits(flags: list[bool]) -> bytes:
    out = bytearray((len(flags) + 7) // 8)
    for place, flag in enumerate(flags):
        out[place // 8] |= flag << place % 8
    return bytes(out)


def offsets(parts: list[Any]) -> bytes:
    at, out = 0, [0]
    for part in parts:
        at += len(part)
        out.append(at)
    return struct.pack(f"<{len(out)}q", *out)
