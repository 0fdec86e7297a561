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
from d4cbuild.profile.simplify import Steps, path_of, simplified, without_repeats

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
STAMP = Paper(480, (270, 270), 16, 5_000, 600, 5)
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
        lines: list[_Line] = [(line, None, False) for line in pieces.lines]
        for area in pieces.areas:
            self._areas += 1
            lines += [(ring, self._areas, number > 0) for number, ring in enumerate(area)]
        drawn = [
            _Ring(without_repeats(self._steps(line[:, :2])), area, is_hole)
            for line, area, is_hole in lines
        ]
        self._vertices += sum(len(line) for line, _, _ in lines)
        self._rings += self._thinned([ring for ring in drawn if len(ring.steps)])
        while self._count() > _MOST_HELD:
            self._coarsen()

    def drawing(self) -> Drawing:
        """Finish the map."""
        while self._cost() > self._paper.most_bytes:
            self._coarsen()
        cell, counts = _cells(self._dots, self._paper.cell, self._paper.most_dots)
        speck, specks = _cells(self._specks, self._paper.cell + 1, self._paper.most_dots)
        step = (self._projection.metres or 1.0) / self._scale
        lines = [path_of(ring.steps, False) for ring in self._rings if ring.area is None]
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
        with np.errstate(all="ignore"):
            plane = (self._projection(coordinates) - self._centre) * self._scale
            plane = plane[(np.abs(plane) < 1e6).all(axis=1)]
        moved: Steps = np.rint(plane * (1.0, -1.0)).astype(np.int64) + np.array(self._size) // 2
        return moved

    def _thinned(self, rings: list[_Ring]) -> list[_Ring]:
        """Simplify lines; those that are too small go, and leave a speck."""
        if not rings:
            return []
        steps = np.concatenate([ring.steps for ring in rings])
        starts = np.cumsum([0, *(len(ring.steps) for ring in rings[:-1])])
        low, high = np.minimum.reduceat(steps, starts), np.maximum.reduceat(steps, starts)
        is_small = (high - low).max(axis=1) < 2 * self._tolerance
        leaves_speck = is_small & ~np.array([ring.is_hole for ring in rings])
        self._mark(self._specks, (low + high)[leaves_speck] // 2)
        gone = {rings[place].area for place in np.flatnonzero(leaves_speck)} - {None}
        kept = [rings[place] for place in np.flatnonzero(~is_small)]
        return [
            _Ring(simplified(ring.steps, self._tolerance), ring.area, ring.is_hole)
            for ring in kept
            if ring.area not in gone
        ]

    def _coarsen(self) -> None:
        self._tolerance *= _COARSER
        self._rings = self._thinned(self._rings)

    def _count(self) -> int:
        return sum(len(ring.steps) for ring in self._rings)

    def _cost(self) -> int:
        return self._count() * _BYTES_OF_POINT + len(self._rings) * _BYTES_OF_PATH

    def _mark(self, counts: Any, places: Steps) -> None:
        inside = ((places >= 0) & (places < self._size)).all(axis=1)
        places = places[inside]
        np.add.at(counts, (places[:, 1], places[:, 0]), 1)


_Line = tuple[Coordinates, int | None, bool]
"""Its points, the number of its area, and whether it is a hole of that."""


@dataclass(frozen=True)
class _Ring:
    """A line; or a ring of the area with that number."""

    steps: Steps
    area: int | None
    is_hole: bool


def _area_paths(rings: Sequence[_Ring]) -> tuple[str, ...]:
    """A path for each area; one for all where they are so many that elements would count."""
    paths: dict[int, str] = {}
    for ring in rings:
        if ring.area is not None:
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
