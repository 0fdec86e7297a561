"""Every rule of a declaration, with counts and example rows, all at once."""

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d4cbuild.normalform import Declaration, normalise
from d4cbuild.normalform.findings import Violation, shown

LISTS = {"kind": "list", "children": [{"name": "element", "type": {"kind": "int64"}}]}


def violations(
    values: Any, kind: str | dict[str, Any], arrow: pa.DataType | None = None, **rules: Any
) -> list[Violation]:
    """Check a column ``c``; a column ``n`` numbers the rows."""
    tree = {"kind": kind} if isinstance(kind, str) else kind
    wanted = [
        {"name": "n", "type": {"kind": "int64"}, "nullable": False},
        {"name": "c", "type": tree, "nullable": True} | rules,
    ]
    declaration = Declaration.from_json({"name": "out", "columns": wanted, "sort_by": ["n"]})
    if arrow is None and kind == "uint64":
        arrow = pa.uint64()
    column = values if isinstance(values, pa.Array) else pa.array(values, arrow)
    table = pa.table({"n": range(len(column)), "c": column})
    return normalise(table, declaration).violations


def rows_named(found: list[Violation], rule: str) -> list[int]:
    (violation,) = found
    assert violation.rule == rule
    assert violation.column == "c"
    assert violation.count == len(violation.examples)
    return [int(example.split(":")[0].removeprefix("row ")) for example in violation.examples]


MOMENTS = [dt.datetime(2020, 1, day, tzinfo=dt.UTC) for day in (1, 2, 3)]
DECIMAL = {"kind": "decimal", "precision": 5, "scale": 2}
CENTS = [Decimal("1.00"), Decimal("1.01"), None, Decimal("-3.00")]

MINIMA: list[tuple[Any, Any, Any, list[int]]] = [
    ([1, 2, None, -3], "int64", 2, [0, 3]),
    ([1, 2, None, -3], "int8", 1.5, [0, 3]),
    ([1, 2, None, -3], "int8", -1000, []),
    ([1, 2, None], "int8", 1000, [0, 1]),
    ([0, 2**64 - 1], "uint64", 2**63, [0]),
    ([2**53, 2**53 + 1], "int64", 2**53 + 1, [0]),
    ([0.1, 0.2, None, math.nan], "float64", 0.2, [0, 3]),
    ([-math.inf, 1.0], "float64", 0, [0]),
    (pa.array([0.1, 0.2], pa.float32()), "float32", 0.15, [0]),
    (pa.array(CENTS, pa.decimal128(5, 2)), DECIMAL, 1.005, [0, 3]),
    (pa.array(CENTS, pa.decimal128(5, 2)), DECIMAL, "1.01", [0, 3]),
    (pa.array(CENTS, pa.decimal128(5, 2)), DECIMAL, -(10**40), []),
    (["a", "b", None, "é"], "string", "b", [0]),
    ([dt.date(2020, 1, 1), None, dt.date(2019, 12, 31)], "date", "2020-01-01", [2]),
    ([dt.time(1), dt.time(23)], "time", "12:30:00", [0]),
    ([m.replace(tzinfo=None) for m in MOMENTS], "timestamp", "2020-01-02T00:00:00", [0]),
    (MOMENTS, "timestamp_utc", "2020-01-02T01:00:00+01:00", [0]),
]


@pytest.mark.parametrize(("values", "kind", "bound", "bad"), MINIMA, ids=lambda v: str(v)[:30])
def test_values_below_the_minimum_are_named(
    values: Any, kind: Any, bound: Any, bad: list[int]
) -> None:
    found = violations(values, kind, min=bound)
    assert (rows_named(found, "min") if found else []) == bad


MAXIMA: list[tuple[Any, Any, Any, list[int]]] = [
    ([1, 2, None, 30], "int64", 2, [3]),
    ([1, 2, None], "int8", 1.5, [1]),
    ([1, 2, None], "int8", 1000, []),
    ([1, 2, None], "uint8", -1, [0, 1]),
    ([2**63 - 1, 2**63], "uint64", 2**63 - 1, [1]),
    ([0.1, 0.3, None, math.nan], "float64", 0.2, [1, 3]),
    ([math.inf], "float64", math.inf, []),
    (pa.array(CENTS, pa.decimal128(5, 2)), DECIMAL, 1.005, [1]),
    (["a", "b", "é"], "string", "b", [2]),
    ([dt.date(2020, 1, 1), dt.date(2020, 1, 2)], "date", "2020-01-01", [1]),
    (MOMENTS, "timestamp_utc", "2020-01-02T00:00:00Z", [2]),
]


@pytest.mark.parametrize(("values", "kind", "bound", "bad"), MAXIMA, ids=lambda v: str(v)[:30])
def test_values_above_the_maximum_are_named(
    values: Any, kind: Any, bound: Any, bad: list[int]
) -> None:
    found = violations(values, kind, max=bound)
    assert (rows_named(found, "max") if found else []) == bad


