"""Text written in Python, with the place of each character: so that SQL in it can be pointed at.

The parser tells only where a whole literal begins, and a literal may be in several parts and hold
escapes and expressions, so its source is read again here.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from itertools import pairwise

from d4cbuild.hazards.placed import PlacedText
from d4cbuild.hazards.python_module import PythonModule

_OPENING = re.compile(r"([A-Za-z]{0,2})('''|\"\"\"|'|\")")
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"', "r": "\r"}
_FORMAT_FIELD = re.compile(r"(?<!\{)\{[\w.\[\]]*(?:![rsa])?(?::[^{}]*)?\}(?!\})|%s|%\(\w+\)s")
HOLE = "d4c_hole"
"""Stands for what is only known when the code runs."""


@dataclass
class _Reading:
    """A text that is being put together."""

    text: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    length: int = 0

    def add(self, text: str, line: int, column: int) -> None:
        if not text:
            return
        self.text.append(text)
        self.starts.append(self.length)
        self.places.append((line, column))
        self.length += len(text)

    def done(self) -> PlacedText:
        if not self.starts:
            self.add(" ", 1, 1)
        return PlacedText("".join(self.text), self.starts, self.places)


def placed_text(module: PythonModule, node: ast.expr) -> PlacedText | None:
    """The text of an expression, as far as it is written there; ``None`` if it is no text."""
    reading = _Reading()
    return reading.done() if _read(module, node, reading, 0) else None


def _read(module: PythonModule, node: ast.expr, reading: _Reading, depth: int) -> bool:
    node = module.names.value_of(node)
    if depth > 50:
        return False
    if isinstance(node, ast.JoinedStr) or _is_text(node):
        _read_literal(module, node, reading)
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left = _read(module, node.left, reading, depth + 1)
        if not left:
            reading.add(f" {HOLE} ", *module.place(node.left))
        right = _read(module, node.right, reading, depth + 1)
        if left and not right:
            reading.add(f" {HOLE} ", *module.place(node.right))
        return left or right
    template = _template(node)
    if template is None:
        return False
    inner = _Reading()
    if not _read(module, template, inner, depth + 1):
        return False
    _without_fields(inner.done(), reading)
    return True


def _template(node: ast.expr) -> ast.expr | None:
    """What is formatted: of ``"…".format(…)``, ``"…" % …`` and ``textwrap.dedent("…")``."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return node.left
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in {"format", "strip", "replace", "format_map"}:
            return node.func.value
        if node.func.attr == "dedent" and node.args:
            return node.args[0]
    return None


def _without_fields(text: PlacedText, reading: _Reading) -> None:
    place = 0
    for match in _FORMAT_FIELD.finditer(text.text):
        _copy(text, place, match.start(), reading)
        reading.add(HOLE, *text.place(match.start()))
        place = match.end()
    _copy(text, place, len(text.text), reading)


def _copy(text: PlacedText, start: int, stop: int, reading: _Reading) -> None:
    cuts = [start, *(each for each in text.starts if start < each < stop), stop]
    for first, last in pairwise(cuts):
        reading.add(text.text[first:last], *text.place(first))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _read_literal(module: PythonModule, node: ast.expr, reading: _Reading) -> None:
    """Read the parts of a literal: prefix, quotes and text, with white space in between."""
    line, column = module.place(node)
    last_line = min(node.end_lineno or line, len(module.lines))
    source = "\n".join([module.lines[line - 1][column - 1 :], *module.lines[line:last_line]])
    cursor = _Cursor(source, line, column, reading)
    while cursor.offset < len(source) and not cursor.is_after(node):
        opening = _OPENING.match(source, cursor.offset)
        if opening is not None:
            cursor.read_part(opening[1].lower(), opening[2], len(opening[0]))
        elif source[cursor.offset] == "#":
            cursor.skip_line()
        elif source[cursor.offset] in " \t\\()\n\f":
            cursor.step(1)
        else:
            break


@dataclass
class _Cursor:
    """A place in the source of a literal."""

    source: str
    line: int
    column: int
    reading: _Reading
    offset: int = 0

    def is_after(self, node: ast.expr) -> bool:
        # Only lines are compared: after the last part comes something that is no literal.
        return self.line > (node.end_lineno or self.line)

    def step(self, count: int) -> None:
        for character in self.source[self.offset : self.offset + count]:
            if character == "\n":
                self.line, self.column = self.line + 1, 1
            else:
                self.column += 1
        self.offset += count

    def skip_line(self) -> None:
        end = self.source.find("\n", self.offset)
        self.step((len(self.source) if end < 0 else end) - self.offset)

    def take(self, count: int, text: str | None = None) -> None:
        """Add characters, or what they mean, and go on after them."""
        taken = self.source[self.offset : self.offset + count] if text is None else text
        self.reading.add(taken, self.line, self.column)
        self.step(count)

    def read_part(self, prefix: str, quote: str, opening: int) -> None:
        self.step(opening)
        is_raw, has_fields = "r" in prefix, "f" in prefix
        while self.offset < len(self.source) and not self.source.startswith(quote, self.offset):
            two = self.source[self.offset : self.offset + 2]
            if two[0] == "\\" and not is_raw:
                after = two[1:]
                self.take(2, "" if after == "\n" else _ESCAPES.get(after, two))
            elif has_fields and two in {"{{", "}}"}:
                self.take(2, two[0])
            elif has_fields and two[0] == "{":
                self.take(self._field_length(quote), HOLE)
            else:
                self._take_plain(quote, is_raw, has_fields)
        self.step(len(quote))

    def _take_plain(self, quote: str, is_raw: bool, has_fields: bool) -> None:
        stop = self.offset + 1
        special = quote[0] + "\n" + ("" if is_raw else "\\") + ("{}" if has_fields else "")
        while (
            self.source[self.offset] != "\n"
            and stop < len(self.source)
            and self.source[stop] not in special
        ):
            stop += 1
        self.take(stop - self.offset)

    def _field_length(self, quote: str) -> int:
        depth, offset = 0, self.offset
        while offset < len(self.source):
            character = self.source[offset]
            depth += (character in "{[(") - (character in "}])")
            offset += 1
            if depth == 0:
                break
            if self.source.startswith(quote, offset) and len(quote) == 3:
                break
        return offset - self.offset
