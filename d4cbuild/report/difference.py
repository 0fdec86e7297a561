"""What ``diff`` found, as a page."""

from __future__ import annotations

from pathlib import PurePath

from d4cbuild.difference.record import Difference
from d4cbuild.report.page import render_page


def difference_page(found: Difference) -> bytes:
    """Make one self-contained page, for a phone or a desk, by day or by night.

    Args:
        found: What ``diff`` answered.

    Returns:
        HTML, UTF-8.
    """
    names = " and ".join(PurePath(side.path).name or side.path for side in (found.a, found.b))
    return render_page("difference.html.jinja", f"{found.verdict}: {names}", found=found)
