"""One cell of a table is made other on purpose; its class, place and values must be named."""

from __future__ import annotations

import math
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from tests.difference.tables import cells, changed, differ, only, square, table, wkb

MULTI = shapely.MultiPolygon([square(0), square(9)])
BACK = shapely.MultiPolygon([square(9), square(0)])


def turned(shape: shapely.Polygon, by: int) -> shapely.Polygon:
    shell = list(shape.exterior.coords)[:-1]
    return shapely.Polygon(shell[by:] + shell[:by], shape.interiors)


def next_up(value: float, times: int) -> float:
    for _ in range(times):
        value = math.nextafter(value, math.inf)
    return value


CASES: list[tuple[str, int, Any, str]] = [
    ("id", 3, 99, "value"),
    ("name", 4, "Toronto", "value"),
    ("name", 4, unicodedata.normalize("NFD", "Montréal 4"), "text-unicode"),
    ("name", 4, "Montréal  4 ", "text-space"),
    ("name", 4, "Montréal\u00a04", "text-space"),
    ("name", 4, "MONTRÉAL 4", "text-case"),
    ("name", 4, "Montréal 4".encode().decode("cp1252"), "text-encoding"),
    ("name", 4, "Montréal 4".encode().decode("latin-1"), "text-encoding"),
    ("name", 4, "Montr\ufffdal 4", "text-encoding"),
    ("name", 4, "Montr?al 4", "text-encoding"),
    ("note", 5, "", "null-empty"),
    ("note", 5, "  ", "null-empty"),
    ("note", 5, "something", "null-value"),
    ("note", 6, None, "null-value"),
    ("size", 9, next_up(9 / 7, 3), "float-bits"),
    ("size", 9, float(np.float32(9 / 7)), "float-narrowed"),
    ("size", 9, round(9 / 7, 3), "float-rounded"),
    ("size", 9, 1.5, "value"),
    ("size", 9, math.nan, "value"),
    ("size", 9, math.inf, "value"),
    ("size", 9, -9 / 7, "value"),
    ("flag", 2, False, "value"),
    ("price", 2, 7, "value"),
    ("day", 2, None, "null-value"),
    ("tags", 2, [], "value"),
    ("tags", 2, None, "null-value"),
    ("tags", 2, ["t2", "t2"], "value"),
    ("place", 2, {"x": 2, "y": None}, "value"),
    ("place", 2, {"x": 3, "y": "2"}, "value"),
    ("shape", 0, wkb(square(0), byte_order=0), "geometry-form"),
    ("shape", 0, wkb(shapely.set_srid(square(0), 4326), flavor="extended", include_srid=True),
     "geometry-form"),
    ("shape", 0, wkb(shapely.MultiPolygon([square(0)])), "geometry-form"),
    ("shape", 0, wkb(turned(square(0), 2)), "geometry-start"),
    ("shape", 0, wkb(square(0).reverse()), "geometry-winding"),
    ("shape", 0, wkb(turned(square(0).reverse(), 1)), "geometry-winding"),
    ("shape", 1, wkb(shapely.set_precision(square(1 / 3), 1e-4)), "geometry-precision"),
    ("shape", 1, wkb(square(1 / 3 + 1e-12)), "geometry-precision"),
    ("shape", 0, wkb(square(0.5)), "geometry-shape"),
    ("shape", 0, wkb(shapely.Polygon(square(0).exterior)), "geometry-shape"),
    ("shape", 0, b"no shape", "geometry-shape"),
    ("shape", 0, None, "null-value"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "row", "value", "name"), CASES)
def test_a_cell_made_other_is_found_and_its_class_named(
    column: str, row: int, value: Any, name: str, tmp_path: Path
) -> None:
    found = differ(tmp_path, table(), changed(column, row, value), key=("day",) * (column != "day"))
    finding = only(found)
    assert (finding.name, finding.column, finding.count) == (name, column, 1)
    assert [(e.row_a, e.row_b) for e in finding.examples] == [(row, row)]
    assert found.verdict == "different"
    assert found.exit_code == 12
    assert found.rows is not None
    assert (found.rows.changed, found.rows.cells, found.rows.moved) == (1, 1, 0)
    assert found.causes


def test_parts_of_a_shape_in_another_order_are_named(tmp_path: Path) -> None:
    columns = cells()
    columns["shape"][0] = wkb(MULTI)
    finding = only(differ(tmp_path, table(columns), changed("shape", 0, wkb(BACK))))
    assert finding.name == "geometry-parts"


def test_points_are_compared_many_at_once(tmp_path: Path) -> None:
    before, after = cells(), cells()
    points = [shapely.Point(i / 3, i / 7) for i in range(40)]
    before["shape"] = [wkb(point) for point in points]
    after["shape"] = [wkb(shapely.Point(round(p.x, 5), round(p.y, 5))) for p in points]
    after["shape"][3] = wkb(shapely.Point(50, 50))
    found = differ(tmp_path, table(before), table(after))
    counts = {finding.name: finding.count for finding in found.findings if finding.column}
    # The first point is at 0 0, which rounding leaves alone; some have no further digit to lose.
    assert counts["geometry-shape"] == 1
    assert counts["geometry-precision"] >= 30


def test_ulps_are_counted(tmp_path: Path) -> None:
    after = cells()
    for row, times in ((1, 1), (2, 1), (3, 2), (4, 30)):
        after["size"][row] = next_up(after["size"][row], times)
    finding = only(differ(tmp_path, table(), table(after)))
    assert finding.name == "float-bits"
    assert finding.facts["ulps_max"] == 30
    assert finding.facts["ulps"] == {"1": 2, "2": 1, "17–256": 1}
    assert [example.note for example in finding.examples] == ["1 ULP", "1 ULP", "2 ULP", "30 ULP"]


def test_minus_zero_and_odd_nans_are_no_other_values(tmp_path: Path) -> None:
    before, after = cells(), cells()
    before["size"][:2] = [0.0, math.nan]
    after["size"][:2] = [-0.0, -math.nan]
    found = differ(tmp_path, table(before), table(after))
    assert found.verdict == "equivalent"
    assert found.exit_code == 4


def test_an_example_says_the_key_and_what_was_before_and_after(tmp_path: Path) -> None:
    finding = only(differ(tmp_path, table(), changed("name", 4, "Mon\u0301tréal 4")))
    (example,) = finding.examples
    assert example.where == "id=4"
    assert example.before == '"Montréal 4"'
    assert example.after == '"Mon\\u0301tréal 4"'
