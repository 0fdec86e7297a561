"""Where in a TOML file each key stands, which Python's own reader does not tell."""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field, replace

from d4cbuild.hazards.allow import Comment
from d4cbuild.hazards.placed import PlacedText

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_LINE_END = re.compile(r"\r?\n")
_SCALAR = re.compile(r"[^,\]}\n#]+")

_MOST_PARTS = 1000
"""Of a dotted key. Readers of TOML take a time that grows with the square of it."""

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands, as offsets in characters.

    Attributes:
        start: Of the whole: of a key with its value, a header, or an entry of an array.
        key: Begin and end of the key's own part, such as ``fr`` in ``title.fr``; ``None`` for
            entries of arrays.
        value: Begin and end of the value; ``None`` for tables.
    """

    start: int
    key: tuple[int, int] | None = None
    value: tuple[int, int] | None = None


@dataclass
class TomlPlaces:
    """Places of keys and entries.

    Attributes:
        source: The text.
        spans: By path, such as ``outputs[0].columns[2].type``.
        statements: Offsets of headers and of pairs that stand below one.
        texts: By path, where the characters of a text begin: behind its quotes.
        repeated: For keys and tables that are defined again: the path, and the offset of that.
        comments: Comments.
        too_deep: Whether a key has so many parts that the search ended there.
    """

    source: PlacedText
    spans: dict[str, Span] = field(default_factory=dict)
    statements: list[int] = field(default_factory=list)
    texts: dict[str, Place] = field(default_factory=dict)
    repeated: list[tuple[str, int]] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    too_deep: bool = False

    @property
    def keys(self) -> dict[str, Place]:
        """Lines and columns by path."""
        return {path: self.source.place(span.start) for path, span in self.spans.items()}

    def of(self, path: str) -> Place:
        """The place of a path, or of the nearest thing around it that is there."""
        while path:
            if path in self.spans:
                return self.source.place(self.spans[path].start)
            cut = max(path.rfind("."), path.rfind("["))
            path = path[: max(cut, 0)]
        return 1, 1

    def raw(self, path: str) -> str | None:
        """A value as it is written; ``None`` for tables and what is not there."""
        span = self.spans.get(path)
        if span is None or span.value is None:
            return None
        return self.source.text[slice(*span.value)]


def toml_places(text: str) -> TomlPlaces:
    """Find the places in a file. Of one that is not valid TOML, what comes before the fault."""
    scanner = _Scanner(text)
    # Nested too deeply for Python's own reader too, which says so.
    with suppress(RecursionError):
        scanner.scan()
    return scanner.found


class _Scanner:
    def __init__(self, text: str) -> None:
        self.source = PlacedText.of_file(text)
        self.text = text
        self.offset = 0
        self.table = ""
        self.counts: dict[str, int] = {}
        self.defined: set[str] = set()
        self.found = TomlPlaces(self.source)

    def scan(self) -> None:
        while self.offset < len(self.text):
            before = self.offset
            self._blank()
            character = self.text[self.offset : self.offset + 1]
            if character == "#":
                self._comment()
            elif character in "\r\n":
                self.offset += 1
            else:
                self.found.statements.append(self.offset)
                if character == "[":
                    self._header()
                else:
                    self._pair(self.table)
            if self.offset <= before:
                return  # no TOML

    def _blank(self) -> None:
        match = _BLANK.match(self.text, self.offset)
        self.offset = match.end() if match else self.offset

    def _blank_lines(self) -> None:
        while True:
            self._blank()
            character = self.text[self.offset : self.offset + 1]
            if character == "#":
                self._comment()
            elif character and character in "\r\n":
                self.offset += 1
            else:
                return

    def _comment(self) -> None:
        end = self.text.find("\n", self.offset)
        end = len(self.text) if end < 0 else end
        line, column = self.source.place(self.offset)
        before = self.text[self.text.rfind("\n", 0, self.offset) + 1 : self.offset]
        comment = Comment(line, column, self.text[self.offset + 1 : end], not before.strip())
        self.found.comments.append(comment)
        self.offset = end

    def _note(self, path: str, span: Span, *, whole: bool = True) -> None:
        """Note a place. What is whole may be there once only, unlike ``a`` in ``a.b``, ``a.c``."""
        if whole and path in self.defined:
            self.found.repeated.append((path, span.start))
            return
        if whole:
            self.defined.add(path)
        self.found.spans.setdefault(path, span)

    def _header(self) -> None:
        start = self.offset
        several = self.text.startswith("[[", start)
        self.offset += 2 if several else 1
        names = self._key()
        path = ""
        for position, (name, *part) in enumerate(names):
            path = f"{path}.{name}".lstrip(".")
            last = position == len(names) - 1
            if several and last:
                self.counts[path] = self.counts.get(path, -1) + 1
                self._note(path, Span(start, (part[0], part[1])), whole=False)
                path = f"{path}[{self.counts[path]}]"
            elif path in self.counts:
                path = f"{path}[{self.counts[path]}]"
            elif not last:
                self._note(path, Span(start), whole=False)
        self.table = path
        key = (names[-1][1], names[-1][2]) if names else None
        self._note(path, Span(start, key))
        end = self.text.find("]", self.offset)
        self.offset = len(self.text) if end < 0 else end + (2 if several else 1)

    def _key(self) -> list[tuple[str, int, int]]:
        """The parts of a key, each with where it begins and ends."""
        names: list[tuple[str, int, int]] = []
        while len(names) < _MOST_PARTS:
            self._blank()
            start = self.offset
            if self.text[start : start + 1] in ("'", '"'):
                self._string()
                name = _unquoted(self.text[start : self.offset])
            else:
                match = _BARE.match(self.text, start)
                if match is None:
                    return names
                name, self.offset = match[0], match.end()
            names.append((name, start, self.offset))
            self._blank()
            if not self.text.startswith(".", self.offset):
                return names
            self.offset += 1
        self.found.too_deep = True
        raise RecursionError

    def _pair(self, table: str) -> None:
        start = self.offset
        path = table
        names = self._key()
        span = Span(start)
        for position, (name, *part) in enumerate(names):
            path = f"{path}.{name}".lstrip(".")
            span = Span(start, (part[0], part[1]))
            self._note(path, span, whole=position == len(names) - 1)
        self._blank()
        if path == table or not self.text.startswith("=", self.offset):
            self.offset = len(self.text)
            return
        self.offset += 1
        self._blank()
        begin = self.offset
        self._value(path)
        if self.found.spans.get(path) is span:
            self.found.spans[path] = replace(span, value=(begin, self._end(begin)))

    def _end(self, begin: int) -> int:
        """Where a value ends: blanks after a bare one are not of it."""
        return begin + len(self.text[begin : self.offset].rstrip())

    def _value(self, path: str) -> None:
        character = self.text[self.offset : self.offset + 1]
        if character in ("'", '"'):
            self.found.texts[path] = self.source.place(self._first_of_string())
            self._string()
        elif character == "[":
            self._array(path)
        elif character == "{":
            self._inline(path)
        else:
            match = _SCALAR.match(self.text, self.offset)
            self.offset = len(self.text) if match is None else match.end()

    def _array(self, path: str) -> None:
        self.offset += 1
        index = 0
        while self.offset < len(self.text):
            self._blank_lines()
            if self.text.startswith("]", self.offset):
                self.offset += 1
                return
            begin, entry = self.offset, f"{path}[{index}]"
            self._note(entry, Span(begin))
            self._value(entry)
            self.found.spans[entry] = Span(begin, None, (begin, self._end(begin)))
            index += 1
            self._blank_lines()
            if self.text.startswith(",", self.offset):
                self.offset += 1

    def _inline(self, path: str) -> None:
        self.offset += 1
        while self.offset < len(self.text):
            self._blank_lines()
            if self.text.startswith("}", self.offset):
                self.offset += 1
                return
            if self.text.startswith(",", self.offset):
                self.offset += 1
                continue
            self._pair(path)

    def _string(self) -> None:
        quote = self.text[self.offset]
        long = quote * 3
        if self.text.startswith(long, self.offset):
            end = self._end_of(long, quote, self.offset + 3)
            while self.text.startswith(quote, end):  # up to two more quotes belong to the text
                end += 1
            self.offset = end
        else:
            self.offset = self._end_of(quote, quote, self.offset + 1)

    def _first_of_string(self) -> int:
        start = self.offset
        if not self.text.startswith(self.text[start] * 3, start):
            return start + 1
        # The first line end after three quotes is not of the text.
        match = _LINE_END.match(self.text, start + 3)
        return start + 3 if match is None else match.end()

    def _end_of(self, closing: str, quote: str, offset: int) -> int:
        while offset < len(self.text):
            if quote == '"' and self.text[offset] == "\\":
                offset += 2
            elif self.text.startswith(closing, offset):
                return offset + len(closing)
            else:
                offset += 1
        return len(self.text)


def _unquoted(text: str) -> str:
    try:
        return str(tomllib.loads(f"x = {text}")["x"])
    except ValueError:
        return text[1:-1]
