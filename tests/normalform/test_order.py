"""The order of rows: declared, total, and the same everywhere."""

import math
from typing import Any

import pyarrow as pa
import pytest

from d4cbuild.normalform import DeclarationBroken

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
