"""Texts that somebody has yet to write, in both languages, with what is known of them."""

from __future__ import annotations

import re

_HALF = 10
_NOTICES = {
    "OGL-Canada-2.0": (
        "Contains information licensed under the Open Government Licence – Canada.",
        "Contient de l’information visée par la Licence du gouvernement ouvert – Canada.",
    ),
}


def described(dataset: str) -> dict[str, str]:
    """For the description of a dataset."""
    return {
        "en": f"TODO: what {dataset} holds, for what it is fit, and what it leaves out.",
        "fr": f"TODO : ce que contient {dataset}, à quoi il convient et ce qui y manque.",
    }


def attribution(licence: str) -> dict[str, str]:
    """For the notice that a licence asks for."""
    english, french = _NOTICES.get(licence, ("", ""))
    return {
        "en": f"TODO: the notice that the licence asks for. {english}".strip(),
        "fr": f"TODO : la mention que demande la licence. {french}".strip(),
    }


def output_stub(name: str) -> dict[str, str]:
    """For the title of an output."""
    words = name.replace("_", " ")
    return {"en": f"TODO: title of {words}", "fr": f"TODO : titre de {words}"}


def column_stub(name: str, given: str) -> dict[str, str]:
    """For the description of a column, from its name in the file, where that tells something."""
    parts = [part.strip() for part in given.split("/")]
    if len(parts) == 2 and all(len(part) >= _HALF for part in parts):
        english, french = parts
    else:
        english = french = " ".join(re.sub(r"[_\s]+", " ", given or name).split()) or name
    return {"en": f"TODO: {english}", "fr": f"TODO : {french}"}
