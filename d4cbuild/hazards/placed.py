"""Text that knows where in a file each of its characters stands."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from d4cbuild.hazards.finding import Spot


@dataclass(frozen=True)
class PlacedText:
    """A text that may have been taken out of another, such as SQL out of Python.

    Attributes:
        text: The characters.
        starts: Offsets at which a piece begins, rising, the first 0.
        places: Line and column of each such offset; a piece lies within one line.
    """

    text: str
    starts: list[int] = field(repr=False)
    places: list[tuple[int, int]] = field(repr=False)

    @classmethod
    def of_file(cls, text: str) -> PlacedText:
        """A text that is a whole file."""
        starts, places = [0], [(1, 1)]
        offset = text.find("\n")
        while offset >= 0:
            starts.append(offset + 1)
            places.append((len(starts), 1))
            offset = text.find("\n", offset + 1)
        return cls(text, starts, places)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, counted from 1."""
        piece = max(bisect_right(self.starts, offset) - 1, 0)
        line, column = self.places[piece]
        return line, column + max(offset - self.starts[piece], 0)

    def spot(self, hazard: str, offset: int, message: str) -> Spot:
        """A hazard at a character."""
        return Spot(*self.place(offset), hazard, message)
