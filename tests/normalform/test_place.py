"""Covering boxes and the Hilbert curve."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d4cbuild.normalform.place import (
    COVERING_FIELDS,
    EXTENTS,
    HILBERT_BITS,
    Boxes,
    _hilbert,
    covering,
    finite_boxes,
    hilbert_index,
)


def boxes(*edges: tuple[float, float, float, float]) -> Boxes:
    return np.array(edges, dtype=np.float64).reshape(-1, 4)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_covering_boxes_contain_theirs_and_are_as_tight_as_float32_can_be(
    a: float, b: float, c: float, d: float
) -> None:
    exact = boxes((min(a, c), min(b, d), max(a, c), max(b, d)))
    (found,) = covering(exact).to_pylist()
    for place, name in enumerate(COVERING_FIELDS):
        edge, inward = float(exact[0, place]), np.float32(math.inf if place < 2 else -math.inf)
        with np.errstate(over="ignore"):
            tighter = float(np.nextafter(np.float32(found[name]), inward))
        assert found[name] <= edge if place < 2 else found[name] >= edge
        assert tighter > edge if place < 2 else tighter < edge
        assert math.copysign(1, found[name]) == 1 or found[name] != 0


def test_a_box_that_float32_holds_is_kept() -> None:
    assert covering(boxes((0.5, -1.25, 2.0, 3.0))).to_pylist() == [
        {"xmin": 0.5, "ymin": -1.25, "xmax": 2.0, "ymax": 3.0}
    ]


def test_shapes_without_a_box_have_no_covering_and_no_place() -> None:
    edges = boxes((0, 0, 1, 1), (math.nan,) * 4, (0, 0, math.inf, 1), (math.nan, 1, math.nan, 1))
    finite = finite_boxes(edges)
    assert np.isnan(finite[1:]).all()
    assert [box is None for box in covering(finite).to_pylist()] == [False, True, True, True]
    index = hilbert_index(finite, "OGC:CRS84").to_pylist()
    assert [place is None for place in index] == [False, True, True, True]


def slow_hilbert(x: int, y: int, bits: int) -> int:
    """The textbook's recursion: which quarter, then the same within it, turned."""
    if bits == 0:
        return 0
    half = 1 << (bits - 1)
    right, up = x >= half, y >= half
    x, y = x % half, y % half
    quarter = {(False, False): 0, (False, True): 1, (True, True): 2, (True, False): 3}[right, up]
    if quarter == 0:
        x, y = y, x
    elif quarter == 3:
        x, y = half - 1 - y, half - 1 - x
    return quarter * half * half + slow_hilbert(x, y, bits - 1)


CELLS = st.integers(0, 2**HILBERT_BITS - 1)


@given(CELLS, CELLS)
def test_the_curve_is_that_of_the_textbook(x: int, y: int) -> None:
    found = _hilbert(np.array([x], np.uint64), np.array([y], np.uint64))
    assert int(found[0]) == slow_hilbert(x, y, HILBERT_BITS)


def test_the_curve_starts_and_ends_where_the_page_says() -> None:
    last = 2**HILBERT_BITS - 1
    x, y = np.array([0, last, 0], np.uint64), np.array([0, 0, last], np.uint64)
    assert _hilbert(x, y).tolist()[:2] == [0, 4**HILBERT_BITS - 1]
    assert [slow_hilbert(*cell, 1) for cell in ((0, 0), (0, 1), (1, 1), (1, 0))] == [0, 1, 2, 3]


def test_the_slow_curve_steps_from_neighbour_to_neighbour() -> None:
    order = sorted((slow_hilbert(x, y, 4), x, y) for x in range(16) for y in range(16))
    assert [place for place, _, _ in order] == list(range(256))
    assert all(abs(a[1] - b[1]) + abs(a[2] - b[2]) == 1 for a, b in pairwise(order))


@given(st.sampled_from(sorted(EXTENTS)), st.floats(0, 1), st.floats(0, 1))
def test_a_place_is_that_of_the_cell_of_the_centre(crs: str, across: float, up: float) -> None:
    xmin, ymin, xmax, ymax = EXTENTS[crs]
    x, y = xmin + across * (xmax - xmin), ymin + up * (ymax - ymin)
    (found,) = hilbert_index(boxes((x, y, x, y)), crs).to_pylist()
    side = 2**HILBERT_BITS
    cells = (
        min(math.floor((x * 0.5 + x * 0.5 - xmin) / (xmax - xmin) * float(side)), side - 1),
        min(math.floor((y * 0.5 + y * 0.5 - ymin) / (ymax - ymin) * float(side)), side - 1),
    )
    assert found == slow_hilbert(*cells, HILBERT_BITS)


@pytest.mark.parametrize("crs", sorted(EXTENTS))
def test_what_lies_outside_the_extent_is_placed_at_its_edge(crs: str) -> None:
    far = 1.7e308
    edges = boxes((-far, -far, -far, -far), (far, -far, far, -far), (far, far, far, far))
    xmin, ymin, xmax, ymax = EXTENTS[crs]
    corners = boxes((xmin, ymin, xmin, ymin), (xmax, ymin, xmax, ymin), (xmax, ymax, xmax, ymax))
    assert hilbert_index(edges, crs).equals(hilbert_index(corners, crs))


def test_the_centre_of_a_huge_box_is_its_centre() -> None:
    huge = boxes((-1.7e308, -1.7e308, 1.7e308, 1.7e308), (1e308, 0, 1.7e308, 0))
    wanted = boxes((0, 0, 0, 0), (1e308, 0, 1e308, 0))
    found, same = (hilbert_index(edges, "EPSG:3347") for edges in (huge, wanted))
    assert found.equals(same)


def test_neighbours_in_the_order_are_neighbours_on_the_ground() -> None:
    side = 64
    x, y = np.meshgrid(np.linspace(-80, -79, side), np.linspace(45, 46, side))
    points = np.column_stack([x.ravel(), y.ravel(), x.ravel(), y.ravel()])
    order = np.argsort(hilbert_index(points, "OGC:CRS84").to_numpy())
    steps = np.abs(np.diff(points[order, :2], axis=0)).sum(axis=1)
    assert steps.mean() < 2.0 / side
