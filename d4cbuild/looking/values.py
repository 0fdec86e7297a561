"""What the texts of a column mean: the narrowest type that holds all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.looking.moments import DATE_NAME, moments_of
from d4cbuild.looking.notes import Note, few

NULL_TOKENS = frozenset(
    ("NA", "N/A", "n/a", "na", "#N/A", "null", "NULL", "Null", "None", "none", "nan", "NaN", "-",
     "--", "..", "...", ".", "x", "X", "F", "s.o.", "n.d.", "ND", "*")
)  # fmt: skip
_INTEGER = r"^-?(0|[1-9][0-9]{0,18})$"
_NUMBER = r"^-?((0|[1-9][0-9]*)(\.[0-9]+)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$"
_WHOLE = r"^-?(0|[1-9][0-9]{0,14})\.0+$"
_DIGITS = r"^[0-9]+$"
_PACKED = r"^[12][0-9]{7}([0-9]{4}([0-9]{2})?)?$"
_TRUTH = (("true", "false"), ("yes", "no"), ("y", "n"), ("oui", "non"), ("o", "n"), ("t", "f"))
_CODES = re.compile(r"(^|_)(code|uid|geocode|fips|naics|cuid|dguid)s?$")
_LABELS = re.compile(r"(^|_)(coordinate|version|id|code|section|number|no|edition)(_|$)")
_MONEY = re.compile(r"cost|amount|price|fee|salary|montant|prix|cout|valeur|budget|dollar")
_EXACT = 1 << 53
# Signs between thousands and before decimals, the surest first.
_SIGNS = (
    *[(thousands, ",") for thousands in ("", " ", "\u00a0", "\u202f", ".", "'")],
    *[(thousands, "") for thousands in (" ", "\u00a0", "\u202f")],
    *[(thousands, ".") for thousands in (",", " ", "\u00a0", "\u202f", "'")],
    (",", ""),
)


@dataclass(frozen=True)
class Reading:
    """How a column of text is read.

    Attributes:
        kind: The declared type.
        null: Texts that mean that there is no value.
        thousands: The sign between thousands.
        decimal: The sign before decimals.
        replace: Other texts for whole texts.
        via: A type it is given before the declared one.
        pattern: How dates are written.
        notes: What could be otherwise.
    """

    kind: str = "string"
    null: tuple[str, ...] = ()
    thousands: str = ""
    decimal: str = ""
    replace: dict[str, str] = field(default_factory=dict)
    via: str = ""
    pattern: str = ""
    notes: tuple[Note, ...] = ()


def reading_of(texts: pa.Array, name: str) -> Reading:
    """Find out how to read a column.

    Args:
        texts: Its different texts, without null.
        name: What the column is to be called.
    """
    if len(texts) == 0:
        return Reading()
    whole = _reading(texts, name)
    if whole.kind != "string" or whole.notes:
        return whole
    known = pc.is_in(texts, pa.array(sorted(NULL_TOKENS)))
    rest = texts.filter(pc.invert(known))
    if len(rest) == 0 or len(rest) == len(texts):
        return whole
    other = _reading(rest, name)
    if other.kind == "string":
        return whole
    tokens = tuple(sorted(texts.filter(known).to_pylist()))
    text = f"taken as {other.kind}, and {few(tokens)} as no value"
    note = Note(name, text, 85, f'type = "string" for {name}, without null in the columns step')
    return replace(other, null=tokens, notes=(*other.notes, note))


def _reading(texts: pa.Array, name: str) -> Reading:
    for attempt in (_truth, _packed_moments, _numbers, moments, _signed_numbers):
        found = attempt(texts, name)
        if found is not None:
            return found
    return Reading()


def _all(texts: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())


def _truth(texts: pa.Array, name: str) -> Reading | None:
    if len(texts) != 2:
        return None
    first, second = (str(text) for text in texts.to_pylist())
    for true, false in _TRUTH:
        if {first.lower(), second.lower()} == {true, false}:
            words = {t: "true" if t.lower() == true else "false" for t in (first, second)}
            if true == "true":
                return Reading("boolean")
            note = Note(name, f"{few(sorted(words))} taken as boolean", 80, 'type = "string"')
            return Reading("boolean", replace=words, notes=(note,))
    return None


def _numbers(texts: pa.Array, name: str) -> Reading | None:
    if _all(texts, _INTEGER):
        return _integers(texts, name)
    if _all(texts, _WHOLE):
        kind = narrowest(texts.cast(pa.float64()).cast(pa.int64()))
        note = Note(name, f"whole numbers written like {texts[0].as_py()}; taken as {kind}", 90)
        return Reading(kind, via="float64", notes=(note,))
    if not _all(texts, _NUMBER):
        return None
    scales = {len(text.partition(".")[2]) for text in texts.to_pylist()}
    if len(scales) == 1 and max(scales) in (2, 3, 4) and _MONEY.search(name):
        scale = max(scales)
        digits = max(len(text.lstrip("-").replace(".", "")) for text in texts.to_pylist())
        kind = f"decimal({max(digits, scale)},{scale})"
        return Reading(kind, notes=(Note(name, f"amounts of money; taken as {kind}", 80),))
    return _floats(texts, name)


def _floats(texts: pa.Array, name: str) -> Reading:
    lost = len(texts) - len(pc.unique(texts.cast(pa.float64())))
    if not lost:
        return Reading("float64")
    text = f"{lost} texts mean the same number as another, as 1.1 and 1.10 do"
    if _LABELS.search(name):
        return Reading(notes=(Note(name, f"{text}; kept as text", 80, 'type = "float64"'),))
    return Reading(
        "float64", notes=(Note(name, f"{text}; taken as float64", 75, 'type = "string"'),)
    )


def _integers(texts: pa.Array, name: str) -> Reading:
    lengths = pc.min_max(pc.utf8_length(texts)).as_py()
    one_length = lengths["min"] == lengths["max"] and len(texts) > 1
    if _CODES.search(name) and one_length and lengths["min"] > 1 and _all(texts, _DIGITS):
        text = f"codes of {lengths['min']} digits, kept as text"
        return Reading(notes=(Note(name, text, 75, f'type = "{_narrow(texts)}"'),))
    kind = _narrow(texts)
    return Reading(kind)


def _narrow(texts: pa.Array) -> str:
    for wide in (pa.int64(), pa.uint64()):
        try:
            return narrowest(texts.cast(wide))
        except pa.ArrowInvalid:
            continue
    return "string"


def narrowest(numbers: pa.Array | pa.ChunkedArray) -> str:
    """The smallest type of whole numbers that holds all of these."""
    bounds = pc.min_max(numbers).as_py()
    low, high = bounds["min"], bounds["max"]
    if low is None:
        return "int8"
    for bits in (8, 16, 32, 64):
        if low >= 0 and high < 1 << bits:
            return f"uint{bits}"
        if low < 0 and -(1 << bits - 1) <= low and high < 1 << bits - 1:
            return f"int{bits}"
    return "int64"


def whole_numbers(column: pa.ChunkedArray) -> str | None:
    """The type of whole numbers that floats are without exception; ``None`` if they are not."""
    values = column.drop_null()
    if len(values) == 0 or not bool(pc.all(pc.equal(pc.floor(values), values)).as_py()):
        return None
    bounds = pc.min_max(values).as_py()
    if max(abs(bounds["min"]), abs(bounds["max"])) >= _EXACT:
        return None
    return narrowest(values.cast(pa.int64()))


def moments(texts: pa.Array, name: str) -> Reading | None:
    """Dates and times."""
    found = moments_of(texts.to_pylist(), name)
    if found is None:
        return None
    return Reading(found.kind, via=found.via, pattern=found.pattern, notes=found.notes)


def _packed_moments(texts: pa.Array, name: str) -> Reading | None:
    """Dates of digits only, which are numbers unless their name says that they are dates."""
    return moments(texts, name) if DATE_NAME.search(name) and _all(texts, _PACKED) else None


def _signed_numbers(texts: pa.Array, name: str) -> Reading | None:
    """Numbers with a sign between thousands, or another than a point before decimals."""
    if not _all(texts, r"^-?[0-9][0-9 \x{a0}\x{202f}.,']*$"):
        return None
    for thousands, decimal in _SIGNS:
        group = f"(?:[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|[0-9]+)"
        number = group if thousands else "[0-9]+"
        number += f"(?:{re.escape(decimal)}[0-9]+)?" if decimal else ""
        used = [sign for sign in (thousands, decimal) if sign]
        if not _all(texts, f"^-?{number}$") or not all(_any(texts, sign) for sign in used):
            continue
        if (thousands, decimal) in (("", ","), (",", "")) and _all_like_thousands(texts):
            text = f"{few(texts.to_pylist())}: is the comma for thousands, or for decimals?"
            write = f'a columns step: only = ["{name}"], thousands = "," or decimal = ","'
            return Reading(notes=(Note(name, f"{text} Kept as text", None, write),))
        return _with_signs(texts, name, thousands, decimal)
    return None


def _with_signs(texts: pa.Array, name: str, thousands: str, decimal: str) -> Reading | None:
    bare = pc.replace_substring(texts, thousands, "") if thousands else texts
    bare = pc.replace_substring(bare, decimal, ".") if decimal else bare
    found = _numbers(pc.unique(bare), name)
    if found is None or found.kind == "string":
        return None
    words = [f"{thousands!r} between thousands"] if thousands else []
    words += [f"{decimal!r} before decimals"] if decimal else []
    note = Note(name, f"numbers such as {texts[0].as_py()!r}: {', '.join(words)}", 95)
    point = "" if decimal == "." else decimal
    return replace(found, thousands=thousands, decimal=point, notes=(*found.notes, note))


def _any(texts: pa.Array, sign: str) -> bool:
    return bool(pc.any(pc.match_substring(texts, sign)).as_py())


def _all_like_thousands(texts: pa.Array) -> bool:
    with_comma = texts.filter(pc.match_substring(texts, ","))
    return _all(with_comma, r"^-?[1-9][0-9]{0,2},[0-9]{3}$")
