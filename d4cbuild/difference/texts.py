"""How texts differ: in form only, by a wrong character encoding, or for good."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_WRONG = ("cp1252", "latin-1", "cp437", "cp850", "mac_roman")
_LAST_BITS = 4096 * 2.0**-53
_REPLACEMENT = "\ufffd"


def classify_texts(a: pa.Array, b: pa.Array) -> Any:
    """Name the class of each pair of texts that differ; none is null.

    Returns:
        Names of classes.
    """
    # Each pair of texts is judged once, however often it occurs.
    pairs = pa.table({"a": a, "b": b}).group_by(["a", "b"], use_threads=False)
    distinct = pairs.aggregate([])
    judged = _judge(distinct.column("a").combine_chunks(), distinct.column("b").combine_chunks())
    if len(distinct) == len(a):
        return judged
    places = {
        pair: at
        for at, pair in enumerate(
            zip(distinct.column("a").to_pylist(), distinct.column("b").to_pylist(), strict=True)
        )
    }
    found = np.fromiter(
        (places[pair] for pair in zip(a.to_pylist(), b.to_pylist(), strict=True)), np.int64, len(a)
    )
    return judged[found]


def _judge(a: Any, b: Any) -> Any:
    names = np.full(len(a), "", dtype=object)
    for name, form in (
        ("text-unicode", _composed),
        ("text-space", _without_space),
        ("text-case", pc.utf8_lower),
    ):
        left, right = form(_composed(a)), form(_composed(b))
        same = pc.equal(left, right).to_numpy(zero_copy_only=False)
        names[same & (names == "")] = name
    for at in np.flatnonzero(names == ""):
        names[at] = _judge_one(a[int(at)].as_py(), b[int(at)].as_py())
    return names


def _composed(texts: Any) -> Any:
    return pc.utf8_normalize(texts, form="NFC")


def _without_space(texts: Any) -> Any:
    spaced = pc.replace_substring_regex(texts, r"[\s\p{Z}\x{FEFF}\x{200B}]+", " ")
    return pc.utf8_trim_whitespace(spaced)


def _judge_one(a: str, b: str) -> str:
    if _is_misread(a, b) or _is_misread(b, a) or _is_replaced(a, b) or _is_replaced(b, a):
        return "text-encoding"
    one, other = _number(a), _number(b)
    if one is not None and other is not None:
        return _of_numbers(one, other)
    # Two small things at once are still no other text.
    if _folded(a) == _folded(b):
        return "text-case"
    return "value"


def _is_misread(right: str, wrong: str) -> bool:
    """Whether one is the other's UTF-8, read as some old encoding."""
    encoded = unicodedata.normalize("NFC", right).encode()
    return any(_decodes(encoded, name, wrong) for name in _WRONG)


def _decodes(encoded: bytes, name: str, wrong: str) -> bool:
    decode: Callable[..., str] = encoded.decode
    return decode(name, "replace") == wrong and not encoded.isascii()


def _is_replaced(right: str, wrong: str) -> bool:
    """Whether characters beyond ASCII were replaced by a mark or a question mark."""
    if len(right) != len(wrong) or right.isascii():
        return False
    pairs = [(r, w) for r, w in zip(right, wrong, strict=True) if r != w]
    return all(ord(r) > 127 and w in (_REPLACEMENT, "?") for r, w in pairs)


def _of_numbers(a: float, b: float) -> str:
    if a == b:
        return "text-number"
    # A float that was written as text is a float still.
    near = math.isclose(a, b, rel_tol=_LAST_BITS, abs_tol=0)
    return "float-bits" if near else "value"


def _number(text: str) -> float | None:
    plain = text.strip().lower()
    try:
        # Python writes floats exactly in this way.
        return float.fromhex(plain) if plain.lstrip("+-").startswith("0x") else float(plain)
    except (ValueError, OverflowError):
        return None


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
