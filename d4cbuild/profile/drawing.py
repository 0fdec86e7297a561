"""Shapes on a canvas of limited size, whatever their number: thinned, and saying how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from d4cbuild.difference.wkb import Coordinates
from d4cbuild.profile.graticule import Graticule, ScaleBar, graticule, scale_bar
from d4cbuild.profile.projection import Projection
from d4cbuild.profile.shapes import Box, Pieces
from d4cbuild.profile.simplify import Steps, path_of, simplified

_MOST_HELD = 400_000
"""Points of lines and areas that are held while reading."""
_BYTES_OF_POINT, _BYTES_OF_PATH = 5, 6
_MOST_PATHS = 1_500
_CLASSES = (1, 2, 10, 100)
_NEAREST = 1.0
_COARSER = 1.5


@dataclass(frozen=True)
class Paper:
    """What there is to draw on.

    Attributes:
        width: Steps across.
        heights: Steps down, at least and at most.
        margin: Steps that are left free around.
        most_bytes: Of lines and areas, about.
        most_dots: Places of points.
        cell: How far apart these are at least, in steps.
    """

    width: int
    heights: tuple[int, int]
    margin: int
    most_bytes: int
    most_dots: int
    cell: int


PAGE = Paper(2000, (800, 1400), 70, 220_000, 10_000, 3)
"""A map across a page: a step is about half a pixel on a desk's screen."""
STAMP = Paper(480, (270, 270), 16, 8_000, 2_000, 2)
"""A small map in a list."""


@dataclass(frozen=True)
class Dots:
    """Places with about as many points.

    Attributes:
        least: How many points there are at each, at least.
        most: And at most; none for the last class.
        path: The places, as an SVG path of lines without length.
    """

    least: int
    most: int | None
    path: str


@dataclass(frozen=True)
class Drawing:
    """A map, drawn.

    Attributes:
        width: Of the canvas, in steps.
        height: Of the canvas.
        projection: How it is projected, in English and French.
        grid: Lines of longitude and latitude, or of coordinates.
        bar: A length to compare with; none where units are not known.
        areas: SVG paths, one for each area; or one of all, where these are very many.
        lines: SVG path of all lines.
        specks: Areas and lines that are too small to be seen, as places.
        specks_count: How many these are.
        dots: Points, as places.
        dots_count: How many places have points.
        points: How many points these stand for.
        vertices: How many points lines and areas have in the file.
        drawn: How many of them are drawn.
        tolerance: By how much lines were simplified: metres, or else units of the coordinates.
        dot_size: How far apart places of points are at least, in the same unit.
    """

    width: int
    height: int
    projection: dict[str, str]
    grid: Graticule
    bar: ScaleBar | None
    areas: tuple[str, ...]
    lines: str
    specks: str
    specks_count: int
    dots: tuple[Dots, ...]
    dots_count: int
    points: int
    vertices: int
    drawn: int
    tolerance: float
    dot_size: float


