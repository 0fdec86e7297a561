"""Declared types as Arrow types."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

_SIMPLE: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint8": pa.uint8(),
    "uint16": pa.uint16(),
    "uint32": pa.uint32(),
    "uint64": pa.uint64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamp_utc": pa.timestamp("us", tz="UTC"),
    "geometry": pa.binary(),
}
_NAMES = {arrow: name for name, arrow in _SIMPLE.items() if name != "geometry"}


def arrow_type(tree: dict[str, Any]) -> pa.DataType:
    """Make the Arrow type of a declared type.

    Args:
        tree: ``{"kind": …, "children": [{"name": …, "type": …}], "precision": …, "scale": …}``.

    Raises:
        ValueError: if the kind is not known.
    """
    kind = tree["kind"]
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if kind == "decimal":
        return pa.decimal128(tree["precision"], tree["scale"])
    children = [(child["name"], arrow_type(child["type"])) for child in tree["children"]]
    if kind == "list":
        return pa.list_(pa.field("element", children[0][1]))
    if kind == "map":
        return pa.map_(children[0][1], children[1][1])
    if kind == "struct":
        return pa.struct([pa.field(name, inner) for name, inner in children])
    raise ValueError(f"unknown column type {kind!r}")


def type_name(arrow: pa.DataType) -> str:
    """Name an Arrow type by the grammar of declared types.

    Storage details (large, view, dictionary, fixed-size) have no name here: they are the same
    logical type.

    Raises:
        ValueError: if no declared type corresponds.
    """
    arrow = logical_type(arrow)
    if arrow in _NAMES:
        return _NAMES[arrow]
    if pa.types.is_decimal(arrow):
        return f"decimal({arrow.precision},{arrow.scale})"
    if pa.types.is_map(arrow):
        return f"map<{type_name(arrow.key_type)},{type_name(arrow.item_type)}>"
    if pa.types.is_list(arrow):
        return f"list<{type_name(arrow.value_type)}>"
    if pa.types.is_struct(arrow):
        inner = ",".join(f"{field.name}:{type_name(field.type)}" for field in arrow)
        return f"struct<{inner}>"
    raise ValueError(f"{arrow} has no normal form")


def logical_type(arrow: pa.DataType) -> pa.DataType:
    """Reduce an Arrow type to the one that stands for all its storage variants."""
    if isinstance(arrow, pa.BaseExtensionType):
        return logical_type(arrow.storage_type)
    if pa.types.is_dictionary(arrow):
        return logical_type(arrow.value_type)
    if pa.types.is_large_string(arrow) or pa.types.is_string_view(arrow):
        return pa.string()
    if (
        pa.types.is_large_binary(arrow)
        or pa.types.is_binary_view(arrow)
        or pa.types.is_fixed_size_binary(arrow)
    ):
        return pa.binary()
    if pa.types.is_date64(arrow):
        return pa.date32()
    if pa.types.is_time(arrow):
        return pa.time64("us")
    if pa.types.is_timestamp(arrow):
        return pa.timestamp("us", tz=None if arrow.tz is None else "UTC")
    if pa.types.is_decimal(arrow):
        return pa.decimal128(arrow.precision, arrow.scale) if arrow.precision <= 38 else arrow
    if pa.types.is_map(arrow):
        return pa.map_(logical_type(arrow.key_type), logical_type(arrow.item_type))
    if _is_any_list(arrow):
        return pa.list_(pa.field("element", logical_type(arrow.value_type)))
    if pa.types.is_struct(arrow):
        return pa.struct([pa.field(f.name, logical_type(f.type)) for f in arrow])
    return arrow


def _is_any_list(arrow: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(arrow)
        or pa.types.is_large_list(arrow)
        or pa.types.is_fixed_size_list(arrow)
        or pa.types.is_list_view(arrow)
        or pa.types.is_large_list_view(arrow)
    )
