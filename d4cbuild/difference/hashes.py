"""Hashes of cells and rows, for finding partners. What is found by them is 64 bits good.

The multipliers are drawn by chance in each process, so that nobody can make two rows that are told
apart by their cells but not by their hashes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.base.ambient import secret_bytes
from d4cbuild.normalform.types import is_any_list
from d4cbuild.normalform.values import as_list, list_offsets

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
"""A hash for each row."""

_SECRETS = np.frombuffer(secret_bytes(8 * 16), np.uint64) | np.uint64(1)
_SAMPLE = 1024
_NULL = _SECRETS[0]


def mixed(values: Any) -> Hashes:
    """Spread integers over all 64 bits, one to one."""
    x: Hashes = np.asarray(values, dtype=np.uint64) + _SECRETS[1]
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def combined(parts: list[Hashes], rows: int) -> Hashes:
    """One hash of several, whose order counts."""
    total = np.full(rows, _SECRETS[2], np.uint64)
    for part in parts:
        total = mixed(total * _SECRETS[3] + part)
    return total


def distinct(hashes: Hashes) -> Hashes:
    """The different ones, in order. By sorting: numpy's own way is many times slower for these."""
    ordered = np.sort(hashes)
    return ordered[:1] if len(ordered) < 2 else ordered[np.r_[True, ordered[1:] != ordered[:-1]]]


def hash_cells(array: pa.Array) -> Hashes:
    """Hash each cell of an array of canonical values."""
    arrow = array.type
    if isinstance(array.type, pa.BaseExtensionType):
        return hash_cells(array.storage)
    if pa.types.is_null(arrow):
        return np.full(len(array), _NULL, np.uint64)
    if pa.types.is_struct(arrow):
        found = combined([hash_cells(child) for child in array.flatten()], len(array))
    elif pa.types.is_map(arrow) or is_any_list(arrow):
        found = _lists(array)
    elif pa.types.is_boolean(arrow):
        found = mixed(pc.fill_null(array, False).to_numpy(zero_copy_only=False))
    elif _is_whole_bytes(arrow):
        found = _fixed(array)
    else:
        found = _variable(array)
    if array.null_count:
        found = np.where(array.is_null().to_numpy(zero_copy_only=False), _NULL, found)
    return found


def _is_whole_bytes(arrow: pa.DataType) -> bool:
    try:
        return int(arrow.bit_width) % 8 == 0
    except ValueError:
        return False


def _fixed(array: pa.Array) -> Hashes:
    width = array.type.bit_width // 8
    data = array.buffers()[1]
    if data is None:
        return np.zeros(len(array), np.uint64)
    raw = np.frombuffer(data, np.uint8)[array.offset * width : (array.offset + len(array)) * width]
    if width in (1, 2, 4, 8):
        return mixed(raw.view(f"<u{width}"))
    words = np.zeros((len(array), -(-width // 8) * 8), np.uint8)
    words[:, :width] = raw.reshape(len(array), width)
    columns = words.view("<u8")
    return combined([mixed(columns[:, i]) for i in range(columns.shape[1])], len(array))


def _variable(array: pa.Array) -> Hashes:
    if len(array.slice(0, _SAMPLE).unique()) * 2 < min(len(array), _SAMPLE):
        encoded = array.dictionary_encode()  # each of the few values is hashed once
        known = _variable_values(encoded.dictionary)
        places = pc.fill_null(encoded.indices, 0).to_numpy(zero_copy_only=False)
        return known[places] if len(known) else np.zeros(len(array), np.uint64)
    return _variable_values(array)


def _variable_values(array: pa.Array) -> Hashes:
    # Python's own hash of texts and bytes is keyed, and runs without a step of ours per cell.
    values = array.to_numpy(zero_copy_only=False)
    found = np.fromiter(map(hash, values), np.int64, len(values))
    return mixed(found.view(np.uint64))


def _lists(array: pa.Array) -> Hashes:
    lists = as_list(array) if pa.types.is_map(array.type) else array
    offsets = list_offsets(lists)
    inner = hash_cells(lists.flatten())
    lengths = np.diff(offsets)
    place = np.arange(len(inner)) - np.repeat(offsets[:-1], lengths)
    placed = mixed(inner * _SECRETS[4] + mixed(place))
    totals = np.zeros(len(inner) + 1, np.uint64)
    np.cumsum(placed, out=totals[1:])
    sums = totals[offsets[1:]] - totals[offsets[:-1]]
    return mixed(sums * _SECRETS[5] + mixed(lengths))
