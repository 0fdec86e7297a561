"""The order of rows: declared, total, and the same everywhere."""

import math
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.normalform import Declaration, DeclarationBroken
from d4cbuild.normalform.findings import Findings
from d4cbuild.normalform.order import KeySorter, come_in_order
from d4cbuild.normalform.ordered import Settings, ordered_groups
from d4cbuild.normalform.reading import TableSource
from d4cbuild.normalform.scratch import Scratch
from d4cbuild.normalform.write import ROW_GROUP_ROWS

from .test_file import read, written


def test_rows_come_in_order_with_nulls_last_and_text_by_bytes() -> None:
    texts = ["b", None, "Z", "é", "a", "\U0001f600", "\uffff", ""]
    table = pa.table({"c": texts})
    assert read(written(table))["c"].to_pylist() == [
        "", "Z", "a", "b", "é", "\uffff", "\U0001f600", None,
    ]  # fmt: skip
    numbers = pa.table({"c": [math.nan, None, -1.0, math.inf, 0.5, -math.inf]})
    assert str(read(written(numbers))["c"].to_pylist()) == "[-inf, -1.0, 0.5, inf, nan, None]"


def test_several_keys_are_compared_in_turn() -> None:
    table = pa.table({"a": [2, 1, 2, None], "b": ["x", "y", None, "z"]})
    back = read(written(table, "a", "b"))
    assert back.to_pylist() == [
        {"a": 1, "b": "y"}, {"a": 2, "b": "x"}, {"a": 2, "b": None}, {"a": None, "b": "z"},
    ]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whole_numbers_are_sorted_like_anything_else(data: st.DataObject) -> None:
    arrow = data.draw(st.sampled_from([pa.int8(), pa.int64(), pa.uint32(), pa.uint64()]))
    bits = arrow.bit_width - (1 if pa.types.is_signed_integer(arrow) else 0)
    least = -(1 << bits) if pa.types.is_signed_integer(arrow) else 0
    numbers = st.one_of(st.integers(least, (1 << bits) - 1), st.sampled_from([0, 1, 2, 3]))
    some = data.draw(st.lists(numbers, min_size=2, max_size=60))
    keys = pa.table({"a": pa.array(some, arrow), "b": pa.array(range(len(some), 0, -1))})
    wanted = pc.sort_indices(keys, sort_keys=[("a", "ascending"), ("b", "ascending")])
    sorter = KeySorter(1 << 30, Scratch())
    sorter.add(keys)
    assert sorter.finish().tolist() == wanted.to_pylist()


@pytest.mark.parametrize(
    ("pieces", "whether"),
    [
        ([[]], True),
        ([[1, 2], [], [3]], True),
        ([["Z", "a"], ["é"]], True),
        ([[1, 2], [2, 3]], False),
        ([[1, 3], [2]], False),
        ([[2, 1]], False),
        ([[1, None]], False),
        ([[1.0, math.nan]], False),
        ([[-0.0], [0.0]], False),
    ],
    ids=str,
)
def test_keys_come_in_order_or_not(pieces: list[list[Any]], whether: bool) -> None:
    arrow = next((pa.array(piece).type for piece in pieces if piece), pa.int64())
    keys = [pa.table({"0": pa.array(piece, arrow)}) for piece in pieces]
    assert come_in_order(keys) is whether
    assert come_in_order([*keys, None]) is False  # they could not all be made


class Counted(TableSource):
    """Counts the pieces that are taken of whole rows."""

    taken = 0

    def pieces(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        for piece in super().pieces(columns):
            self.taken += columns is None
            yield piece


@pytest.mark.parametrize(("step", "taken"), [(1, 1), (-1, 4)])
def test_rows_in_order_are_given_on_while_they_come(step: int, taken: int) -> None:
    table = pa.table({"c": pa.array(range(4 * ROW_GROUP_ROWS)[::step])})
    source, declaration = Counted(table), Declaration.of_schema(table.schema, ("c",))
    findings = Findings("t", ["c"])
    memory = Settings(memory=1 << 40, workers=1, scratch=Scratch())
    groups = ordered_groups(source, declaration, findings, memory).groups
    assert next(groups)()["c"].to_pylist() == list(range(ROW_GROUP_ROWS))
    assert source.taken == taken
    assert len(list(groups)) == 3
    assert not findings


@pytest.mark.parametrize(
    "values", [[1, 1], ["a", "a"], [None, None], [math.nan, -math.nan], [0.0, -0.0], [b"", b""]]
)
def test_rows_that_share_a_key_are_an_error_that_shows_them(values: list[Any]) -> None:
    arrow = pa.string() if values[0] is None else pa.array(values).type
    table = pa.table({"c": pa.array([*values, None], arrow), "d": [1, 2, 3]})
    with pytest.raises(DeclarationBroken) as caught:
        written(table)
    (violation,) = caught.value.violations
    assert violation.rule == "sort_by"
    assert violation.count >= 1
    assert violation.examples
