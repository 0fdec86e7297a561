"""Casting to the declared type, exactly or not at all, and one bit pattern per value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.normalform.types import has_floats, is_any_list, logical_type


class InexactCast(ValueError):
    """A value has no exact counterpart in the declared type.

    Attributes:
        rows: Where such values are, as far as that is known.
    """

    def __init__(self, message: str, rows: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.rows = rows


# As signed bytes, those that go on with a sign of UTF-8 are below all others.
_FIRST_OF_A_SIGN = np.int8(-64)


def conform(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """Cast a column to its declared type without changing any value, and make its bits canonical.

    Within a family only: integers to integers, floats to floats, text to text, and so on; a number
    is never made from a text or a text from a number.

    Args:
        column: Values in any storage variant.
        wanted: A plain type: one that :func:`~d4cbuild.normalform.types.logical_type` keeps.

    Raises:
        InexactCast: if the families differ or a value does not fit.
    """
    try:
        actual = logical_type(column.type)
    except ValueError as error:
        raise InexactCast(str(error)) from error
    if not _same_family(actual, wanted):
        raise InexactCast(f"{actual} is not {wanted}")
    chunks, start, bad = [], 0, []
    message = ""
    for chunk in column.chunks:
        try:
            chunks.append(_conform_array(chunk, wanted))
        except InexactCast as error:
            message = message or str(error)
            bad += [start + row for row in error.rows]
        start += len(chunk)
    if message:
        raise InexactCast(message, tuple(bad))
    return pa.chunked_array(chunks, wanted)


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Strip storage variants (dictionaries, large and view types) and make the bits canonical.

    Raises:
        InexactCast: if a value has no exact counterpart, such as a time of nanoseconds.
    """
    return conform(column, logical_type(column.type))


def _conform_array(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    array = _decoded(array)
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), wanted)
    if pa.types.is_struct(wanted):
        # flatten() gives the fields without offset and with the parent's nulls pushed down.
        fields = [
            _conform_inner(child, field.type)
            for child, field in zip(array.flatten(), wanted, strict=True)
        ]
        return pa.StructArray.from_arrays(fields, fields=list(wanted), mask=_mask(array))
    if pa.types.is_map(wanted) or pa.types.is_list(wanted):
        return _conform_list(array, wanted)
    return _conform_leaf(array, wanted)


