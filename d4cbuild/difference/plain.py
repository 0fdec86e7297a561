"""Files that are no tables: texts line by line, JSON by its values, others by their bytes."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from d4cbuild.base.limits import LIMITS
from d4cbuild.difference.bytewise import readable
from d4cbuild.difference.causes import causes_of, next_of
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.record import Difference, Example, Finding, Layer, Side, verdict_of
from d4cbuild.difference.shown import quoted, shortened

LARGEST_TEXT = LIMITS.compared_text_bytes
_LARGEST_EXACT = 5_000
"""Lines up to which the shortest difference is sought; it takes time by their square."""
_AROUND = 16
_READ = 1 << 20


def compare_plain(a: Side, b: Side, outer: Layer, options: DiffOptions) -> Difference:
    """Compare two files whose bytes differ, and that are no tables.

    Args:
        a: The first.
        b: The second.
        outer: What is known of their bytes.
        options: What the user chose.

    Raises:
        InputError: if one cannot be read.
    """
    layers = [outer]
    if a.kind != b.kind:
        layers.append(Layer("kind", False, f"{a.kind} against {b.kind}"))
    findings = _texts(a, b, options) if _are_small_texts(a, b) else None
    if findings is None:
        findings = [_bytes(Path(a.path), Path(b.path))]
    return finished(
        Difference(a, b, verdict_of(tuple(findings)), tuple(layers), tuple(findings)), options
    )


def finished(found: Difference, options: DiffOptions) -> Difference:
    """Add likely causes, and what to do next."""
    return Difference(
        **{**vars(found), "causes": causes_of(found), "next": next_of(found, options)}
    )


def _are_small_texts(a: Side, b: Side) -> bool:
    kinds = {"text", "json", "empty"}
    return all(side.kind in kinds and (side.size or 0) <= LARGEST_TEXT for side in (a, b))


def _texts(a: Side, b: Side, options: DiffOptions) -> list[Finding] | None:
    with readable(Path(a.path)):
        data_a = Path(a.path).read_bytes()
    with readable(Path(b.path)):
        data_b = Path(b.path).read_bytes()
    try:
        text_a, text_b = data_a.decode("utf-8"), data_b.decode("utf-8")
    except UnicodeDecodeError:
        if _in_old_encoding(data_a, data_b) or _in_old_encoding(data_b, data_a):
            says = "one is UTF-8, the other the same text in Windows-1252"
            return [Finding("text-encoding", 1, "files", says)]
        text_a, text_b = (data.decode("latin-1") for data in (data_a, data_b))
    if a.kind == b.kind == "json" and (found := json_findings(text_a, text_b, options)) is not None:
        return found
    return lines_findings(text_a, text_b, options)


def _in_old_encoding(utf8: bytes, other: bytes) -> bool:
    try:
        return utf8.decode("utf-8") == other.decode("cp1252")
    except UnicodeDecodeError:
        return False


def json_findings(a: str, b: str, options: DiffOptions) -> list[Finding] | None:
    """How two JSON documents differ: by their values, or only in form; ``None`` if one is none."""
    try:
        left, right = json.loads(a), json.loads(b)
        fields = list(json_fields(left, right, "$"))
    except (ValueError, RecursionError):
        return None
    if not fields:
        return [Finding("json-form", 1, "files", "the same values, written otherwise")]
    says = "values of the JSON document"
    return [
        Finding("member", len(fields), "fields", says, examples=tuple(fields[: options.examples]))
    ]


def json_fields(a: Any, b: Any, where: str) -> Iterator[Example]:
    """Find where two JSON values differ.

    Args:
        a: The first.
        b: The second.
        where: What to call the place of both.
    """
    if isinstance(a, dict) and isinstance(b, dict):
        for name in sorted({*a, *b}):
            place = f"{where}.{name}"
            if name not in a:
                yield Example(place, None, _value(b[name]))
            elif name not in b:
                yield Example(place, _value(a[name]), None)
            else:
                yield from json_fields(a[name], b[name], place)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for number, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from json_fields(one, other, f"{where}[{number}]")
    elif type(a) is not type(b) or a != b:
        yield Example(where, _value(a), _value(b))


def _value(value: Any) -> str:
    return shortened(json.dumps(value, ensure_ascii=True, sort_keys=True))


def lines_findings(a: str, b: str, options: DiffOptions) -> list[Finding]:
    """How two texts differ, line by line."""
    plain_a, plain_b = (
        text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n") for text in (a, b)
    )
    if plain_a.rstrip("\n") == plain_b.rstrip("\n"):
        return [Finding("line-ends", 1, "files", _ends(a, b))]
    lines_a, lines_b = plain_a.split("\n"), plain_b.split("\n")
    examples: list[Example] = []
    count = 0
    for tag, a1, a2, b1, b2 in _opcodes(lines_a, lines_b):
        if tag == "equal":
            continue
        for at in range(max(a2 - a1, b2 - b1)):
            count += 1
            if len(examples) < options.examples:
                before = quoted(lines_a[a1 + at]) if a1 + at < a2 else None
                after = quoted(lines_b[b1 + at]) if b1 + at < b2 else None
                number = a1 + at + 1 if before is not None else b1 + at + 1
                examples.append(Example(f"line {number}", *_short(before, after)))
    return [Finding("lines", count, "lines", "", examples=tuple(examples))]


def _short(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    return before and shortened(before), after and shortened(after)


def _opcodes(a: list[str], b: list[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """What is to be done to lines to make the others of them, without their like ends."""
    start = 0
    shorter = min(len(a), len(b))
    while start < shorter and a[start] == b[start]:
        start += 1
    end = 0
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    inner_a, inner_b = a[start : len(a) - end], b[start : len(b) - end]
    if len(inner_a) + len(inner_b) > _LARGEST_EXACT:
        yield "replace", start, len(a) - end, start, len(b) - end
        return
    matcher = difflib.SequenceMatcher(None, inner_a, inner_b, autojunk=False)
    for tag, a1, a2, b1, b2 in matcher.get_opcodes():
        yield tag, a1 + start, a2 + start, b1 + start, b2 + start


def _ends(a: str, b: str) -> str:
    found = []
    for name, mark in (("a byte order mark", "\ufeff"), ("CRLF", "\r\n")):
        sides = [side for side, text in (("A", a), ("B", b)) if mark in text]
        if len(sides) == 1:
            found.append(f"{name} in {sides[0]} only")
    return "; ".join(found) or "line ends, or empty lines at the end"


def _bytes(a: Path, b: Path) -> Finding:
    """How many bytes differ at their places, and the first of them."""
    at, count, first = 0, 0, None
    with readable(a), a.open("rb") as file_a, readable(b), b.open("rb") as file_b:
        while True:
            one, other = file_a.read(_READ), file_b.read(_READ)
            if not one and not other:
                break
            if one != other:
                shorter = min(len(one), len(other))
                both = [np.frombuffer(each, np.uint8, shorter) for each in (one, other)]
                places = np.flatnonzero(both[0] != both[1])
                count += len(places) + abs(len(one) - len(other))
                if first is None:
                    begins = int(places[0]) if len(places) else shorter
                    window = slice(max(0, begins - _AROUND), begins + _AROUND)
                    first = Example(
                        f"around byte {at + begins}", _hex(one[window]), _hex(other[window])
                    )
            at += max(len(one), len(other))
    examples = () if first is None else (first,)
    return Finding("bytes", count, "bytes", "at their places", examples=examples)


def _hex(data: bytes) -> str:
    return data.hex(" ")
