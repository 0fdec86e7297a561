"""Which cells of two columns differ, a run of rows at a time and without looking at each cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.difference.hashes import hash_cells
from d4cbuild.normalform.content import run_digests
from d4cbuild.normalform.types import is_any_list, logical_type, type_name
from d4cbuild.normalform.values import InexactCast, conform

Mask = np.ndarray[Any, np.dtype[np.bool_]]
"""A truth for each row."""


def named_type(arrow: pa.DataType) -> str:
    """A type's name by the grammar of declared types, or else Arrow's own."""
    try:
        return type_name(arrow)
    except ValueError:
        return str(arrow)


def common_type(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """The type in which cells of two columns can be compared, or ``None`` if there is none."""
    a, b = _exact(a), _exact(b)
    if a == b:
        return a
    if pa.types.is_null(a) or pa.types.is_null(b):
        return b if pa.types.is_null(a) else a
    if pa.types.is_timestamp(a) and pa.types.is_timestamp(b) and a.tz == b.tz:
        return pa.timestamp("ns", a.tz)
    both_numbers = all(
        pa.types.is_integer(each) or pa.types.is_floating(each) or pa.types.is_decimal(each)
        for each in (a, b)
    )
    if both_numbers:
        return _common_number(a, b)
    if {a, b} == {pa.string(), pa.binary()}:
        return pa.binary()
    if (
        pa.types.is_nested(a)
        or pa.types.is_nested(b)
        or pa.types.is_binary(a) != (pa.types.is_binary(b))
    ):
        return None
    return pa.string()


def _common_number(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(a) and pa.types.is_integer(b):
        unsigned = pa.types.is_unsigned_integer(a) and pa.types.is_unsigned_integer(b)
        wide = pa.uint64() in (a, b)
        return pa.uint64() if unsigned else pa.decimal128(20, 0) if wide else pa.int64()
    return pa.float64()


def _exact(arrow: pa.DataType) -> pa.DataType:
    """A type's plain form, but nanoseconds and the like stay as fine as they are."""
    if isinstance(arrow, pa.BaseExtensionType):
        return _exact(arrow.storage_type)
    if pa.types.is_dictionary(arrow):
        return _exact(arrow.value_type)
    if pa.types.is_timestamp(arrow) and arrow.unit == "ns":
        return pa.timestamp("ns", None if arrow.tz is None else "UTC")
    if pa.types.is_time(arrow) and arrow.unit == "ns":
        return pa.time64("ns")
    try:
        return logical_type(arrow)
    except ValueError:
        return arrow


def comparable(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.Array:
    """Bring a run of a column to the type in which it is compared, its bits canonical.

    Raises:
        ValueError: if that cannot be done.
    """
    try:
        return _one_array(conform(column, wanted))
    except InexactCast:
        pass  # other families of types, or finer than the plain type: as well as Arrow can
    try:
        array = _decoded(_one_array(column))
        return array if array.type == wanted else array.cast(wanted, safe=False)
    except pa.ArrowException as error:
        raise ValueError(f"{column.type} cannot be compared as {wanted}") from error


def _decoded(array: pa.Array) -> pa.Array:
    if isinstance(array.type, pa.BaseExtensionType):
        return _decoded(array.storage)
    if pa.types.is_dictionary(array.type):
        return _decoded(array.dictionary_decode())
    return array


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else pa.concat_arrays(combined.chunks)


def differing(a: pa.Array, b: pa.Array) -> Mask:
    """Find the rows in which two arrays of one type differ.

    Args:
        a: Canonical values; see :func:`comparable`.
        b: As many, of the same type.

    Returns:
        A truth for each row: whether its cells differ. Two nulls do not.
    """
    arrow = a.type
    if pa.types.is_null(arrow) or len(a) == 0:
        return np.zeros(len(a), bool)
    if pa.types.is_nested(arrow):
        return _nested(a, b)
    valid_a, valid_b = valid_rows(a), valid_rows(b)
    if is_text(arrow) or pa.types.is_binary(arrow):
        other = pc.fill_null(pc.not_equal(a, b), False).to_numpy(zero_copy_only=False)
    elif pa.types.is_boolean(arrow):
        other = bits(a) != bits(b)
    else:
        other = fixed(a) != fixed(b)
        other = other.any(axis=1) if other.ndim > 1 else other
    return np.asarray((other & valid_a & valid_b) | (valid_a != valid_b), dtype=bool)


def is_text(arrow: pa.DataType) -> bool:
    """Whether a type is text."""
    return bool(pa.types.is_string(arrow) or pa.types.is_large_string(arrow))


def _nested(a: pa.Array, b: pa.Array) -> Mask:
    try:
        # The content digest settles at once what is the same, which is nearly all.
        if run_digests([pa.chunked_array([a])]) == run_digests([pa.chunked_array([b])]):
            return np.zeros(len(a), bool)
    except (ValueError, pa.ArrowException, TypeError, AttributeError):
        pass  # a type without a content digest, such as a list of durations
    return np.asarray(hash_cells(a) != hash_cells(b), dtype=bool)


def valid_rows(array: pa.Array) -> Mask:
    """Which rows are not null."""
    if array.null_count == 0:
        return np.ones(len(array), bool)
    return np.asarray(array.is_valid().to_numpy(zero_copy_only=False), dtype=bool)


def bits(array: pa.Array) -> Mask:
    """Booleans as numpy has them; nulls are false."""
    return np.asarray(pc.fill_null(array, False).to_numpy(zero_copy_only=False), dtype=bool)


def fixed(array: pa.Array) -> Any:
    """Values of fixed width as their bits: integers of that width, or rows of bytes.

    What lies under a null is anything.
    """
    width = array.type.bit_width // 8
    data = array.buffers()[1]
    if data is None:
        return np.zeros(len(array), np.uint8)
    raw = np.frombuffer(data, np.uint8)[array.offset * width : (array.offset + len(array)) * width]
    if width in (1, 2, 4, 8):
        return raw.view(f"<u{width}")
    return raw.reshape(len(array), width)


def is_nothing(array: pa.Array) -> Mask:
    """Which rows hold something empty: a text of white space at most, or a list of nothing."""
    if is_text(array.type):
        lengths = pc.utf8_length(pc.utf8_trim_whitespace(array))
    elif pa.types.is_binary(array.type):
        lengths = pc.binary_length(array)
    elif is_any_list(array.type):
        lengths = pc.list_value_length(array)
    else:
        return np.zeros(len(array), bool)
    return np.asarray(
        pc.fill_null(pc.equal(lengths, 0), False).to_numpy(zero_copy_only=False), dtype=bool
    )
