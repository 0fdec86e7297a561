"""What is said of a column of shapes, gathered run by run."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.profile.drawing import PAGE, STAMP, Canvas
from d4cbuild.profile.projection import Lambert, crs_of, projection_for
from d4cbuild.profile.record import GeometryProfile
from d4cbuild.profile.shapes import Box, box_of, joined, pieces_of


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
        self._bounds: Box | None = None
        self._cone: Box | None = None
        self._canvases: list[Canvas] = []

    def add(self, column: pa.ChunkedArray) -> None:
        """Add the shapes of a run in the first round."""
        pieces = pieces_of(column)
        self._kinds += pieces.kinds
        self._empty += pieces.empty
        self._unreadable += pieces.unreadable
        coordinates = pieces.coordinates()
        self._vertices += len(coordinates)
        self._bounds = joined(self._bounds, box_of(coordinates))
        if self._crs.unit == "degrees" and len(coordinates):
            on_cone = Lambert()(coordinates)
            on_cone = on_cone[np.isfinite(on_cone).all(axis=1)]
            self._cone = joined(self._cone, box_of(on_cone))

    def start_drawing(self) -> bool:
        """Begin the second round; returns whether there is anything to draw."""
        if self._bounds is None:
            return False
        projection = projection_for(self._crs, self._bounds)
        corners = np.array([self._bounds[:2], self._bounds[2:]])
        plane = self._cone if isinstance(projection, Lambert) else box_of(projection(corners))
        if plane is None:
            return False
        self._canvases = [Canvas(projection, self._bounds, plane, paper) for paper in (PAGE, STAMP)]
        return True

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
            bounds=self._bounds,
            drawings=tuple(canvas.drawing() for canvas in self._canvases),
        )
