"""Licences: what they are called, and whether a copy of a file may be passed on."""

from __future__ import annotations

import re
from typing import Final

REDISTRIBUTABLE: Final = frozenset(
    {
        *("CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0"),
        *("PDDL-1.0", "ODC-By-1.0", "ODbL-1.0"),
        *("OGL-Canada-2.0", "OGL-UK-2.0", "OGL-UK-3.0", "LicenseRef-StatCan-Open-Licence"),
        # Grant what OGL-Canada-2.0 grants, whose text they took over.
        *("LicenseRef-OGL-Alberta", "LicenseRef-OGL-British-Columbia", "LicenseRef-OGL-Halifax"),
        *("LicenseRef-OGL-Ottawa", "LicenseRef-OGL-Toronto", "LicenseRef-OGL-Winnipeg"),
        # Data may be passed on where the source is named and no endorsement is suggested.
        "LicenseRef-ECCC-Data-Servers-End-use",
    }
)
"""Each lets anyone pass unchanged copies on, where the notice it asks for goes with them."""

KNOWN: Final = REDISTRIBUTABLE | {
    *("CC-BY-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-SA-1.0", "CC-BY-SA-2.0", "CC-BY-SA-2.5"),
    *("CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0"),
    *("CC-BY-ND-3.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0"),
    *("CC-BY-3.0-IGO", "CC-PDDC", "CC-PDM-1.0", "C-UDA-1.0", "O-UDA-1.0"),
    *("CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0"),
    *("OGL-UK-1.0", "OGC-1.0", "NLOD-1.0", "NLOD-2.0", "etalab-2.0"),
    *("DL-DE-BY-2.0", "DL-DE-ZERO-2.0", "GFDL-1.3-only", "GFDL-1.3-or-later"),
    *("MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD", "Unlicense"),
    *("GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "MPL-2.0"),
    *("LGPL-3.0-only", "LGPL-3.0-or-later", "AGPL-3.0-only", "AGPL-3.0-or-later"),
}
"""Identifiers that data and their code commonly have. SPDX's list has many more."""

_ALIASES: Final = {
    "ogl canada": "OGL-Canada-2.0",
    "ogl ca": "OGL-Canada-2.0",
    "ogl canada 2": "OGL-Canada-2.0",
    "ogl ca 2": "OGL-Canada-2.0",
    "open government canada": "OGL-Canada-2.0",
    "open government canada 2": "OGL-Canada-2.0",
    "gouvernement ouvert canada": "OGL-Canada-2.0",
    "gouvernement ouvert canada 2": "OGL-Canada-2.0",
    "statcan open": "LicenseRef-StatCan-Open-Licence",
    "statistics canada open": "LicenseRef-StatCan-Open-Licence",
    "ouverte statistique canada": "LicenseRef-StatCan-Open-Licence",
    "pddl": "PDDL-1.0",
    "odbl": "ODbL-1.0",
    "open database": "ODbL-1.0",
    "odc by": "ODC-By-1.0",
    "cc0": "CC0-1.0",
    "cc zero": "CC0-1.0",
    "apache 2": "Apache-2.0",
}
"""Other names of licences, as :func:`_plain` writes them, where no other licence is called so."""

_FILLER = frozenset({"licence", "license", "version", "the", "de", "du", "of", "international"})
_NUMBER = re.compile(r"v?(\d+)(\.0)?")


def licence_named(text: str) -> str | None:
    """The identifier of a licence by another way to write it.

    ``MIT License`` → ``MIT``, ``cc by 4.0`` → ``CC-BY-4.0``, ``OGL-Canada`` → ``OGL-Canada-2.0``.

    Args:
        text: A name that is no identifier.

    Returns:
        ``None`` if it is none of those known here, or could mean several.
    """
    plain = _plain(text)
    if plain in _ALIASES:
        return _ALIASES[plain]
    meant = [known for known in KNOWN if _plain(known) == plain]
    return meant[0] if len(meant) == 1 else None


def _plain(text: str) -> str:
    """Lower case, words parted by a space, without filling words; ``4.0`` as ``4``."""
    text = re.sub(r"^licenseref-", "", text.casefold())
    words = [word for word in re.split(r"[^\w.]+", text) if word and word not in _FILLER]
    return " ".join(_NUMBER.sub(r"\1", word) if _NUMBER.fullmatch(word) else word for word in words)


def may_redistribute(licence: str, declared: bool | None) -> bool:
    """Whether copies of a file may be passed on.

    Args:
        licence: SPDX identifier, or ``LicenseRef-…``.
        declared: What the recipe says; it counts more than what is known here.

    Returns:
        ``False`` also where nothing is known of the licence.
    """
    return licence in REDISTRIBUTABLE if declared is None else declared
