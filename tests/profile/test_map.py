"""Maps show all shapes, within a budget, and say what was left out."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from d4cbuild.difference.wkb import Coordinates
from d4cbuild.profile.drawing import PAGE, STAMP, Drawing
from d4cbuild.profile.projection import Lambert
from d4cbuild.profile.record import GeometryProfile
from d4cbuild.profile.simplify import path_of, simplified
from d4cbuild.profile.table import profile_table
from tests.profile.shapes import LAMBERT, line, point, polygon, square, write

MOST_BYTES = 300_000


def shown(path: Path) -> GeometryProfile:
    (geometry,) = profile_table(path, draw=True).geometries
    return geometry


def drawn(path: Path) -> Drawing:
    return shown(path).drawings[0]


def size_of(drawing: Drawing) -> int:
    dots = sum(len(dots.path) for dots in drawing.dots)
    areas = sum(len(area) + 26 for area in drawing.areas)
    return areas + dots + len(drawing.lines) + len(drawing.specks) + len(drawing.grid.path)


def points_of(path: str) -> list[tuple[int, int]]:
    """The places that an SVG path of ours goes to."""
    found, at = [], (0, 0)
    for command, text in re.findall(r"([MmLlh])([^MmLlhz]*)", path):
        numbers = [int(number) for number in re.findall(r"-?\d+", text)]
        if command == "h":
            continue
        for step in zip(numbers[::2], numbers[1::2], strict=True):
            at = step if command == "M" else (at[0] + step[0], at[1] + step[1])
            found.append(at)
    return found


def test_points_are_where_they_belong(tmp_path: Path) -> None:
    corners = [(-76.0, 44.0), (-75.0, 44.0), (-75.0, 45.0), (-76.0, 45.0)]
    drawing = drawn(write(tmp_path / "p", [point(*corner) for corner in corners]))
    (dots,) = drawing.dots
    found = points_of(dots.path)
    assert len(found) == drawing.dots_count == 4
    left, right = sorted({x for x, _ in found})
    top, bottom = sorted({y for _, y in found})
    # A degree of longitude at 44.5° N is as long as 0.713 of one of latitude.
    assert (right - left) / (bottom - top) == pytest.approx(np.cos(np.radians(44.5)), abs=0.01)
    assert drawing.bar is not None


def test_thousands_of_points_stay_within_the_budget_and_are_all_counted(tmp_path: Path) -> None:
    places = np.random.default_rng(5).uniform((-76.7, 44.2), (-76.2, 44.5), (60_000, 2))
    geometry = shown(write(tmp_path / "p", [point(x, y) for x, y in places]))
    drawing = geometry.drawings[0]
    assert size_of(drawing) < MOST_BYTES
    assert drawing.points == geometry.vertices == 60_000
    assert 5_000 < drawing.dots_count <= PAGE.most_dots
    assert sum(len(points_of(dots.path)) for dots in drawing.dots) == drawing.dots_count


def test_thousands_of_areas_stay_within_the_budget_and_none_is_lost(tmp_path: Path) -> None:
    shapes = [
        polygon(square(-100 + i * 0.02, 50 + j * 0.02, 0.018))
        for i in range(100)
        for j in range(100)
    ]
    drawing = drawn(write(tmp_path / "p", shapes))
    assert size_of(drawing) < MOST_BYTES
    assert "".join(drawing.areas).count("z") + drawing.specks_count == len(shapes)
    assert drawing.vertices == 5 * len(shapes)


def test_a_long_line_keeps_its_form_with_few_points(tmp_path: Path) -> None:
    at = np.linspace(0, 2 * np.pi, 200_000)
    coast = np.column_stack([-70 + np.cos(at), 47 + np.sin(at)])
    drawing = drawn(write(tmp_path / "p", [line([tuple(p) for p in coast])]))
    assert drawing.vertices == 200_000
    assert 50 < drawing.drawn < 500
    found = np.array(points_of(drawing.lines))
    assert len(found) == drawing.drawn
    wide, high = np.ptp(found, axis=0)
    assert wide / high == pytest.approx(np.cos(np.radians(47)), abs=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_left_out_of_a_line_is_nearer_than_the_tolerance(seed: int) -> None:
    steps = np.random.default_rng(seed).integers(-9, 10, (5_000, 2)).cumsum(axis=0)
    thinned = simplified(steps, 4.0)
    assert len(thinned) < len(steps)
    assert (thinned[0] == steps[0]).all() and (thinned[-1] == steps[-1]).all()
    assert max(_away(point, thinned) for point in steps[::7]) <= 4.0


def _away(point: Coordinates, path: Coordinates) -> float:
    starts, along = path[:-1], np.diff(path, axis=0)
    lengths = np.maximum((along * along).sum(axis=1), 1)
    share = np.clip(((point - starts) * along).sum(axis=1) / lengths, 0, 1)
    return float(np.hypot(*(starts + share[:, None] * along - point).T).min())


def test_holes_are_holes(tmp_path: Path) -> None:
    outer, hole = square(-80, 45, 1), square(-79.6, 45.4, 0.2)
    drawing = drawn(write(tmp_path / "p", [polygon(outer, hole)]))
    (area,) = drawing.areas
    assert area.count("z") == 2


def test_wide_parts_of_canada_are_drawn_on_a_cone(tmp_path: Path) -> None:
    coasts = [point(-135, 60), point(-91.866667, 49), point(-53, 47)]
    drawing = drawn(write(tmp_path / "p", coasts))
    assert "Lambert" in drawing.projection["en"]
    # The middle meridian is upright, and the others lean towards it.
    low, high = Lambert()(np.array([[-91.866667, 45.0], [-91.866667, 70.0]]))
    assert low[0] == pytest.approx(high[0])
    assert low[1] < high[1]
    west = Lambert()(np.array([[-120.0, 45.0], [-120.0, 70.0]]))
    assert west[0][0] < west[1][0] < 0


def test_a_wide_province_stands_upright(tmp_path: Path) -> None:
    drawing = drawn(
        write(tmp_path / "p", [line([(-70, 46), (-70, 62)]), line([(-79, 46), (-57, 52)])])
    )
    assert "Lambert" in drawing.projection["en"]
    assert points_of(drawing.lines)[0][0] == points_of(drawing.lines)[1][0]


def test_what_lies_beyond_the_date_line_is_near_what_lies_before_it(tmp_path: Path) -> None:
    islands = [point(179.5, 52), point(-179.5, 52), point(-130, 55)]
    (dots,) = drawn(write(tmp_path / "p", islands)).dots
    places = [np.array(each) for each in points_of(dots.path)]
    apart = sorted(float(np.hypot(*(a - b))) for a in places for b in places if a is not b)
    assert apart[0] * 20 < apart[-1]


def test_heights_do_not_hide_the_crs(tmp_path: Path) -> None:
    parts = [{"type": "GeographicCRS", "name": "WGS 84"}, {"type": "VerticalCRS"}]
    crs = {"type": "CompoundCRS", "name": "WGS 84 + height", "components": parts}
    geometry = shown(write(tmp_path / "p", [point(-75, 45), point(-74, 45)], crs))
    assert geometry.crs == "WGS 84 + height"
    assert "equirectangular" in geometry.drawings[0].projection["en"]


def test_projected_coordinates_are_drawn_as_they_are(tmp_path: Path) -> None:
    shapes = [polygon(square(7_000_000, 1_500_000, 100_000))]
    geometry = shown(write(tmp_path / "p", shapes, LAMBERT))
    assert geometry.crs == "EPSG:3347 (NAD83 / Statistics Canada Lambert)"
    drawing = geometry.drawings[0]
    assert "as they are" in drawing.projection["en"]
    (area,) = drawing.areas
    wide, high = np.ptp(np.array(points_of(area)), axis=0)
    assert wide == high
    assert drawing.bar is not None
    assert drawing.bar.steps / wide == pytest.approx(20_000 / 100_000, abs=0.01)
    assert {"7,000 km", "7,020 km"} <= {label.en for label in drawing.grid.bottom}


@pytest.mark.parametrize(
    "crs", [None, 7, [], {"type": "CompoundCRS", "components": [3]}, {"id": 3, "name": "<b>"}]
)
def test_an_unknown_crs_is_drawn_without_a_scale(crs: object, tmp_path: Path) -> None:
    drawing = drawn(write(tmp_path / "p", [point(1, 2), point(3, 4)], crs))
    assert drawing.bar is None
    assert drawing.dots_count == 2


def test_one_place_alone_has_a_map(tmp_path: Path) -> None:
    drawing = drawn(write(tmp_path / "p", [point(-75.7, 45.4)] * 3))
    (dots,) = drawing.dots
    ((x, y),) = points_of(dots.path)
    assert abs(x - drawing.width // 2) < 5
    assert abs(y - drawing.height // 2) < 5
    assert (dots.least, dots.most) == (2, 9)
    assert drawing.grid.bottom and drawing.grid.left


def test_what_is_no_shape_is_counted_and_passed_over(tmp_path: Path) -> None:
    nan = float("nan")
    values = [point(1, 2), None, b"", b"\x01\x02", point(nan, nan), line([]), point(3, 4)]
    geometry = shown(write(tmp_path / "p", values))
    assert geometry.unreadable == 2
    assert geometry.empty == 2
    assert geometry.kinds == {"LineString": 1, "Point": 3}
    assert geometry.bounds == (1, 2, 3, 4)
    assert geometry.drawings[0].dots_count == 2


@pytest.mark.parametrize(
    "places",
    [
        [(float("inf"), 1.0), (2.0, 3.0)],
        [(-180.0, -90.0), (180.0, 90.0)],
        [(1e300, 1e300), (-1e300, -1e300)],
        [(1e-300, 0.0), (0.0, 0.0)],
        [(5.0, 90.0), (5.0, 90.0)],
        [(-90.0, 45.0), (-90.0, 80.0)],
    ],
    ids=str,
)
def test_odd_places_do_no_harm(places: list[tuple[float, float]], tmp_path: Path) -> None:
    shapes = [point(*place) for place in places] + [line(places)]
    for number, crs in enumerate(("left out", None, LAMBERT)):
        geometry = shown(write(tmp_path / str(number), shapes, crs))
        for drawing in geometry.drawings:
            assert size_of(drawing) < MOST_BYTES


def test_a_file_without_shapes_has_no_map(tmp_path: Path) -> None:
    assert shown(write(tmp_path / "p", [None, line([])])).drawings == ()


def test_a_small_map_stays_small(tmp_path: Path) -> None:
    places = np.random.default_rng(5).uniform((-130, 45), (-60, 70), (20_000, 2))
    shapes = [polygon(square(x, y, 0.3)) for x, y in places]
    _, stamp = shown(write(tmp_path / "p", shapes)).drawings
    assert (stamp.width, stamp.height) == (STAMP.width, STAMP.heights[0])
    assert size_of(stamp) < 40_000


def test_the_same_file_gives_the_same_map(tmp_path: Path) -> None:
    places = np.random.default_rng(1).uniform((-76, 44), (-75, 45), (3_000, 2))
    path = write(tmp_path / "p", [point(x, y) for x, y in places])
    assert shown(path) == shown(path)


def test_a_path_goes_through_its_points() -> None:
    steps = np.array([(3, 4), (-5, 4), (-5, -6), (3, 4)])
    assert path_of(steps, closed=True) == "M3 4l-8 0 0-10z"
    assert points_of(path_of(steps, closed=False)) == [(3, 4), (-5, 4), (-5, -6), (3, 4)]