@given(st.integers(-128, 127), st.one_of(st.integers(-300, 300), st.floats(-300, 300)))
def test_bounds_of_integers_are_those_of_arithmetic(value: int, bound: float) -> None:
    assert bool(violations([value], "int8", pa.int8(), min=bound)) == (value < bound)
    assert bool(violations([value], "int8", pa.int8(), max=bound)) == (value > bound)


ENUMS: list[tuple[Any, Any, list[Any], list[int]]] = [
    (["a", "b", None, "c"], "string", ["a", "c"], [1]),
    ([1, 2, None], "int8", [1, 500], [1]),
    ([1, 2], "int8", [1.0, 2.5], [1]),
    ([0.5, math.nan], "float64", [0.5, 1], [1]),
    (pa.array([0.5, 0.1], pa.float32()), "float32", [0.5, 0.1], [1]),
    ([True, False, None], "boolean", [True], [1]),
    (pa.array(CENTS, pa.decimal128(5, 2)), DECIMAL, [1, "1.01", 1.005], [3]),
    ([dt.date(2020, 1, 1), dt.date(2021, 1, 1)], "date", ["2020-01-01"], [1]),
    (MOMENTS, "timestamp_utc", ["2020-01-01T00:00:00Z"], [1, 2]),
    ([dt.time(1), dt.time(2)], "time", ["01:00"], [1]),
    (["a"], "string", [], [0]),
]


@pytest.mark.parametrize(("values", "kind", "listed", "bad"), ENUMS, ids=lambda v: str(v)[:30])
def test_values_that_are_not_listed_are_named(
    values: Any, kind: Any, listed: list[Any], bad: list[int]
) -> None:
    assert rows_named(violations(values, kind, enum=listed), "enum") == bad


@pytest.mark.parametrize(
    ("pattern", "bad"),
    [
        ("[a-z]+", [1, 2, 4]),
        ("ab|cd", [1, 2, 4]),
        ("ab", [1, 2, 3, 4]),
        ("(?i)ab.*", [2, 3, 4]),
        (".*", [4]),
        ("(?s).*", []),
        ("a.?|.*d", [1, 2, 4]),
    ],
)
def test_texts_that_do_not_match_from_end_to_end_are_named(pattern: str, bad: list[int]) -> None:
    values = ["ab", "AB", "1cd1", "cd", "ab\n", None]
    found = violations(values, "string", pattern=pattern)
    assert (rows_named(found, "pattern") if found else []) == bad


