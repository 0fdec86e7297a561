"""Casting to the declared type, exactly or not at all, and one bit pattern per value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.normalform.types import logical_type


class InexactCast(ValueError):
    """A value has no exact counterpart in the declared type."""


def conform(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """Cast a column to its declared type without changing any value.

    Within a family only: integers to integers, floats to floats, text to text, and so on; a number
    is never made from a text or a text from a number.

    Raises:
        InexactCast: if the families differ or a value does not fit.
    """
    column = plain(column)
    if column.type == wanted:
        return canonical(column)
    if not _same_family(column.type, wanted):
        raise InexactCast(f"{column.type} is not {wanted}")
    try:
        cast = column.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InexactCast(str(error).splitlines()[0]) from error
    if pa.types.is_float32(wanted) and not _same_values(column, cast):
        raise InexactCast("values are changed by rounding to float32")
    return canonical(cast)


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Strip storage variants: dictionaries decoded, large and view types made plain."""
    if isinstance(column.type, pa.BaseExtensionType):
        chunks = [chunk.storage for chunk in column.chunks]
        return plain(pa.chunked_array(chunks, column.type.storage_type))
    target = logical_type(column.type)
    if column.type == target:
        return column
    if pa.types.is_timestamp(column.type) or pa.types.is_time(column.type):
        return column.cast(_same_unit_limit(column.type, target))
    return column.cast(target)


def _same_unit_limit(actual: pa.DataType, target: pa.DataType) -> pa.DataType:
    # Nanoseconds go to microseconds by a checked cast; it fails rather than truncate.
    return target if actual != target else actual


def canonical(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give equal values equal bits: ``-0.0`` becomes ``0.0``, every NaN the one quiet NaN.

    Null slots need no care here: neither the Parquet pages nor the content digest see them.
    """
    if not _has_floats(column.type):
        return column
    return pa.chunked_array([_canonical_array(chunk) for chunk in column.chunks], column.type)


def _has_floats(arrow: pa.DataType) -> bool:
    if pa.types.is_floating(arrow):
        return True
    return any(_has_floats(arrow.field(i).type) for i in range(arrow.num_fields))


def _canonical_array(array: pa.Array) -> pa.Array:
    arrow = array.type
    if pa.types.is_floating(arrow):
        return _canonical_floats(array)
    if not _has_floats(arrow):
        return array
    if pa.types.is_struct(arrow):
        children = [_canonical_array(array.field(i)) for i in range(arrow.num_fields)]
        return pa.StructArray.from_arrays(children, fields=list(arrow), mask=array.is_null())
    offsets = array.offsets
    if pa.types.is_map(arrow):
        keys, items = _canonical_array(array.keys), _canonical_array(array.items)
        return pa.MapArray.from_arrays(offsets, keys, items, arrow, mask=_mask(array))
    values = _canonical_array(array.values)
    return pa.ListArray.from_arrays(offsets, values, type=arrow, mask=_mask(array))


def _mask(array: pa.Array) -> pa.Array | None:
    if array.null_count == 0:
        return None
    if array.offset:
        raise ValueError("a sliced list column must be compacted first")
    return array.is_null()


def _canonical_floats(array: pa.Array) -> pa.Array:
    values = array.to_numpy(zero_copy_only=False)
    mask = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    # Adding +0.0 turns -0.0 into +0.0 and leaves every other number as it is.
    fixed = values + values.dtype.type(0)
    fixed[np.isnan(fixed)] = np.nan
    return pa.array(fixed, array.type, mask=mask, from_pandas=False)


def _same_values(before: pa.ChunkedArray, after: pa.ChunkedArray) -> bool:
    back = after.cast(before.type)
    same = pc.or_(pc.equal(before, back), pc.and_(pc.is_nan(before), pc.is_nan(back)))
    return bool(pc.all(pc.fill_null(same, True)).as_py() is not False)


_FAMILIES = (
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_string,
    pa.types.is_binary,
    pa.types.is_date,
    pa.types.is_time,
)


def _same_family(actual: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_null(actual):
        return True
    if pa.types.is_timestamp(actual) and pa.types.is_timestamp(wanted):
        return (actual.tz is None) == (wanted.tz is None)
    if pa.types.is_nested(actual) and actual.id == wanted.id:
        if actual.num_fields != wanted.num_fields:
            return False
        pairs = [(actual.field(i), wanted.field(i)) for i in range(actual.num_fields)]
        named = not pa.types.is_struct(actual) or all(a.name == w.name for a, w in pairs)
        return named and all(a.type == w.type or _same_family(a.type, w.type) for a, w in pairs)
    return any(family(actual) and family(wanted) for family in _FAMILIES)
