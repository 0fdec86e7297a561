"""What is said of a column of shapes, gathered run by run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from d4cbuild.profile.drawing import PAGE, STAMP, Canvas
from d4cbuild.profile.extent import Extent
from d4cbuild.profile.projection import crs_of
from d4cbuild.profile.record import GeometryProfile
from d4cbuild.profile.shapes import pieces_of


class GeometryTally:
    """Gathers what is said of shapes, and draws them in a second round, within known bounds.

    Args:
        name: The column.
        stated: The column's entry in GeoParquet metadata.
    """

    def __init__(self, name: str, stated: dict[str, Any]) -> None:
        self._name = name
        self._crs = crs_of(stated)
        self._kinds: Counter[str] = Counter()
        self._vertices = self._empty = self._unreadable = 0
        self._extent = Extent(self._crs)
        self._canvases: list[Canvas] = []

    def add(self, column: pa.ChunkedArray) -> None:
        """Add the shapes of a run in the first round."""
        pieces = pieces_of(column)
        self._kinds += pieces.kinds
        self._empty += pieces.empty
        self._unreadable += pieces.unreadable
        coordinates = pieces.coordinates()
        self._vertices += len(coordinates)
        self._extent.add(coordinates)

    def start_drawing(self) -> bool:
        """Begin the second round; returns whether there is anything to draw."""
        drawn = self._extent.drawn()
        if drawn is not None:
            self._canvases = [Canvas(*drawn, paper) for paper in (PAGE, STAMP)]
        return drawn is not None

    def draw(self, column: pa.ChunkedArray) -> None:
        """Draw the shapes of a run in the second round."""
        pieces = pieces_of(column)
        for canvas in self._canvases:
            canvas.add(pieces)

    def profile(self) -> GeometryProfile:
        """What was found."""
        return GeometryProfile(
            column=self._name,
            crs=self._crs.label,
            kinds=dict(sorted(self._kinds.items())),
            vertices=self._vertices,
            empty=self._empty,
            unreadable=self._unreadable,
            bounds=self._extent.bounds,
            drawings=tuple(canvas.drawing() for canvas in self._canvases),
        )
