"""How each column of a row group is encoded: by its type, and by counts of its values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.normalform.values import as_list

DICTIONARY_MAXIMUM = 65_536
DICTIONARY_SHARE = 8
FIRST_VALUES = 8_192
FIRST_DISTINCT = 6_144
DECIMAL_PLACES = 6
DECIMAL_MINIMUM = 20_000
# Beyond it, not every whole number is a float64.
WHOLE_MAXIMUM = float(1 << 53)
ZSTD_LEVEL = 5
NUMBERS_ZSTD_LEVEL = 2
"""For numbers as differences, of which little is left to be found."""
SHORT_BYTES = {"DELTA_LENGTH_BYTE_ARRAY": 8, "PLAIN": 32}
"""Up to how many bytes, on average, texts and bytes are short: codes, house numbers, points."""
SHORT_ZSTD_LEVELS = {"DELTA_LENGTH_BYTE_ARRAY": 1, "PLAIN": 4}
"""For those, in which a longer search finds next to nothing more."""


@dataclass
class ColumnEncodings:
    """How the leaf columns of a row group are encoded.

    Attributes:
        dictionaries: Paths of leaf columns with a dictionary.
        others: The encodings of all other leaf columns, by path.
        levels: The level of Zstandard of each leaf column, by path.
        statistics: Paths of leaf columns that have a minimum and maximum.
        encoded: Columns of text or bytes whose dictionary is made already, by name.
    """

    dictionaries: list[str] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    statistics: list[str] = field(default_factory=list)
    encoded: dict[str, pa.DictionaryArray] = field(default_factory=dict)


def column_encodings(table: pa.Table) -> ColumnEncodings:
    """Choose each leaf column's encoding.

    Args:
        table: The rows of a row group, a chunk per column at most.
    """
    found = ColumnEncodings()
    for name, column in zip(table.schema.names, table.columns, strict=True):
        for path, leaf in _leaves(name, _single(column)):
            coded = _dictionary_of(leaf)
            if coded is None:
                found.others[path] = _encoding(leaf)
            else:
                found.dictionaries.append(path)
            found.levels[path] = _level(leaf, found.others.get(path, "DICTIONARY"))
            if _has_statistics(leaf):
                found.statistics.append(path)
            if coded is not None and path == name and _is_text_or_bytes(leaf.type):
                found.encoded[name] = coded
    return found


def _dictionary_of(leaf: pa.Array) -> pa.DictionaryArray | None:
    """The values as a dictionary in the order of their first occurrence, if that is the rule."""
    if pa.types.is_boolean(leaf.type):
        return None
    present = leaf.drop_null()
    most = min(DICTIONARY_MAXIMUM, len(present) // DICTIONARY_SHARE)
    # Most columns without a dictionary show it in their first values.
    first = present.slice(0, FIRST_VALUES)
    if most == 0 or _distinct(first) > min(most, FIRST_DISTINCT):
        return None
    coded = leaf.dictionary_encode()
    return coded if len(coded.dictionary) <= most else None


def _distinct(values: pa.Array) -> int:
    # Several times as fast as count_distinct where texts differ.
    return len(values.dictionary_encode().dictionary)


def _encoding(leaf: pa.Array) -> str:
    arrow = leaf.type
    if pa.types.is_float64(arrow) and _are_decimal_fractions(leaf.drop_null().to_numpy()):
        return "PLAIN"
    if pa.types.is_floating(arrow):
        return "BYTE_STREAM_SPLIT"
    if pa.types.is_string(arrow):
        return "DELTA_LENGTH_BYTE_ARRAY"
    if pa.types.is_binary(arrow) or pa.types.is_boolean(arrow) or pa.types.is_decimal(arrow):
        return "PLAIN"
    return "DELTA_BINARY_PACKED"


def _level(leaf: pa.Array, encoding: str) -> int:
    if encoding == "DELTA_BINARY_PACKED":
        return NUMBERS_ZSTD_LEVEL
    if encoding in SHORT_BYTES and _is_text_or_bytes(leaf.type):
        size = pc.sum(pc.binary_length(leaf)).as_py() or 0
        if size <= SHORT_BYTES[encoding] * (len(leaf) - leaf.null_count):
            return SHORT_ZSTD_LEVELS[encoding]
    return ZSTD_LEVEL


def _are_decimal_fractions(values: Any) -> bool:
    """Whether many numbers were written with few decimal places, and not all without any.

    The low bytes of such numbers repeat, as there are only so many fractions: whole numbers are
    found by Zstandard where they stand, and are torn apart by ``BYTE_STREAM_SPLIT``.
    """
    if len(values) < DECIMAL_MINIMUM:
        return False
    one = 10.0**DECIMAL_PLACES
    for some in (values[:FIRST_VALUES], values):
        with np.errstate(invalid="ignore", over="ignore"):
            units = np.rint(some * one)
            if not ((np.abs(units) <= WHOLE_MAXIMUM) & (units / one == some)).all():
                return False
    return bool((np.rint(values) != values).any())


def _is_text_or_bytes(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_string(arrow) or pa.types.is_binary(arrow))


def _has_statistics(leaf: pa.Array) -> bool:
    # Of bytes, such as shapes, nobody asks for a range.
    if pa.types.is_binary(leaf.type):
        return False
    # Writers leave NaN out of minimum and maximum, and some readers then look no further: without
    # statistics they do.
    holds_nan = pa.types.is_floating(leaf.type) and np.isnan(leaf.drop_null().to_numpy()).any()
    return not holds_nan


def _single(column: pa.ChunkedArray) -> pa.Array:
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks or [pa.array([], column.type)])
    )


def _leaves(path: str, array: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    arrow: Any = array.type
    if pa.types.is_struct(arrow):
        for inner, child in zip(arrow, array.flatten(), strict=True):
            yield from _leaves(f"{path}.{inner.name}", child)
    elif pa.types.is_map(arrow):
        entries = as_list(array).flatten()
        yield from _leaves(f"{path}.key_value.key", entries.field(0))
        yield from _leaves(f"{path}.key_value.value", entries.field(1))
    elif pa.types.is_list(arrow):
        yield from _leaves(f"{path}.list.element", array.flatten())
    else:
        yield path, array
