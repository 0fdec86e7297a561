"""From coordinates to the plane of a map. Only for looking: nothing else is computed from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from d4cbuild.difference.wkb import Coordinates
from d4cbuild.profile.shapes import Box

EARTH_METRES = 6_371_007.0
"""Radius of the sphere that is drawn."""

_DEGREES = np.pi / 180.0
_AROUND = (25.0, 12.0)  # degrees of longitude and latitude
_MIDDLE = -91.866667


@dataclass(frozen=True)
class Crs:
    """What a file says about its coordinates.

    Attributes:
        label: The CRS, as people name it.
        unit: ``degrees``, ``metres``, or ``unknown``.
    """

    label: str
    unit: str


def crs_of(column: dict[str, Any]) -> Crs:
    """Read what GeoParquet says of a column; whatever else is in its place is unknown.

    Args:
        column: The column's entry in GeoParquet metadata.
    """
    if "crs" not in column:
        return Crs("OGC:CRS84 (WGS 84)", "degrees")
    crs = column["crs"]
    if not isinstance(crs, dict):
        return Crs("none stated", "unknown")
    name, identity = str(crs.get("name", "")), crs.get("id")
    label = name or "without a name"
    if isinstance(identity, dict) and {"authority", "code"} <= identity.keys():
        code = f"{identity['authority']}:{identity['code']}"
        label = f"{code} ({name})" if name else code
    parts = crs.get("components")
    level = parts[0] if isinstance(parts, list) and parts else crs  # without its heights
    if not isinstance(level, dict):
        return Crs(label, "unknown")
    if level.get("type") in ("GeographicCRS", "GeodeticCRS"):
        return Crs(label, "degrees")
    return Crs(label, "metres" if _is_metric(level) else "unknown")


def _is_metric(crs: dict[str, Any]) -> bool:
    system = crs.get("coordinate_system")
    axes = system.get("axis") if isinstance(system, dict) else None
    if not isinstance(axes, list) or crs.get("type") != "ProjectedCRS":
        return False
    return all(isinstance(axis, dict) and axis.get("unit") == "metre" for axis in axes[:2])


class Projection(Protocol):
    """A way to draw coordinates.

    Attributes:
        name: What it is called, in English and French.
        is_of_degrees: Whether it draws longitudes and latitudes.
        metres: Metres of one unit of its plane; none where that is not known.
    """

    @property
    def name(self) -> dict[str, str]:
        """In English and French."""

    @property
    def is_of_degrees(self) -> bool:
        """Whether it draws longitudes and latitudes."""

    @property
    def metres(self) -> float | None:
        """Metres of one unit of its plane."""

    def __call__(self, coordinates: Coordinates) -> Coordinates:
        """Bring points, one to a row, into the plane: x to the right, y up."""

    def seen(self, plane: Box, bounds: Box) -> Box:
        """Between which coordinates lines are worth drawing.

        Args:
            plane: The part of the plane that is on the map.
            bounds: Where the shapes lie.
        """


@dataclass(frozen=True)
class AsTheyAre:
    """Draws plane coordinates as they are."""

    metres: float | None
    is_of_degrees: bool = False

    @property
    def name(self) -> dict[str, str]:
        """In English and French."""
        return {
            "en": "coordinates of the file as they are",
            "fr": "coordonnées du fichier telles quelles",
        }

    def __call__(self, coordinates: Coordinates) -> Coordinates:
        """Bring points into the plane."""
        return coordinates

    def seen(self, plane: Box, bounds: Box) -> Box:  # noqa: ARG002
        """All that is on the map."""
        return plane


@dataclass(frozen=True)
class Equirectangular:
    """Draws degrees, those of longitude as much shorter as they are at one latitude."""

    latitude: float
    is_of_degrees: bool = True
    metres: float | None = EARTH_METRES * _DEGREES

    @property
    def name(self) -> dict[str, str]:
        """In English and French."""
        at = f"{abs(self.latitude):.4g}° {'N' if self.latitude >= 0 else 'S'}"
        return {
            "en": f"equirectangular, true to scale at {at}",
            "fr": f"équirectangulaire, à l’échelle à {at}",
        }

    def __call__(self, coordinates: Coordinates) -> Coordinates:
        """Bring points into the plane."""
        return np.column_stack([coordinates[:, 0] * self._shrunk, coordinates[:, 1]])

    def seen(self, plane: Box, bounds: Box) -> Box:  # noqa: ARG002
        """All that is on the map and on the earth."""
        west, east = plane[0] / self._shrunk, plane[2] / self._shrunk
        return max(west, -180.0), max(plane[1], -90.0), min(east, 180.0), min(plane[3], 90.0)

    @property
    def _shrunk(self) -> float:
        return max(float(np.cos(self.latitude * _DEGREES)), 0.05)


@dataclass(frozen=True)
class Lambert:
    """Lambert's conformal conic projection with Statistics Canada's parallels, on a sphere.

    Attributes:
        upright: The meridian that is drawn upright.
    """

    upright: float = _MIDDLE
    is_of_degrees: bool = True
    metres: float | None = EARTH_METRES

    @property
    def name(self) -> dict[str, str]:
        """In English and French."""
        return {
            "en": "Lambert conformal conic, parallels 49° N and 77° N",
            "fr": "conique conforme de Lambert, parallèles 49° N et 77° N",
        }

    def __call__(self, coordinates: Coordinates) -> Coordinates:
        """Bring points into the plane; what the cone cannot show becomes infinite."""
        low, high = 49.0 * _DEGREES, 77.0 * _DEGREES
        stretch = np.log(np.cos(low) / np.cos(high)) / np.log(_half(high) / _half(low))
        with np.errstate(all="ignore"):
            latitude = np.clip(coordinates[:, 1], -89.0, 90.0) * _DEGREES
            away = np.cos(low) / stretch * (_half(low) / _half(latitude)) ** stretch
            turned = stretch * (around_canada(coordinates[:, 0]) - self.upright) * _DEGREES
            return np.column_stack([away * np.sin(turned), -away * np.cos(turned)])

    def seen(self, plane: Box, bounds: Box) -> Box:  # noqa: ARG002
        """Some land around the shapes."""
        low = bounds[0] - _AROUND[0], bounds[1] - _AROUND[1]
        return *low, bounds[2] + _AROUND[0], min(bounds[3] + _AROUND[1], 89.0)


def around_canada(longitudes: Any) -> Any:
    """Longitudes, those beyond the date line counted on from this side."""
    return (longitudes - _MIDDLE + 180.0) % 360.0 - 180.0 + _MIDDLE


def _half(latitude: Any) -> Any:
    return np.tan(np.pi / 4 + latitude / 2)
