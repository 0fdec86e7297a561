"""Casts are exact, or refused."""

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.normalform.types import arrow_type, logical_type, type_name
from d4cbuild.normalform.values import InexactCast, conform

from .slow_digest import Column
from .tables import arrow_table, nest, other_storage, tables, types


def cast(values: list[Any], actual: pa.DataType, wanted: pa.DataType) -> list[Any]:
    result = conform(pa.chunked_array([pa.array(values, actual)]), wanted)
    assert result.type == wanted
    return list(result.to_pylist())


DAY = dt.date(2024, 2, 29)
NOON = dt.datetime(2024, 2, 29, 12, 0, 0, 123456)
UTC_NOON = NOON.replace(tzinfo=dt.UTC)

EXACT: list[tuple[list[Any], pa.DataType, pa.DataType]] = [
    ([1, None, -128], pa.int64(), pa.int8()),
    ([255], pa.int16(), pa.uint8()),
    ([2**63], pa.uint64(), pa.uint64()),
    ([5], pa.uint8(), pa.int64()),
    ([0.5, None], pa.float64(), pa.float32()),
    ([0.5], pa.float16(), pa.float64()),
    ([Decimal("1.50")], pa.decimal128(10, 2), pa.decimal128(4, 2)),
    ([Decimal("1.5"), None], pa.decimal256(60, 1), pa.decimal128(38, 10)),
    ([Decimal("150")], pa.decimal32(5, 0), pa.decimal128(9, 3)),
    ([DAY, None], pa.date64(), pa.date32()),
    ([dt.time(12, 30)], pa.time32("s"), pa.time64("us")),
    ([dt.time(12, 30, 1, 5)], pa.time64("ns"), pa.time64("us")),
    ([NOON, None], pa.timestamp("ns"), pa.timestamp("us")),
    ([NOON.replace(microsecond=0)], pa.timestamp("s"), pa.timestamp("us")),
    ([UTC_NOON], pa.timestamp("ns", "America/Toronto"), pa.timestamp("us", "UTC")),
    ([UTC_NOON], pa.timestamp("us", "+05:30"), pa.timestamp("us", "UTC")),
    (["é", None, ""], pa.large_string(), pa.string()),
    (["a", "b", "a", None], pa.dictionary(pa.int8(), pa.string()), pa.string()),
    (["ab"], pa.string_view(), pa.string()),
    ([b"ab", None], pa.binary(2), pa.binary()),
    ([b"0" * 16], pa.uuid(), pa.binary()),
    ([None, None], pa.null(), pa.float64()),
    ([None], pa.null(), pa.struct([("a", pa.list_(pa.int8()))])),
    ([[1], None, []], pa.list_(pa.int64()), pa.list_(pa.field("element", pa.int8()))),
    ([[1, 2], None], pa.list_(pa.int64(), 2), pa.list_(pa.field("element", pa.int8()))),
    ([[("a", 1)], None], pa.map_(pa.large_string(), pa.int64()), pa.map_(pa.string(), pa.int8())),
    ([{"a": 0.5}, None], pa.struct([("a", pa.float64())]), pa.struct([("a", pa.float32())])),
]


@pytest.mark.parametrize(("values", "actual", "wanted"), EXACT, ids=lambda v: str(v)[:40])
def test_values_that_fit_are_kept(
    values: list[Any], actual: pa.DataType, wanted: pa.DataType
) -> None:
    assert cast(values, actual, wanted) == values
    assert cast([], actual, wanted) == []


INEXACT: list[tuple[list[Any], pa.DataType, pa.DataType, tuple[int, ...]]] = [
    ([1, 128, None, -129], pa.int64(), pa.int8(), (1, 3)),
    ([-1], pa.int64(), pa.uint64(), (0,)),
    ([2**63], pa.uint64(), pa.int64(), (0,)),
    ([0.5, 0.1, None, math.nan], pa.float64(), pa.float32(), (1,)),
    ([1e300], pa.float64(), pa.float32(), (0,)),
    ([Decimal("1.55"), Decimal("1.50")], pa.decimal128(10, 2), pa.decimal128(10, 1), (0,)),
    ([0, 1, 1000], pa.timestamp("ns"), pa.timestamp("us"), (1,)),
    ([1], pa.timestamp("ns", "UTC"), pa.timestamp("us", "UTC"), (0,)),
    ([1, 2000], pa.time64("ns"), pa.time64("us"), (0,)),
]


