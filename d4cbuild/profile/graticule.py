"""Lines of longitude and latitude over a map, with their labels, and a bar of known length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from d4cbuild.difference.wkb import Coordinates
from d4cbuild.profile.projection import Projection
from d4cbuild.profile.shapes import Box
from d4cbuild.profile.simplify import Steps, path_of, simplified, without_repeats

_LINES = 9
_SAMPLES = 241
_EDGE = 70  # steps from the corners within which a label would be cut
_DEGREES = (30, 20, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)


@dataclass(frozen=True)
class Label:
    """Words on the map.

    Attributes:
        x: Where, in steps.
        y: Where.
        en: In English.
        fr: In French.
        is_second: Whether it can be left out where there is little room.
    """

    x: int
    y: int
    en: str
    fr: str
    is_second: bool


@dataclass(frozen=True)
class Graticule:
    """Lines over a map.

    Attributes:
        path: SVG path.
        bottom: Labels at the lower edge.
        left: Labels at the left edge.
    """

    path: str
    bottom: tuple[Label, ...]
    left: tuple[Label, ...]


@dataclass(frozen=True)
class ScaleBar:
    """A length on the map.

    Attributes:
        steps: How long it is drawn.
        en: How long it is in nature, in English.
        fr: The same in French.
    """

    steps: int
    en: str
    fr: str


def graticule(
    projection: Projection,
    extent: Box,
    steps: Callable[[Coordinates], Steps],
    size: tuple[int, int],
) -> Graticule:
    """Draw lines at round coordinates.

    Args:
        projection: How coordinates are drawn.
        extent: Between which coordinates.
        steps: Brings them onto the canvas.
        size: Width and height of the canvas.
    """
    paths: list[str] = []
    labels: tuple[list[Label], list[Label]] = [], []
    for axis in (0, 1):
        gap = _gap(projection, extent[axis + 2] - extent[axis])
        first, last = np.ceil(extent[axis] / gap), np.floor(extent[axis + 2] / gap)
        for number in np.arange(first, last + 1):
            low, high = extent[1 - axis], extent[3 - axis]
            beyond = (high - low) / 100  # so that it crosses the edges
            ends = np.linspace(low - beyond, high + beyond, _SAMPLES)
            fixed = np.full(_SAMPLES, number * gap)
            line = np.column_stack([fixed, ends] if axis == 0 else [ends, fixed])
            on_canvas = steps(line)
            visible = _visible(on_canvas, size)
            if len(visible) < 2:
                continue
            paths.append(path_of(simplified(without_repeats(visible), 0.7), False))
            at = _crossing(on_canvas, 1 - axis, size[1] - 1 if axis == 0 else 0)
            if at is not None and _EDGE <= at < size[axis] - _EDGE:
                labels[axis].append(_label(axis, at, number * gap, gap, projection, size, number))
    return Graticule("".join(paths), tuple(labels[0]), tuple(labels[1]))


def _gap(projection: Projection, span: float) -> float:
    """A round number of which few fit into the span."""
    if projection.is_of_degrees:
        return next((d for d in reversed(_DEGREES) if span / d <= _LINES), _DEGREES[0])
    power = 10.0 ** np.floor(np.log10(span))
    return float(next(power * f for f in (0.1, 0.2, 0.5, 1, 2) if span / (power * f) <= _LINES))


def _visible(line: Steps, size: tuple[int, int]) -> Steps:
    """The part of a line on the canvas, with one point beyond each end."""
    inside = ((line >= 0) & (line <= size)).all(axis=1)
    if not inside.any():
        return line[:0]
    first, last = np.flatnonzero(inside)[[0, -1]]
    return line[max(first - 1, 0) : last + 2]


def _crossing(line: Steps, axis: int, edge: int) -> int | None:
    """Where a line crosses an edge of the canvas, first."""
    away = line[:, axis] - edge
    places = np.flatnonzero((away[1:] >= 0) != (away[:-1] >= 0))
    if not len(places):
        return None
    place = int(places[0])
    before, after = int(away[place]), int(away[place + 1])
    share = before / (before - after)
    start, end = line[place, 1 - axis], line[place + 1, 1 - axis]
    return round(float(start + share * (end - start)))


def _label(
    axis: int, at: int, value: float, gap: float, projection: Any, size: Any, number: float
) -> Label:
    x, y = (at, size[1] - 12) if axis == 0 else (12, at)
    if projection.is_of_degrees:
        shown = f"{abs(round(value, 6)):g}°"
        sides = (("W", "O"), ("E", "E")) if axis == 0 else (("S", "S"), ("N", "N"))
        en, fr = sides[int(value > 0)]
        texts = (shown, shown) if value == 0 else (f"{shown} {en}", f"{shown} {fr}")
    elif projection.metres is not None:
        is_long = gap >= 1000
        shown = f"{value / 1000:,.0f} km" if is_long else f"{value:,.0f} m"
        texts = (shown, shown.replace(",", "\u202f"))
    else:
        texts = (f"{value:g}", f"{value:g}")
    return Label(x, y, *texts, is_second=int(number) % 2 != 0)


def scale_bar(metres: float, width: int) -> ScaleBar | None:
    """A bar of a round length, about a fifth of the map.

    Args:
        metres: Of one step.
        width: Of the map, in steps.
    """
    longest = metres * width / 5
    if not 1.0 <= longest < 1e8:
        return None
    power = 10.0 ** np.floor(np.log10(longest))
    length = float(max(power * f for f in (1, 2, 5) if power * f <= longest))
    shown = f"{length / 1000:,.0f} km" if length >= 1000 else f"{length:,.0f} m"
    return ScaleBar(round(length / metres), shown, shown.replace(",", "\u202f"))