class Canvas:
    """Takes shapes run by run, and holds no more of them than can be drawn.

    Args:
        projection: How coordinates are drawn.
        bounds: Where these lie.
        plane: Where they lie once projected.
        paper: What there is to draw on.
    """

    def __init__(
        self, projection: Projection, bounds: Box, plane: Box, paper: Paper = PAGE
    ) -> None:
        self._projection = projection
        self._paper = paper
        self._bounds = bounds
        wide, high = plane[2] - plane[0], plane[3] - plane[1]
        around, (lowest, highest) = 2 * paper.margin, paper.heights
        room = paper.width - around, highest - around
        least = max(abs(edge) for edge in plane) * 1e-9 or 1e-9
        # A single place gets some land around it.
        if max(wide, high) <= least:
            wide = high = 0.02 if projection.is_of_degrees else 2000.0
        self._scale = min(room[0] / max(wide, least), room[1] / max(high, least))
        self._size = paper.width, int(max(lowest, min(highest, high * self._scale + around)))
        self._centre = (plane[0] + plane[2]) / 2, (plane[1] + plane[3]) / 2
        self._tolerance = _NEAREST
        self._rings: list[_Ring] = []
        self._areas = self._vertices = self._points = 0
        self._specks = np.zeros(self._size[::-1], np.int32)
        self._dots = np.zeros(self._size[::-1], np.int32)

    def add(self, pieces: Pieces) -> None:
        """Draw shapes."""
        if pieces.points:
            places = self._steps(np.concatenate([each[:, :2] for each in pieces.points]))
            self._points += len(places)
            self._mark(self._dots, places)
        lines = list(pieces.lines)
        areas, holes = [0] * len(lines), [False] * len(lines)
        for area in pieces.areas:
            self._areas += 1
            lines += area
            areas += [self._areas] * len(area)
            holes += [number > 0 for number in range(len(area))]
        if lines:
            self._vertices += sum(map(len, lines))
            steps, lengths = self._joined(lines)
            rings = _Rings(steps, lengths, np.array(areas), np.array(holes))
            self._rings += self._thinned(rings)
        while self._count() > _MOST_HELD:
            self._coarsen()

    def drawing(self) -> Drawing:
        """Finish the map."""
        while self._cost() > self._paper.most_bytes:
            self._coarsen()
        cell, counts = _cells(self._dots, self._paper.cell, self._paper.most_dots)
        speck, specks = _cells(self._specks, self._paper.cell + 1, self._paper.most_dots)
        step = (self._projection.metres or 1.0) / self._scale
        lines = [path_of(ring.steps, False) for ring in self._rings if not ring.area]
        return Drawing(
            width=self._size[0],
            height=self._size[1],
            projection=self._projection.name,
            grid=graticule(self._projection, self._extent(), self._steps, self._size),
            bar=scale_bar(step, self._size[0]) if self._projection.metres is not None else None,
            areas=_area_paths(self._rings),
            lines="".join(lines),
            specks=_marks(np.argwhere(specks > 0), speck),
            specks_count=int(specks.sum()),
            dots=tuple(_classed(counts, cell)),
            dots_count=int((counts > 0).sum()),
            points=self._points,
            vertices=self._vertices,
            drawn=self._count(),
            tolerance=self._tolerance * step if self._vertices else 0.0,
            dot_size=cell * step,
        )

    def _extent(self) -> Box:
        """Between which coordinates lines are worth drawing."""
        (x, y), (wide, high) = self._centre, self._size
        right, up = wide / 2 / self._scale, high / 2 / self._scale
        return self._projection.seen((x - right, y - up, x + right, y + up), self._bounds)

    def _steps(self, coordinates: Coordinates) -> Steps:
        """Points on the canvas's grid; such as have no place are left out."""
        steps, has_place = self._placed(coordinates)
        found: Steps = steps[has_place]
        return found

    def _placed(self, coordinates: Coordinates) -> tuple[Steps, Any]:
        """Points on the canvas's grid, and which of them have a place."""
        with np.errstate(all="ignore"):
            plane = (self._projection(coordinates) - self._centre) * self._scale
            has_place = (np.abs(plane) < 1e6).all(axis=1)
        plane[~has_place] = 0
        moved: Steps = np.rint(plane * (1.0, -1.0)).astype(np.int64) + np.array(self._size) // 2
        return moved, has_place

    def _joined(self, lines: Sequence[Coordinates]) -> tuple[Steps, Any]:
        """Lines on the grid, one after the other, without points that repeat; and their lengths."""
        steps, keep = self._placed(np.concatenate([line[:, :2] for line in lines]))
        numbers = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
        steps, numbers = steps[keep], numbers[keep]
        repeats = (steps[1:] == steps[:-1]).all(axis=1) & (numbers[1:] == numbers[:-1])
        new = np.flatnonzero(np.r_[True, ~repeats]) if len(steps) else np.empty(0, np.int64)
        return steps[new], np.bincount(numbers[new], minlength=len(lines))

    def _thinned(self, rings: _Rings) -> list[_Ring]:
        """Simplify lines; those that are too small go, and leave a speck."""
        present = np.flatnonzero(rings.lengths)
        if not len(present):
            return []
        ends = np.cumsum(rings.lengths)[present]
        starts = ends - rings.lengths[present]
        areas, holes = rings.areas[present], rings.holes[present]
        low = np.minimum.reduceat(rings.steps, starts)
        high = np.maximum.reduceat(rings.steps, starts)
        is_small = (high - low).max(axis=1) < 2 * self._tolerance
        leaves_speck = is_small & ~holes
        self._mark(self._specks, (low + high)[leaves_speck] // 2)
        is_small |= np.isin(areas, areas[leaves_speck & (areas > 0)])
        return [
            _Ring(
                simplified(rings.steps[starts[place] : ends[place]], self._tolerance),
                int(areas[place]),
                bool(holes[place]),
            )
            for place in np.flatnonzero(~is_small)
        ]

    def _coarsen(self) -> None:
        self._tolerance *= _COARSER
        if self._rings:
            rings = _Rings(
                np.concatenate([ring.steps for ring in self._rings]),
                np.array([len(ring.steps) for ring in self._rings]),
                np.array([ring.area for ring in self._rings]),
                np.array([ring.is_hole for ring in self._rings]),
            )
            self._rings = self._thinned(rings)

    def _count(self) -> int:
        return sum(len(ring.steps) for ring in self._rings)

    def _cost(self) -> int:
        return self._count() * _BYTES_OF_POINT + len(self._rings) * _BYTES_OF_PATH

    def _mark(self, counts: Any, places: Steps) -> None:
        inside = ((places >= 0) & (places < self._size)).all(axis=1)
        places = places[inside]
        np.add.at(counts, (places[:, 1], places[:, 0]), 1)


@dataclass(frozen=True)
class _Ring:
    """A line (area 0); or a ring of the area with that number."""

    steps: Steps
    area: int
    is_hole: bool


@dataclass(frozen=True)
class _Rings:
    """Many of them, one after the other."""

    steps: Steps
    lengths: Any
    areas: Any
    holes: Any


def _area_paths(rings: Sequence[_Ring]) -> tuple[str, ...]:
    """A path for each area; one for all where they are so many that elements would count."""
    paths: dict[int, str] = {}
    for ring in rings:
        if ring.area:
            paths[ring.area] = paths.get(ring.area, "") + path_of(ring.steps, True)
    return tuple(paths.values()) if len(paths) <= _MOST_PATHS else ("".join(paths.values()),)


def _cells(counts: Any, cell: int, most: int) -> tuple[int, Any]:
    """Counts of square cells that are so large that they are not too many, and their size."""
    while int(((found := _gathered(counts, cell)) > 0).sum()) > most:
        cell += 1
    return cell, found


def _classed(counts: Any, cell: int) -> Iterator[Dots]:
    """Cells, those with many points apart from those with few."""
    for number, least in enumerate(_CLASSES):
        above = _CLASSES[number + 1] if number + 1 < len(_CLASSES) else None
        chosen = (counts >= least) & (counts < (above or np.inf))
        if chosen.any():
            most = None if above is None else above - 1
            yield Dots(least, most, _marks(np.argwhere(chosen), cell))


def _gathered(counts: Any, cell: int) -> Any:
    """Counts of square cells."""
    high, wide = counts.shape
    whole = np.zeros((-(-high // cell) * cell, -(-wide // cell) * cell), np.int64)
    whole[:high, :wide] = counts
    return whole.reshape(whole.shape[0] // cell, cell, -1, cell).sum(axis=(1, 3))


def _marks(places: Any, cell: int) -> str:
    """Places, by row and column, as lines without length, by steps from one to the next."""
    if not len(places):
        return ""
    at = places[:, ::-1] * cell + cell // 2
    steps = np.vstack([at[:1], np.diff(at, axis=0)]).tolist()
    return "".join(f"m{x} {y}h0" for x, y in steps).replace(" -", "-").replace("m", "M", 1)
