"""What a licence lets us do with a file: whether a copy may be passed on."""

from __future__ import annotations

from typing import Final

REDISTRIBUTABLE: Final = frozenset(
    {
        *("CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0"),
        *("PDDL-1.0", "ODC-By-1.0", "ODbL-1.0"),
        *("OGL-Canada-2.0", "OGL-UK-2.0", "OGL-UK-3.0", "LicenseRef-StatCan-Open-Licence"),
    }
)
"""Each lets anyone pass unchanged copies on, where the notice it asks for goes with them."""


def may_redistribute(licence: str, declared: bool | None) -> bool:
    """Whether copies of a file may be passed on.

    Args:
        licence: SPDX identifier, or ``LicenseRef-…``.
        declared: What the recipe says; it counts more than what is known here.

    Returns:
        ``False`` also where nothing is known of the licence.
    """
    return licence in REDISTRIBUTABLE if declared is None else declared
