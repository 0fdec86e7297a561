"""What somebody may have meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher

_CLOSE = 0.7
_LONGEST = 80


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one known word that is close to a word, whatever the case; ``None`` if none or several.

    Args:
        word: What was written.
        known: What could have been meant.
    """
    if len(word) > _LONGEST:
        return None
    plain = _plain(word)
    rated = sorted(((_likeness(plain, _plain(each)), each) for each in known), reverse=True)
    close = [(rate, each) for rate, each in rated if rate >= _CLOSE]
    if not close or (len(close) > 1 and close[0][0] - close[1][0] < 0.05):
        return None
    return close[0][1]


def _likeness(a: str, b: str) -> float:
    return SequenceMatcher(None, a, b).ratio()


def _plain(word: str) -> str:
    return re.sub(r"[\W_]+", "_", word.casefold())


def slug(text: str, joint: str) -> str | None:
    """A text as a slug; ``None`` if nothing is left of it.

    Args:
        text: Any text.
        joint: What stands between words, ``_`` or ``-``.
    """
    letters = unicodedata.normalize("NFKD", text[:200].casefold())
    bare = "".join(each for each in letters if not unicodedata.combining(each))
    words = re.findall(r"[a-z0-9]+", bare)
    return joint.join(words) or None
