"""Which encoding a text is in, with the evidence."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from d4cbuild.looking.notes import NotReadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ONE_BYTE = ("cp1252", "cp850", "mac_roman")
_FRENCH = frozenset("àâäçéèêëîïôöùûüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆñÑ")
_SIGNS = frozenset("«»“”‘’–—…°²³½¼¾€™®©·•§±×µ\u00a0\u202fªº")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_SAMPLE = 1 << 22


@dataclass(frozen=True)
class Encoding:
    """An encoding that was found.

    Attributes:
        name: By the name Python has for it.
        confidence: How sure that is, in percent.
        evidence: What speaks for it.
        ascii_only: Whether any encoding would read the same.
    """

    name: str
    confidence: int
    evidence: str
    ascii_only: bool = False


def encoding_of(data: bytes) -> Encoding:
    """Find out which encoding bytes are in.

    Raises:
        NotReadable: if they are no text.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return Encoding(name, 100, "it begins with a byte order mark")
    sample = data[:_SAMPLE]
    wide = _without_mark(sample)
    if wide is not None:
        return wide
    controls = len(_CONTROL.findall(sample))
    if b"\0" in sample or controls > len(sample) // 1000 + 1:
        raise NotReadable(f"it is no text: {controls} of its first {len(sample)} bytes are control")
    if data.isascii():
        return Encoding("utf-8", 100, "all of it is ASCII", ascii_only=True)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _one_byte(data)
    return Encoding("utf-8", 99, "all of it reads as UTF-8, and not only ASCII")


def _without_mark(sample: bytes) -> Encoding | None:
    """UTF-16 by the zeros that every other byte of a western text is."""
    pairs = len(sample) // 2
    if pairs < 2:
        return None
    for name, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        zeros = sample[first::2].count(0)
        if zeros > pairs * 0.6 and sample[1 - first :: 2].count(0) < pairs * 0.05:
            return Encoding(name, 90, f"{zeros} of {pairs} pairs of bytes have a zero there")
    return None


def _one_byte(data: bytes) -> Encoding:
    # Whole lines, so that the letters around are seen; those of ASCII tell nothing.
    telling = b"\n".join(line for line in data.split(b"\n") if not line.isascii())
    scores: dict[str, int] = {}
    for name in _ONE_BYTE:
        try:
            data.decode(name)
            scores[name] = _plausibility(telling[:_SAMPLE].decode(name))
        except UnicodeDecodeError:
            continue
    if not scores:
        return Encoding("latin-1", 30, "nothing else reads all of its bytes")
    beyond = len(telling[:_SAMPLE].translate(None, bytes(range(128))))
    best = max(scores, key=lambda name: scores[name])
    odd = {name: (beyond - score) // 2 for name, score in scores.items()}
    others = min((count for name, count in odd.items() if name != best), default=beyond)
    # Sure, if what is odd in this reading is next to nothing beside what is odd in the others.
    doubt = (odd[best] + 1) / (others + 1)
    confidence = max(30, round(99 - 60 * min(1.0, doubt)))
    evidence = (
        f"it is not UTF-8; of {beyond} bytes beyond ASCII"
        f" {(beyond + scores[best]) // 2} are French letters or signs in their place"
    )
    if best == "cp1252" and not re.search(rb"[\x80-\x9f]", data):
        evidence += "; latin-1 would read the same"
    return Encoding(best, confidence, evidence)


def _plausibility(text: str) -> int:
    """Characters beyond ASCII that stand where they may, less those that do not."""
    score = 0
    for found in re.finditer(r"[^\x00-\x7f]", text):
        at, character = found.start(), found.group()
        before, after = text[max(0, at - 1) : at], text[at + 1 : at + 2]
        score += 1 if _fits(before, character, after) else -1
    return score


def _fits(before: str, character: str, after: str) -> bool:
    between = before.isalpha() and after.isalpha()
    if character in _FRENCH:
        return not (character.isupper() and before.islower()) and (
            before.isalpha() or after.isalpha()
        )
    return character in _SIGNS and (not between or character in "’–—·")
