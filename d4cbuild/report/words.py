"""Numbers and sentences of pages, in English and French."""

from __future__ import annotations

import re

from d4cbuild.profile.drawing import Drawing

_NARROW = "\u202f"  # a space that both languages allow between thousands
_LONG_NUMBER = re.compile(r"(-?)(\d{5,})(\.\d+)?")
_UNITS = {"en": ("bytes", "kB", "MB", "GB", "TB"), "fr": ("octets", "ko", "Mo", "Go", "To")}


def grouped(value: object) -> str:
    """A number with its thousands apart; whatever is no number, or has four digits, as it is."""
    found = _LONG_NUMBER.fullmatch(text := str(value))
    if found is None:
        return text
    sign, whole, fraction = found.groups(default="")
    return f"{sign}{int(whole):,}".replace(",", _NARROW) + fraction


def percent(part: int, whole: int) -> str:
    """A share; one that is not nothing is never called 0 %, nor one that is not all 100 %."""
    share = 100 * part / whole
    if 0 < share < 0.1:
        return f"<{_NARROW}0.1{_NARROW}%"
    if 99.9 < share < 100:
        return f">{_NARROW}99.9{_NARROW}%"
    return f"{share:.1f}".removesuffix(".0") + f"{_NARROW}%"


def in_units(size: int, language: str) -> str:
    """A size in bytes, in the largest unit that leaves a number above one."""
    number, unit = float(size), 0
    while number >= (999.5 if unit else 1000) and unit < len(_UNITS[language]) - 1:
        number, unit = number / 1000, unit + 1
    shown = str(size) if unit == 0 else f"{number:.3g}"
    if language == "fr":
        shown = shown.replace(".", ",")
    return f"{shown}\u00a0{_UNITS[language][unit]}"


def length(metres: float, language: str) -> str:
    """A length of one or two digits, in metres or kilometres."""
    if metres >= 1000:
        shown, unit = f"{metres / 1000:.2g}", "km"
    elif metres >= 1:
        shown, unit = f"{float(f'{metres:.2g}'):g}", "m"
    else:
        shown, unit = f"{metres * 100:.2g}", "cm"
    shown = shown if "e" not in shown else f"{float(shown):.0f}"
    return f"{shown.replace('.', ',') if language == 'fr' else shown}\u00a0{unit}"


def thinned(drawing: Drawing, language: str) -> str:
    """What was left out of a map, so that it stays small."""
    says = _ENGLISH if language == "en" else _FRENCH
    parts = []
    if drawing.vertices:
        near = _near(drawing.tolerance, drawing, language)
        parts.append(says["lines"].format(drawn=grouped(drawing.drawn), near=near))
    if drawing.specks_count:
        parts.append(says["specks"].format(count=grouped(drawing.specks_count)))
    if drawing.points > drawing.dots_count:
        values = {
            "places": grouped(drawing.dots_count),
            "points": grouped(drawing.points),
            "near": _near(drawing.dot_size, drawing, language),
        }
        parts.append(says["dots"].format(**values))
    if len(drawing.dots) > 1:
        classes = [
            f"{dots.least}" if dots.most == dots.least
            else f"{dots.least}–{dots.most}" if dots.most else says["more"].format(dots.least)
            for dots in drawing.dots
        ]  # fmt: skip
        parts.append(says["classes"].format(classes=", ".join(classes)))
    return " ".join(parts)


def _near(distance: float, drawing: Drawing, language: str) -> str:
    if drawing.bar is not None:
        return length(distance, language)
    return f"{distance:.2g}"


_ENGLISH = {
    "lines": "Drawn with {drawn} of them, simplified to about {near}.",
    "specks": "{count} parts too small to be seen are dots.",
    "dots": "{points} points are drawn as {places} dots, about {near} apart at least.",
    "classes": "From pale to strong: {classes} points in a dot.",
    "more": "{} or more",
}
_FRENCH = {
    "lines": "{drawn} sont dessinés, après une simplification à environ {near}.",
    "specks": "{count} parties trop petites pour être vues sont de simples marques.",
    "dots": "{points} points sont représentés par {places} marques, à {near} au moins de distance.",
    "classes": "Du plus pâle au plus foncé : {classes} points par marque.",
    "more": "{} ou plus",
}
