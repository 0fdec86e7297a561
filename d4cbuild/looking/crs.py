"""Coordinate reference systems: which one a file means, and which one an output has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from d4cbuild.looking.notes import Note, plain

KNOWN = ("OGC:CRS84", "EPSG:4326", "EPSG:4617", "EPSG:3347", "EPSG:3979")
"""What the normal form has a place for."""

_CANADA = "EPSG:4617"
_WORLD = "OGC:CRS84"
_DEGREES = 7
_SAME_M = 0.001
_PLACES = [(-123.1, 49.3), (-97.1, 49.9), (-63.6, 44.6), (-135.0, 60.7), (-75.7, 45.4)]


@dataclass(frozen=True)
class Placed:
    """What is done about a CRS.

    Attributes:
        given: The CRS the read or geometry step has to be told; empty if the file says it.
        declared: That of the output.
        to_crs: That to project to; empty if nothing is projected.
        decimals: Digits to round projected coordinates to.
        notes: What could be otherwise.
    """

    given: str
    declared: str
    to_crs: str = ""
    decimals: int | None = None
    notes: tuple[Note, ...] = ()


def place(known: str, name: str) -> Placed | None:
    """Decide on a CRS.

    Args:
        known: What the file says: ``authority:code``, words, or ``unknown``.
        name: The column of shapes.

    Returns:
        What to do; ``None`` if the file does not say its CRS.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if known in KNOWN:
        return Placed("", _WORLD if known == "EPSG:4326" else known)
    try:
        found = CRS.from_user_input(known)
    except CRSError:
        return None
    flat = found.to_2d() if not found.is_compound else found.sub_crs_list[0].to_2d()
    same = next((code for code in KNOWN if code != "EPSG:4326" and _is_same(flat, code)), None)
    if same is not None:
        text = f"the file's {plain(found.name, 80)} gives the same places as {same}"
        note = Note(f"{name}.crs", text, 95, f'crs = "EPSG:…" in the read step, if not {same}')
        return Placed("EPSG:4326" if same == _WORLD else same, same, notes=(note,))
    return _projected(flat, known, name)


def _projected(flat: Any, known: str, name: str) -> Placed:
    base = flat.geodetic_crs
    words = f"{flat.name} {base.name if base is not None else ''}".lower()
    target = _CANADA if "nad83" in words or "north_american_1983" in words else _WORLD
    text = f"{plain(flat.name, 80)} is none that an output can have; projected to {target}"
    text += f", rounded to {_DEGREES} decimals (about 1 cm)"
    note = Note(f"{name}.crs", text, 80, "to_crs = another of " + ", ".join(KNOWN))
    code = flat.to_authority(min_confidence=70)
    given = "" if code is None or ":".join(code) == known else ":".join(code)
    return Placed(given, target, target, _DEGREES, (note,))


def _is_same(one: Any, code: str) -> bool:
    """Whether two CRSs give places in Canada the same coordinates."""
    from pyproj import CRS, Transformer
    from pyproj.exceptions import ProjError

    other = CRS.from_user_input(code)
    if one.is_geographic != other.is_geographic:
        return False
    if _datum(one) != _datum(other):
        return False
    try:
        there = Transformer.from_crs(other.geodetic_crs, other, always_xy=True)
        here = Transformer.from_crs(one, other, always_xy=True)
        for longitude, latitude in _PLACES:
            x, y = there.transform(longitude, latitude)
            back = here.transform(x, y, errcheck=True)
            scale = 1e-5 if other.is_geographic else 1.0
            if max(abs(back[0] - x), abs(back[1] - y)) > _SAME_M * scale:
                return False
    except ProjError:
        return False
    return True


def _datum(crs: Any) -> str:
    base = crs.geodetic_crs
    words = (base.datum.name if base is not None and base.datum is not None else "").lower()
    words = words.replace("_", " ").replace(" ensemble", "")
    if "north american" in words and "1983" in words:
        return "nad83"
    return "wgs84" if "world geodetic system 1984" in words or "wgs 1984" in words else words