@pytest.mark.parametrize(
    ("values", "kind", "rules"),
    [
        (["a"], "string", {"pattern": "a)|(b"}),
        (["a"], "string", {"pattern": r"\Qa"}),
        (["a"], "string", {"pattern": "(?=a)"}),
        ([1], "int64", {"pattern": "a"}),
        ([1], "int64", {"min": "1"}),
        ([1], "int64", {"min": True}),
        ([1.0], "float64", {"max": math.nan}),
        ([1.0], "float64", {"max": "1"}),
        (["a"], "string", {"min": 1}),
        (["a"], "string", {"enum": [1]}),
        ([True], "boolean", {"min": 0}),
        ([True], "boolean", {"enum": [1]}),
        ([dt.date(2020, 1, 1)], "date", {"min": 2020}),
        ([dt.date(2020, 1, 1)], "date", {"max": "January"}),
        (MOMENTS, "timestamp_utc", {"max": "2020-01-01"}),
        ([m.replace(tzinfo=None) for m in MOMENTS], "timestamp", {"max": "2020-01-01T00:00Z"}),
        ([[1]], LISTS, {"min": 1}),
        ([[1]], LISTS, {"enum": [1]}),
        (pa.array([Decimal("1")], pa.decimal128(5, 2)), DECIMAL, {"min": "one"}),
    ],
    ids=lambda v: str(v)[:30],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_for_the_column_is_a_violation(
    values: Any, kind: Any, rules: dict[str, Any]
) -> None:
    (violation,) = violations(values, kind, **rules)
    assert violation.rule in rules
    assert violation.message.startswith("the rule cannot be applied")


def test_missing_values_are_named_where_none_may_be() -> None:
    found = violations([1, None, 3, None], "int64", nullable=False)
    assert rows_named(found, "nullable") == [1, 3]


@pytest.mark.parametrize(
    ("values", "kind", "examples"),
    [
        (["a", "b", "a", None, None, "a"], "string", ('"a" occurs 3 times',)),
        ([1, 2, 1, 2], "int64", ("1 occurs 2 times", "2 occurs 2 times")),
        ([0.0, -0.0], "float64", ("0.0 occurs 2 times",)),
        ([b"\xff", b"\xff"], "binary", ('"ff" occurs 2 times',)),
        ([[1], [1], [2]], LISTS, ('"[1]" occurs 2 times',)),
        (["a", None, None, "b"], "string", None),
        ([None, None], "int64", None),
        ([], "int64", None),
    ],
    ids=lambda v: str(v)[:30],
)
def test_values_that_occur_twice_are_counted(
    values: Any, kind: Any, examples: tuple[str, ...] | None
) -> None:
    arrow = pa.int64() if kind == "int64" else None
    found = violations(values, kind, arrow, unique=True)
    if examples is None:
        assert found == []
        return
    (violation,) = found
    assert (violation.rule, violation.examples) == ("unique", examples)
    assert violation.count == sum(int(text.split()[-2]) - 1 for text in examples)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    columns = [
        {"name": "id", "type": {"kind": "int8"}, "nullable": False, "unique": True, "max": 3},
        {"name": "name", "type": {"kind": "string"}, "nullable": False, "pattern": "[a-z]"},
        {"name": "size", "type": {"kind": "int64"}, "nullable": True},
        {"name": "gone", "type": {"kind": "int64"}, "nullable": True},
    ]
    declaration = Declaration.from_json(
        {"name": "out", "columns": columns, "sort_by": ["id"], "rows": {"min": 10, "max": 20}}
    )
    table = pa.table(
        {"extra": [0] * 4, "size": ["x"] * 4, "name": ["a", None, "A", "b"], "id": [1, 1, 2, 9]}
    )
    found = normalise(table, declaration)
    assert [(v.column, v.rule, v.count) for v in found.violations] == [
        ("", "rows.min", 1),
        ("", "sort_by", 1),
        ("id", "max", 1),
        ("id", "unique", 1),
        ("name", "nullable", 1),
        ("name", "pattern", 1),
        ("size", "type", 4),
        ("gone", "columns", 1),
        ("extra", "columns", 1),
    ]
    assert found.table.num_rows == 0
    assert {violation.output for violation in found.violations} == {"out"}


def test_a_broken_rule_does_not_hide_a_broken_order() -> None:
    found = violations([5, 5], "int64", max=1)
    assert [v.rule for v in found] == ["max"]
    declaration = Declaration.from_json(
        {
            "name": "out",
            "columns": [{"name": "c", "type": {"kind": "int64"}, "nullable": True, "max": 1}],
            "sort_by": ["c"],
        }
    )
    found = normalise(pa.table({"c": [5, 5, 1, 1, None]}), declaration).violations
    assert [(v.rule, v.count, v.examples) for v in found] == [
        ("sort_by", 2, ("1 occurs 2 times", "5 occurs 2 times")),
        ("max", 2, ("row 0: 5", "row 1: 5")),
    ]


def test_violations_found_in_far_apart_rows_are_one_with_their_row_numbers() -> None:
    values = [0] * 300_000
    for row in (3, 122_880, 122_881, 250_000, 299_998, 299_999):
        values[row] = 9
    (violation,) = violations(values, "int64", max=5)
    assert violation.count == 6
    assert violation.examples == (
        "row 3: 9", "row 122880: 9", "row 122881: 9", "row 250000: 9", "row 299998: 9",
    )  # fmt: skip


def test_a_value_that_does_not_fit_its_type_is_shown() -> None:
    (violation,) = violations([1, 2, 300, None, -300], "int8")
    assert (violation.rule, violation.count) == ("type", 2)
    assert violation.examples == ("row 2: 300", "row 4: -300")
    assert violation.message.startswith("declared int8, written as int64: Integer value 300")


def test_too_many_rows_are_too_many() -> None:
    declaration = Declaration.from_json(
        {
            "name": "out",
            "columns": [{"name": "c", "type": {"kind": "int64"}}],
            "sort_by": ["c"],
            "rows": {"max": 2},
        }
    )
    found = normalise(pa.table({"c": [1, 2, 3]}), declaration).violations
    assert [v.message for v in found] == ["expected at most 2 rows, found 3"]


@pytest.mark.parametrize(
    ("sort_by", "message"),
    [
        (["gone"], "gone names no declared column"),
        (["hilbert(c)"], "hilbert(c): c is no geometry"),
        (["hilbert(gone)"], "hilbert(gone) names no declared column"),
        (["l"], "l: list<int64> has no order"),
    ],
)
def test_an_order_that_cannot_be_is_refused(sort_by: list[str], message: str) -> None:
    columns = [{"name": "c", "type": {"kind": "int64"}}, {"name": "l", "type": LISTS}]
    declaration = Declaration.from_json({"name": "o", "columns": columns, "sort_by": sort_by})
    table = pa.table({"c": [1], "l": [[1]]})
    (violation,) = normalise(table, declaration).violations
    assert (violation.rule, violation.message) == ("sort_by", message)


def test_rows_without_declared_order_are_refused() -> None:
    table = pa.table({"c": [1, 2]})
    (violation,) = normalise(table, Declaration.of_schema(table.schema, ())).violations
    assert violation.message == "no keys are declared, so rows have no order"


def test_a_column_written_twice_is_refused() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["c", "c"])
    declaration = Declaration.from_json(
        {"name": "o", "columns": [{"name": "c", "type": {"kind": "int64"}}], "sort_by": ["c"]}
    )
    (violation,) = normalise(table, declaration).violations
    assert violation.message == "the column was written more than once"


@given(st.one_of(st.text(), st.binary(), st.floats(), st.integers(), st.datetimes()))
def test_examples_are_short_printable_text(value: Any) -> None:
    text = shown(value)
    assert len(text) <= 80
    assert text.removesuffix("…").isascii()
    assert text.isprintable()