@pytest.mark.parametrize(("values", "actual", "wanted", "rows"), INEXACT, ids=lambda v: str(v)[:40])
def test_values_that_do_not_fit_are_refused_and_their_rows_named(
    values: list[Any], actual: pa.DataType, wanted: pa.DataType, rows: tuple[int, ...]
) -> None:
    with pytest.raises(InexactCast) as caught:
        cast(values, actual, wanted)
    assert caught.value.rows == rows


@pytest.mark.parametrize(
    ("values", "actual", "wanted"),
    [
        ([2**60], pa.timestamp("s"), pa.timestamp("us")),
        ([Decimal("123.4")], pa.decimal128(10, 1), pa.decimal128(3, 1)),
        ([5], pa.date64(), pa.date32()),
        ([[0.1]], pa.list_(pa.float64()), pa.list_(pa.field("element", pa.float32()))),
        ([[300]], pa.list_(pa.int64()), pa.list_(pa.field("element", pa.int8()))),
        ([{"a": 0.1}], pa.struct([("a", pa.float64())]), pa.struct([("a", pa.float32())])),
        ([[("a", 0.1)]], pa.map_(pa.string(), pa.float64()), pa.map_(pa.string(), pa.float32())),
        (
            [{"t": 1}],
            pa.struct([("t", pa.timestamp("ns"))]),
            pa.struct([("t", pa.timestamp("us"))]),
        ),
    ],
    ids=lambda v: str(v)[:40],
)
def test_inner_values_that_do_not_fit_are_refused(
    values: list[Any], actual: pa.DataType, wanted: pa.DataType
) -> None:
    array = pa.array(values, actual)
    if pa.types.is_date64(actual):
        array = pa.array(values, pa.int64()).view(actual)
    with pytest.raises(InexactCast):
        conform(pa.chunked_array([array]), wanted)


AB = pa.struct([("a", pa.int8()), ("b", pa.int8())])
BA = pa.struct([("b", pa.int8()), ("a", pa.int8())])


@pytest.mark.parametrize(
    ("actual", "wanted"),
    [
        (pa.int64(), pa.float64()),
        (pa.int64(), pa.string()),
        (pa.string(), pa.int64()),
        (pa.string(), pa.binary()),
        (pa.binary(), pa.string()),
        (pa.float64(), pa.decimal128(5, 2)),
        (pa.timestamp("us"), pa.timestamp("us", "UTC")),
        (pa.timestamp("us", "UTC"), pa.timestamp("us")),
        (pa.timestamp("us"), pa.date32()),
        (pa.bool_(), pa.int8()),
        (pa.duration("s"), pa.int64()),
        (pa.list_(pa.int8()), pa.int8()),
        (pa.list_(pa.int64()), pa.list_(pa.field("element", pa.string()))),
        (pa.struct([("a", pa.int8())]), pa.struct([("b", pa.int8())])),
        (AB, pa.struct([("a", pa.int8())])),
        (AB, BA),
        (pa.map_(pa.string(), pa.int8()), pa.list_(pa.int8())),
    ],
    ids=str,
)  # fmt: skip
def test_a_type_of_another_family_is_refused(actual: pa.DataType, wanted: pa.DataType) -> None:
    with pytest.raises(InexactCast, match="is not"):
        conform(pa.chunked_array([pa.array([], actual)]), wanted)


def test_rows_are_counted_across_chunks() -> None:
    column = pa.chunked_array([[1, 2], [300, 4], [5, -300]])
    with pytest.raises(InexactCast) as caught:
        conform(column, pa.int8())
    assert caught.value.rows == (2, 5)


def test_a_sliced_list_view_keeps_its_values() -> None:
    views = pa.array([["a"], None, ["b", "c"], ["d"]], pa.list_view(pa.string())).slice(1)
    wanted = pa.list_(pa.field("element", pa.string()))
    assert conform(pa.chunked_array([views]), wanted).to_pylist() == [None, ["b", "c"], ["d"]]


