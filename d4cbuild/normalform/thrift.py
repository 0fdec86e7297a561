"""The Thrift compact protocol, as much of it as a Parquet footer needs.

A structure is read into plain values that keep every field, known or not, and written back byte
for byte: ``encode(decode(data)) == data`` for what Parquet writers produce.

Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

BOOLEAN_TRUE, BOOLEAN_FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(
    1, 13
)
_INTEGERS = (I16, I32, I64)
MAXIMUM_DEPTH = 32


@dataclass(slots=True)
class ThriftList:
    """A list with the type of its elements."""

    kind: int
    values: list[Any]


@dataclass(slots=True)
class Struct:
    """Fields by number, in the order they were met: number → (type, value)."""

    fields: dict[int, tuple[int, Any]] = field(default_factory=dict)

    def get(self, number: int) -> Any:
        """A field's value; ``None`` where it is absent."""
        entry = self.fields.get(number)
        return None if entry is None else entry[1]

    def set(self, number: int, kind: int, value: Any) -> None:
        """Set a field, keeping the fields in ascending order as writers emit them."""
        self.fields[number] = (kind, value)
        self.fields = dict(sorted(self.fields.items()))

    def drop(self, number: int) -> None:
        """Remove a field if it is there."""
        self.fields.pop(number, None)

    def keep(self, numbers: frozenset[int]) -> None:
        """Remove every field but these."""
        self.fields = {n: entry for n, entry in self.fields.items() if n in numbers}


def decode(data: bytes | memoryview) -> Struct:
    """Read one structure.

    Raises:
        ValueError: if the bytes are not one.
    """
    try:
        return _Reader(memoryview(data)).struct(0)
    except IndexError as error:
        raise ValueError("the Thrift structure is cut short") from error


def encode(value: Struct) -> bytes:
    """Write one structure."""
    out = bytearray()
    _write_struct(out, value)
    return bytes(out)


class _Reader:
    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0

    def _byte(self) -> int:
        value = self._data[self._at]
        self._at += 1
        return value

    def _varint(self) -> int:
        result = shift = 0
        while True:
            byte = self._byte()
            result |= (byte & 0x7F) << shift
            if result >> 64 or shift > 63:
                raise ValueError("a Thrift integer is too long")
            if not byte & 0x80:
                return result
            shift += 7

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _bytes(self, length: int) -> bytes:
        if length > len(self._data) - self._at:
            raise ValueError("the Thrift structure is cut short")
        value = bytes(self._data[self._at : self._at + length])
        self._at += length
        return value

    def struct(self, depth: int) -> Struct:
        if depth > MAXIMUM_DEPTH:
            raise ValueError("the Thrift structure is nested too deeply")
        result = Struct()
        number = 0
        while (header := self._byte()) != 0:
            kind = header & 0x0F
            number = number + (header >> 4) if header >> 4 else self._zigzag()
            result.fields[number] = (kind, self._value(kind, depth))
        return result

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (BOOLEAN_TRUE, BOOLEAN_FALSE):
            return kind == BOOLEAN_TRUE
        if kind == BYTE:
            return self._byte()
        if kind in _INTEGERS:
            return self._zigzag()
        if kind == DOUBLE:
            return self._bytes(8)
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind == LIST:
            return self._list(depth)
        if kind == STRUCT:
            return self.struct(depth + 1)
        raise ValueError(f"Thrift type {kind} has no place in a Parquet footer")

    def _list(self, depth: int) -> ThriftList:
        header = self._byte()
        kind, count = header & 0x0F, header >> 4
        if count == 15:
            count = self._varint()
        if count > len(self._data):
            raise ValueError("a Thrift list is longer than the data")
        if kind in (BOOLEAN_TRUE, BOOLEAN_FALSE):
            return ThriftList(kind, [self._byte() for _ in range(count)])
        return ThriftList(kind, [self._value(kind, depth) for _ in range(count)])


def _write_varint(out: bytearray, value: int) -> None:
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _write_zigzag(out: bytearray, value: int) -> None:
    _write_varint(out, (value << 1) ^ (value >> 63))


def _write_struct(out: bytearray, value: Struct) -> None:
    previous = 0
    for number, (kind, inner) in value.fields.items():
        if kind in (BOOLEAN_TRUE, BOOLEAN_FALSE):
            kind = BOOLEAN_TRUE if inner else BOOLEAN_FALSE
        delta = number - previous
        if 0 < delta <= 15:
            out.append(delta << 4 | kind)
        else:
            out.append(kind)
            _write_zigzag(out, number)
        previous = number
        if kind not in (BOOLEAN_TRUE, BOOLEAN_FALSE):
            _write_value(out, kind, inner)
    out.append(0)


def _write_value(out: bytearray, kind: int, value: Any) -> None:
    if kind == BYTE:
        out.append(value)
    elif kind in _INTEGERS:
        _write_zigzag(out, value)
    elif kind == DOUBLE:
        out += value
    elif kind == BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind == LIST:
        _write_list(out, value)
    elif kind == STRUCT:
        _write_struct(out, value)
    else:
        raise ValueError(f"Thrift type {kind} has no place in a Parquet footer")


def _write_list(out: bytearray, value: ThriftList) -> None:
    if len(value.values) < 15:
        out.append(len(value.values) << 4 | value.kind)
    else:
        out.append(0xF0 | value.kind)
        _write_varint(out, len(value.values))
    for inner in value.values:
        if value.kind in (BOOLEAN_TRUE, BOOLEAN_FALSE):
            out.append(inner)
        else:
            _write_value(out, value.kind, inner)
