"""An error about a whole file as a finding."""

from __future__ import annotations

from d4cbuild.errors import D4CError
from d4cbuild.hazards.finding import Finding


def fault(error: D4CError, name: str, shown: str, place: tuple[int, int] = (1, 1)) -> Finding:
    """One finding for an error.

    Args:
        error: What was raised.
        name: Name of the fault.
        shown: How to name the file.
        place: Line and column.
    """
    parts = [error.message]
    parts += [f"expected {error.expected}"] if error.expected else []
    parts += [f"found {error.found}"] if error.found else []
    message = "; ".join(" ".join(part.split()) for part in parts)
    return Finding(shown, *place, name, message, error.hint or "mend it and check again", "error")
