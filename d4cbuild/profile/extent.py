"""Where shapes lie, and how they are therefore drawn."""

from __future__ import annotations

import numpy as np

from d4cbuild.difference.wkb import Coordinates
from d4cbuild.profile.projection import (
    AsTheyAre,
    Crs,
    Equirectangular,
    Lambert,
    Projection,
    around_canada,
)
from d4cbuild.profile.shapes import Box, box_of, joined

_CANADA: Box = (-200.0, 37.0, -10.0, 86.0)  # with its neighbours, the far north as well
_WIDE = 20.0  # degrees of longitude from which on meridians should be seen to converge
_VERY_WIDE = 50.0  # from which on all of Canada is drawn as one is used to
_CONES = tuple(Lambert(upright) for upright in (-135.0, -120.0, -105.0, -80.0, -70.0, -60.0))


class Extent:
    """Follows where coordinates lie, before it is known how they are drawn.

    Args:
        crs: What the file says about them.
    """

    def __init__(self, crs: Crs) -> None:
        self._crs = crs
        self.bounds: Box | None = None
        self._unrolled: Box | None = None
        cones = (Lambert(), *_CONES) if crs.unit == "degrees" else ()
        self._on_cones: dict[Lambert, Box | None] = dict.fromkeys(cones)

    def add(self, coordinates: Coordinates) -> None:
        """Add finite points, one to a row."""
        if not len(coordinates):
            return
        self.bounds = joined(self.bounds, box_of(coordinates))
        if self._on_cones:
            unrolled = np.column_stack([around_canada(coordinates[:, 0]), coordinates[:, 1]])
            self._unrolled = joined(self._unrolled, box_of(unrolled))
        if not self._is_in_canada():
            self._on_cones.clear()
        for cone, box in self._on_cones.items():
            self._on_cones[cone] = joined(box, box_of(cone(coordinates)))

    def drawn(self) -> tuple[Projection, Box, Box] | None:
        """How to draw, where the coordinates lie, and where they lie in the plane.

        Nothing where there are none.
        """
        if self.bounds is None:
            return None
        cone = self._cone()
        if cone is not None and self._unrolled is not None and (box := self._on_cones[cone]):
            return cone, self._unrolled, box
        projection = self._flat(self.bounds)
        plane = box_of(projection(np.array([self.bounds[:2], self.bounds[2:]])))
        return None if plane is None else (projection, self.bounds, plane)

    def _is_in_canada(self) -> bool:
        if self._unrolled is None:
            return False
        low = zip(self._unrolled[:2], _CANADA[:2], strict=True)
        high = zip(self._unrolled[2:], _CANADA[2:], strict=True)
        return all(at >= least for at, least in low) and all(at <= most for at, most in high)

    def _cone(self) -> Lambert | None:
        """The cone for shapes in Canada that lie far apart; one upright in the midst of them."""
        if not self._on_cones or self._unrolled is None:
            return None
        west, _, east, _ = self._unrolled
        if east - west < _WIDE:
            return None
        if east - west >= _VERY_WIDE:
            return Lambert()
        return min(self._on_cones, key=lambda cone: abs(cone.upright - (west + east) / 2))

    def _flat(self, bounds: Box) -> Projection:
        fits = max(map(abs, bounds[::2])) <= 360.0 and max(map(abs, bounds[1::2])) <= 90.0
        if self._crs.unit == "degrees" and fits:
            return Equirectangular(round((bounds[1] + bounds[3]) / 2, 2))
        return AsTheyAre(1.0 if self._crs.unit == "metres" else None)
