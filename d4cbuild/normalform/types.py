"""Declared types as Arrow types."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

MAXIMUM_DEPTH = 16

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
SIMPLE_NAMES = tuple(_SIMPLE)
_NAMES = {arrow: name for name, arrow in _SIMPLE.items() if name != "geometry"}
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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
    children = [(child["name"], arrow_type(child["type"])) for child in tree.get("children", [])]
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
    return _name(logical_type(arrow))


def _name(arrow: pa.DataType) -> str:
    if arrow in _NAMES:
        return _NAMES[arrow]
    if pa.types.is_decimal128(arrow) and 0 <= arrow.scale <= arrow.precision:
        return f"decimal({arrow.precision},{arrow.scale})"
    if pa.types.is_map(arrow):
        return f"map<{_name(arrow.key_type)},{_name(arrow.item_type)}>"
    if pa.types.is_list(arrow):
        return f"list<{_name(arrow.value_type)}>"
    if pa.types.is_struct(arrow) and arrow.num_fields:
        inner = ",".join(f"{_field_name(f.name)}:{_name(f.type)}" for f in arrow)
        return f"struct<{inner}>"
    raise ValueError(f"{arrow} has no normal form")


def _field_name(name: str) -> str:
    # Else struct<a:int8,b:int8> could be two fields, or one with a curious name.
    return name if _PLAIN_NAME.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def logical_type(arrow: pa.DataType, depth: int = 0) -> pa.DataType:
    """Reduce an Arrow type to the one that stands for all its storage variants.

    Raises:
        ValueError: if it is nested more than :data:`MAXIMUM_DEPTH` levels deep.
    """
    if depth > MAXIMUM_DEPTH:
        raise ValueError(f"a type is nested more than {MAXIMUM_DEPTH} levels deep")
    if isinstance(arrow, pa.BaseExtensionType):
        return logical_type(arrow.storage_type, depth)
    if pa.types.is_dictionary(arrow) or pa.types.is_run_end_encoded(arrow):
        return logical_type(arrow.value_type, depth)
    if pa.types.is_map(arrow):
        return pa.map_(
            logical_type(arrow.key_type, depth + 1), logical_type(arrow.item_type, depth + 1)
        )
    if is_any_list(arrow):
        return pa.list_(pa.field("element", logical_type(arrow.value_type, depth + 1)))
    if pa.types.is_struct(arrow):
        return pa.struct([pa.field(f.name, logical_type(f.type, depth + 1)) for f in arrow])
    return _logical_leaf(arrow)


def _logical_leaf(arrow: pa.DataType) -> pa.DataType:
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
    if pa.types.is_decimal(arrow) and arrow.precision <= 38:
        return pa.decimal128(arrow.precision, arrow.scale)
    return arrow


def is_any_list(arrow: pa.DataType) -> bool:
    """Whether a type is a list, in any storage variant; a map is none."""
    return bool(
        pa.types.is_list(arrow)
        or pa.types.is_large_list(arrow)
        or pa.types.is_fixed_size_list(arrow)
        or pa.types.is_list_view(arrow)
        or pa.types.is_large_list_view(arrow)
    )


def has_floats(arrow: pa.DataType) -> bool:
    """Whether a type is a float or holds one."""
    if pa.types.is_floating(arrow):
        return True
    return any(has_floats(arrow.field(i).type) for i in range(arrow.num_fields))


def leaf_paths(name: str, arrow: pa.DataType) -> Iterator[str]:
    """Yield the dotted Parquet paths of a column's leaves, for plain types."""
    if pa.types.is_struct(arrow):
        for field in arrow:
            yield from leaf_paths(f"{name}.{field.name}", field.type)
    elif pa.types.is_map(arrow):
        yield from leaf_paths(f"{name}.key_value.key", arrow.key_type)
        yield from leaf_paths(f"{name}.key_value.value", arrow.item_type)
    elif pa.types.is_list(arrow):
        yield from leaf_paths(f"{name}.list.element", arrow.value_type)
    else:
        yield name
