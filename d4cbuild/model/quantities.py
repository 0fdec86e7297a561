"""Sizes and durations as people write them."""

import re

_BYTE_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_TIME_UNITS = {"s": 1, "m": 60, "h": 3600}


def parse_bytes(value: object) -> object:
    """``"2GiB"`` → 2147483648. What is no text is handed on for the field to judge."""
    return _parse(value, _BYTE_UNITS, "a size such as 512MiB or 2GiB")


def parse_seconds(value: object) -> object:
    """``"10m"`` → 600. What is no text is handed on for the field to judge."""
    return _parse(value, _TIME_UNITS, "a duration such as 30s, 10m or 2h")


def render_bytes(count: int) -> str:
    """2147483648 → ``"2GiB"``: the largest unit that divides it."""
    return _render(count, _BYTE_UNITS)


def render_seconds(count: int) -> str:
    """600 → ``"10m"``: the largest unit that divides it."""
    return _render(count, _TIME_UNITS)


def approximate_bytes(count: float) -> str:
    """A size for people's eyes: ``1.4 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _parse(value: object, units: dict[str, int], words: str) -> object:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([0-9]{1,15}) ?([A-Za-z]+)", value)
    if match is None or match[2] not in units:
        raise ValueError(f"{value[:80]!r} is not {words}")
    return int(match[1]) * units[match[2]]


def _render(count: int, units: dict[str, int]) -> str:
    for unit, factor in reversed(units.items()):
        if count % factor == 0:
            return f"{count // factor}{unit}"
    raise ValueError(f"not a whole number: {count}")
