"""Thrift's compact protocol, as far as Parquet footers need it."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.normalform.footer import EncodedGroup
from d4cbuild.normalform.thrift import (
    BINARY,
    BOOLEAN_FALSE,
    BOOLEAN_TRUE,
    BYTE,
    DOUBLE,
    I16,
    I32,
    I64,
    LIST,
    STRUCT,
    Struct,
    ThriftList,
    decode,
    encode,
)

from .slow_digest import Column
from .tables import arrow_table, tables


def footer_of(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    data = sink.getvalue()
    return data[-8 - int.from_bytes(data[-8:-4], "little") : -8]


@settings(max_examples=40, deadline=None)
@given(tables())
def test_footers_of_pyarrow_come_back_byte_for_byte(made: list[Column]) -> None:
    table = arrow_table(made)
    for options in ({}, {"write_page_index": True, "store_schema": False, "row_group_size": 2}):
        footer = footer_of(table, **options)
        assert encode(decode(footer)) == footer


def test_page_indexes_of_pyarrow_come_back_byte_for_byte() -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": list(range(50))}), sink, write_page_index=True, data_page_size=1)
    group = EncodedGroup(memoryview(sink.getvalue()))
    (chunk,) = group.metadata().get(4).values[0].get(1).values
    for offset, length in ((4, 5), (6, 7)):
        start = chunk.get(offset)
        index = bytes(group.data[start : start + chunk.get(length)])
        assert encode(decode(index)) == index


def structures() -> st.SearchStrategy[Struct]:
    simple = st.one_of(
        st.booleans().map(lambda value: (BOOLEAN_TRUE if value else BOOLEAN_FALSE, value)),
        st.integers(0, 255).map(lambda value: (BYTE, value)),
        st.integers(-(2**15), 2**15 - 1).map(lambda value: (I16, value)),
        st.integers(-(2**31), 2**31 - 1).map(lambda value: (I32, value)),
        st.integers(-(2**63), 2**63 - 1).map(lambda value: (I64, value)),
        st.binary(min_size=8, max_size=8).map(lambda value: (DOUBLE, value)),
        st.binary(max_size=200).map(lambda value: (BINARY, value)),
        st.lists(st.integers(-5, 5), max_size=20).map(lambda v: (LIST, ThriftList(I32, v))),
        st.lists(st.sampled_from([1, 2]), max_size=20).map(
            lambda v: (LIST, ThriftList(BOOLEAN_TRUE, v))
        ),
    )

    def whole(inner: st.SearchStrategy[tuple[int, object]]) -> st.SearchStrategy[Struct]:
        fields = st.dictionaries(st.integers(1, 300), inner, max_size=6)
        return fields.map(lambda found: Struct(dict(sorted(found.items()))))

    structs = whole(simple).map(lambda value: (STRUCT, value))
    lists = st.lists(whole(simple), max_size=17).map(lambda v: (LIST, ThriftList(STRUCT, v)))
    return whole(st.one_of(simple, structs, lists))


@settings(max_examples=200)
@given(structures())
def test_any_structure_comes_back(value: Struct) -> None:
    assert decode(encode(value)) == value


@settings(max_examples=100)
@given(structures(), st.data())
def test_a_structure_cut_short_is_an_error(value: Struct, data: st.DataObject) -> None:
    encoded = encode(value)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(ValueError, match=r"cut short|longer than"):
        decode(encoded[:cut])


@given(st.binary(max_size=100))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        decode(data)
    except ValueError as error:
        assert "Thrift" in str(error)


def test_endless_nesting_is_refused() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        decode(b"\x1c" * 5000)


def test_a_list_longer_than_the_data_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than the data"):
        decode(bytes([0x19, 0xF5, 0xFF, 0xFF, 0xFF, 0x7F]))


def test_a_number_of_more_than_64_bits_is_refused() -> None:
    largest = b"\x16" + b"\xff" * 9 + b"\x01\x00"
    assert decode(largest).get(1) == -(1 << 63)
    assert encode(decode(largest)) == largest
    with pytest.raises(ValueError, match="too long"):
        decode(b"\x16" + b"\xff" * 9 + b"\x02\x00")


def test_an_endless_number_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        decode(bytes([0x15]) + b"\xff" * 20)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        decode(bytes([0x1B, 0]))
    with pytest.raises(ValueError, match="no place"):
        encode(Struct({1: (11, {})}))


def test_setting_and_dropping_fields_keeps_their_order() -> None:
    value = Struct()
    value.set(9, I32, 1)
    value.set(2, I64, 2)
    value.set(5, BINARY, b"x")
    value.drop(9)
    value.drop(7)
    assert list(value.fields) == [2, 5]
    value.keep(frozenset({5, 6}))
    assert list(value.fields) == [5]
    assert value.get(9) is None