def _conform_inner(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    try:
        return _conform_array(array, wanted)
    except InexactCast as error:
        raise InexactCast(str(error)) from error  # rows of an inner array are not rows


def _conform_list(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    # Rebuilt rather than cast: casts of sliced list views lose values (seen in pyarrow 23 to 26).
    lists = as_list(array) if pa.types.is_map(array.type) else array
    offsets = pa.array(list_offsets(lists).astype(np.int32))
    values = lists.flatten()
    if pa.types.is_map(wanted):
        keys, items = (
            _conform_inner(part, part_type)
            for part, part_type in zip(
                values.flatten(), (wanted.key_type, wanted.item_type), strict=True
            )
        )
        return pa.MapArray.from_arrays(offsets, keys, items, wanted, mask=_mask(array))
    values = _conform_inner(values, wanted.value_type)
    return pa.ListArray.from_arrays(offsets, values, type=wanted, mask=_mask(array))


def list_offsets(lists: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Where each list starts in ``lists.flatten()``, and where the last one ends.

    Returns:
        int64, one more than there are lists; null lists are empty.
    """
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    offsets = np.zeros(len(lists) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def as_list(array: pa.MapArray) -> pa.ListArray:
    """See a map as the list of key-value structures that it is in memory."""
    entries = array.values
    buffers = array.buffers()[:2]
    lists = pa.list_(entries.type)
    return pa.Array.from_buffers(lists, len(array), buffers, -1, array.offset, [entries])


def _mask(array: pa.Array) -> pa.Array | None:
    return array.is_null() if array.null_count else None


def _decoded(array: pa.Array) -> pa.Array:
    while True:
        if isinstance(array.type, pa.BaseExtensionType):
            array = array.storage
        elif pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        elif pa.types.is_run_end_encoded(array.type):
            array = pc.run_end_decode(array)
        else:
            return array


def _conform_leaf(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    actual = array.type
    if actual != wanted:
        try:
            cast = array.cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            rows = _changed_rows(array, wanted)
            raise InexactCast(str(error).splitlines()[0], rows) from error
        narrower = pa.types.is_floating(wanted) and wanted.bit_width < actual.bit_width
        if narrower and (rows := _differing(array, cast)):
            raise InexactCast(f"values are changed by rounding to {wanted}", rows)
        array = cast
    checked = pa.types.is_string(wanted) and not _is_plainly_utf8(array)
    if checked or pa.types.is_decimal(wanted):
        try:
            array.validate(full=True)
        except pa.ArrowInvalid as error:
            raise InexactCast(str(error).splitlines()[0]) from error
    return _canonical_floats(array) if pa.types.is_floating(wanted) else array


def _is_plainly_utf8(array: pa.StringArray) -> bool:
    """Whether texts are seen to be UTF-8 by a look at all their bytes at once, which is fast.

    Returns:
        ``False`` where that does not show it, such as with odd bytes behind missing values.
    """
    _, offset_buffer, data = array.buffers()
    if len(array) == 0 or data is None:
        return False
    offsets = np.frombuffer(offset_buffer, np.int32)[array.offset : array.offset + len(array) + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    if first < 0 or last > data.size or (offsets[1:] < offsets[:-1]).any():
        return False
    if first == last or np.frombuffer(data, np.int8)[first:last].min() >= 0:
        return True  # ASCII, which can be cut anywhere
    ends = pa.py_buffer(np.array([first, last], np.int32))
    try:
        pa.Array.from_buffers(pa.string(), 1, [None, ends, data]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    starts = np.frombuffer(data, np.int8)[offsets[offsets < last]]
    return not bool((starts < _FIRST_OF_A_SIGN).any())


def _changed_rows(array: pa.Array, wanted: pa.DataType) -> tuple[int, ...]:
    try:
        return _differing(array, array.cast(wanted, safe=False))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return ()  # not even an unsafe cast; then all that is known is Arrow's message


def _differing(before: pa.Array, after: pa.Array) -> tuple[int, ...]:
    back = after.cast(before.type, safe=False)
    same = pc.equal(before, back)
    if pa.types.is_floating(before.type):
        same = pc.or_(same, pc.and_(pc.is_nan(before), pc.is_nan(back)))
    if pa.types.is_integer(before.type):
        # Between signed and unsigned of one width, wrapping around comes back to the same number.
        negative = (pc.less(array, pa.scalar(0, array.type)) for array in (before, after))
        same = pc.and_(same, pc.equal(*negative))
    differs = pc.invert(pc.fill_null(same, True)).to_numpy(zero_copy_only=False)
    return tuple(int(row) for row in np.flatnonzero(differs))


def _canonical_floats(array: pa.Array) -> pa.Array:
    """Make every ``-0.0`` a ``0.0`` and every NaN the one quiet NaN."""
    values = array.to_numpy(zero_copy_only=False)
    if array.null_count == 0 and not (np.isnan(values).any() or _any_negative_zero(values)):
        return array
    mask = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    # Adding +0.0 turns -0.0 into +0.0 and leaves every other number as it is.
    with np.errstate(invalid="ignore"):  # signalling NaN, which is made quiet here
        fixed = values + values.dtype.type(0)
    fixed[np.isnan(fixed)] = np.nan
    return pa.array(fixed, array.type, mask=mask, from_pandas=False)


def _any_negative_zero(values: Any) -> bool:
    integers = values.view(np.int64 if values.dtype.itemsize == 8 else np.int32)
    return bool((integers == np.iinfo(integers.dtype).min).any())


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
    if pa.types.is_map(actual) and pa.types.is_map(wanted):
        keys = _same_family(actual.key_type, wanted.key_type)
        return keys and _same_family(actual.item_type, wanted.item_type)
    if is_any_list(actual) and is_any_list(wanted):
        return _same_family(actual.value_type, wanted.value_type)
    if pa.types.is_struct(actual) and pa.types.is_struct(wanted):
        if [field.name for field in actual] != [field.name for field in wanted]:
            return False
        pairs = zip(actual, wanted, strict=True)
        return all(_same_family(a.type, w.type) for a, w in pairs)
    return any(family(actual) and family(wanted) for family in _FAMILIES)


def is_canonical(column: pa.ChunkedArray) -> bool:
    """Whether a column is in its plain type already and has no floats to look at."""
    return bool(column.type == logical_type(column.type) and not has_floats(column.type))
