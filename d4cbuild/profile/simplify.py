"""Lines with fewer points that look the same."""

from __future__ import annotations

from typing import Any

import numpy as np

Steps = np.ndarray[Any, np.dtype[np.int64]]
"""Points on the grid of a drawing: a row for each, x and y."""

_FEW = 5  # points that are not worth the work
_AT_ONCE = 2_000  # points; more would take time by their square


def without_repeats(line: Steps) -> Steps:
    """A line without points that are the same as the one before."""
    if len(line) < 2:
        return line
    return line[np.r_[True, (line[1:] != line[:-1]).any(axis=1)]]


def simplified(line: Steps, tolerance: float) -> Steps:
    """Leave out points that are near the line without them (Ramer, Douglas and Peucker).

    Args:
        line: The line; its ends are kept.
        tolerance: How near, in steps of the grid.
    """
    if len(line) <= _FEW:
        return line
    keep = np.zeros(len(line), bool)
    keep[0] = keep[-1] = True
    waiting = [(a, min(a + _AT_ONCE, len(line) - 1)) for a in range(0, len(line) - 1, _AT_ONCE)]
    while waiting:
        first, last = waiting.pop()
        keep[first] = keep[last] = True
        if last - first < 2:
            continue
        apart = _apart(line[first + 1 : last] - line[first], line[last] - line[first])
        place = int(np.argmax(apart))
        if apart[place] > tolerance * tolerance:
            middle = first + 1 + place
            waiting += [(first, middle), (middle, last)]
    return line[keep]


def _apart(points: Steps, end: Steps) -> Any:
    """How far points are from the line between the origin and its end, squared."""
    length = int(end @ end)
    if length == 0:
        return (points * points).sum(axis=1)
    along = np.clip(points @ end / length, 0.0, 1.0)
    away = points - along[:, None] * end
    return (away * away).sum(axis=1)


def path_of(line: Steps, closed: bool) -> str:
    """A line in the words of an SVG path, by steps from point to point."""
    if closed and len(line) > 1 and (line[0] == line[-1]).all():
        line = line[:-1]
    x, y = line[0].tolist()
    steps = " ".join(map(str, np.diff(line, axis=0).ravel().tolist()))
    return f"M{x} {y}l{steps}{'z' if closed else ''}".replace(" -", "-") if steps else f"M{x} {y}h0"
