"""Which licence accompanying texts name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from d4cbuild.looking.notes import plain

# The more particular before the general.
_PLACES = {
    "alberta": "Alberta",
    "british columbia": "British-Columbia",
    "ontario": "Ontario",
    "nova scotia": "Nova-Scotia",
    "newfoundland and labrador": "Newfoundland-and-Labrador",
    "new brunswick": "New-Brunswick",
    "prince edward island": "Prince-Edward-Island",
    "yukon": "Yukon",
    "halifax": "Halifax",
    "toronto": "Toronto",
    "ottawa": "Ottawa",
    "winnipeg": "Winnipeg",
    "vancouver": "Vancouver",
    "calgary": "Calgary",
    "edmonton": "Edmonton",
}
_OGL = re.compile(
    r"open government licen[cs]e\s*[-–—,:(]*\s*(?:city of\s+|ville d[e’']\s*)?([\w ]*)"
)
_TEXTS = (
    ("LicenseRef-StatCan-Open-Licence", r"statistics canada open licen[cs]e", 90),
    ("LicenseRef-StatCan-Open-Licence", r"licence ouverte de statistique canada", 90),
    ("LicenseRef-ECCC-Data-Servers-End-use", r"data servers end-use licen[cs]e", 85),
    ("LicenseRef-Elections-PEI-Data-Licence", r"elections pei data licen[cs]e", 85),
    ("CC-BY-4.0", r"creative commons attribution 4\.0|\bcc[ -]by[ -]4\.0", 85),
    ("CC-BY-4.0", r"creativecommons\.org/licenses/by/4\.0", 85),
    ("CC0-1.0", r"\bcc0\b|creativecommons\.org/publicdomain/zero/1\.0", 85),
    ("ODbL-1.0", r"open database licen[cs]e|\bodbl\b", 80),
    ("OGL-Canada-2.0", r"licence du gouvernement ouvert\s*[-–—]\s*canada", 90),
    ("OGL-Canada-2.0", r"open\.canada\.ca/(en/open-government-licence|fr/licence)", 85),
)


def licence_in(texts: Mapping[str, str]) -> dict[str, Any] | None:
    """The licence that texts name, the surest first; ``None`` if they name none that is known.

    Args:
        texts: By the name of the file.
    """
    found = [hit for name, text in texts.items() for hit in _licences(name, text)]
    if not found:
        return None
    best = max(found, key=lambda hit: hit["confidence"])
    others = sorted({hit["licence"] for hit in found} - {best["licence"]})
    return best | {"others": others}


def _licences(name: str, text: str) -> list[dict[str, Any]]:
    small = " ".join(text.lower().split())
    hits = []
    for match in _OGL.finditer(small):
        licence, confidence = _ogl(match[1])
        hits.append(_hit(licence, confidence, name, small, match.start()))
    for licence, pattern, confidence in _TEXTS:
        if other := re.search(pattern, small):
            hits.append(_hit(licence, confidence, name, small, other.start()))
    return hits


def _ogl(place: str) -> tuple[str, int]:
    if place.startswith("canada"):
        return "OGL-Canada-2.0", 92
    for words, name in _PLACES.items():
        if place.startswith(words):
            return f"LicenseRef-OGL-{name}", 90
    return "OGL-Canada-2.0", 50


def _hit(licence: str, confidence: int, name: str, text: str, at: int) -> dict[str, Any]:
    around = text[max(0, at - 20) : at + 80]
    return {
        "licence": licence,
        "confidence": confidence,
        "evidence": f"{plain(name, 100)} says: {plain(around)}",
    }