def test_run_end_encoded_values_are_unrolled() -> None:
    runs = pa.RunEndEncodedArray.from_arrays([2, 3], ["a", "b"])
    assert conform(pa.chunked_array([runs]), pa.string()).to_pylist() == ["a", "a", "b"]


def test_text_that_is_not_utf8_is_refused() -> None:
    offsets = pa.py_buffer(b"\0\0\0\0\1\0\0\0")
    broken = pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(b"\xff")])
    for array in (broken, pa.ListArray.from_arrays([0, 1], broken)):
        with pytest.raises(InexactCast, match="UTF8"):
            conform(pa.chunked_array([array]), logical_type(array.type))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.text().map(str.encode), st.binary(max_size=3), st.none()), max_size=6),
    st.integers(0, 3),
)
def test_texts_are_taken_just_where_each_is_utf8(values: list[bytes | None], start: int) -> None:
    array = pa.array(values, pa.binary()).slice(start)
    texts = pa.Array.from_buffers(pa.string(), len(array), array.buffers(), -1, array.offset)
    try:
        wanted = [value if value is None else value.decode() for value in values[start:]]
    except UnicodeDecodeError:
        with pytest.raises(InexactCast, match="UTF8"):
            conform(pa.chunked_array([texts]), pa.string())
    else:
        assert conform(pa.chunked_array([texts]), pa.string()).to_pylist() == wanted


def test_signs_cut_in_two_are_refused() -> None:
    both = "é".encode()
    array = pa.array([both[:1], both[1:]], pa.binary())
    texts = pa.Array.from_buffers(pa.string(), 2, array.buffers())
    with pytest.raises(InexactCast, match="UTF8"):
        conform(pa.chunked_array([texts]), pa.string())


def test_a_type_nested_too_deeply_is_refused() -> None:
    arrow = pa.int8()
    for _ in range(400):
        arrow = pa.list_(arrow)
    with pytest.raises(InexactCast, match="16 levels"):
        conform(pa.chunked_array([], arrow), pa.list_(pa.int8()))


def test_floats_inside_sliced_lists_become_canonical() -> None:
    lists = pa.array([None, [1.0], None, [-0.0, math.nan]]).slice(1)
    column = conform(pa.chunked_array([lists]), pa.list_(pa.field("element", pa.float64())))
    (zero, nan) = column.to_pylist()[2]
    assert math.copysign(1, zero) == 1
    assert math.isnan(nan)
    assert column.to_pylist()[:2] == [[1.0], None]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_storage_variant_conforms_to_the_plain_type(data: st.DataObject) -> None:
    made: list[Column] = data.draw(tables())
    other = data.draw(other_storage(made))
    for column, plain in zip(other.columns, arrow_table(made).columns, strict=True):
        result = conform(column, plain.type)
        assert [chunk.validate(full=True) for chunk in result.chunks] == [None] * result.num_chunks
        again = conform(plain, plain.type)
        if any("float" in str(arrow) for arrow in (plain.type,)):
            assert str(result.to_pylist()) == str(again.to_pylist())
        else:
            assert result.combine_chunks().equals(again.combine_chunks())


@given(types())
def test_a_declared_type_is_its_own_logical_type_and_has_a_name(tree: dict[str, Any]) -> None:
    arrow = arrow_type(tree)
    assert logical_type(arrow) == arrow
    assert type_name(arrow)


def test_type_names_follow_the_grammar_of_recipes() -> None:
    tree = nest(
        "struct",
        a=nest("list", element={"kind": "int8"}),
        b=nest("map", key={"kind": "string"}, value={"kind": "timestamp_utc"}),
        c={"kind": "decimal", "precision": 9, "scale": 2},
    )
    name = "struct<a:list<int8>,b:map<string,timestamp_utc>,c:decimal(9,2)>"
    assert type_name(arrow_type(tree)) == name


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown column type 'decimal7'"):
        arrow_type({"kind": "decimal7"})


def test_time_zones_change_no_instant() -> None:
    toronto = pa.array([0, 1_700_000_000_000_000], pa.timestamp("us", "America/Toronto"))
    result = conform(pa.chunked_array([toronto]), pa.timestamp("us", "UTC"))
    assert pc.cast(result, pa.int64()).to_pylist() == [0, 1_700_000_000_000_000]
