"""Where in a TOML file each key stands, which Python's own reader does not tell."""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field

from d4cbuild.hazards.allow import Comment
from d4cbuild.hazards.placed import PlacedText

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_LINE_END = re.compile(r"\r?\n")
_SCALAR = re.compile(r"[^,\]}\n#]+")

Place = tuple[int, int]


@dataclass
class TomlPlaces:
    """Places of keys and entries.

    Attributes:
        keys: By path, such as ``outputs[0].columns[2].type``.
        texts: By path, where the characters of a text begin: behind its quotes.
        comments: Comments.
    """

    keys: dict[str, Place] = field(default_factory=dict)
    texts: dict[str, Place] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)

    def of(self, path: str) -> Place:
        """The place of a path, or of the nearest thing around it that is there."""
        while path:
            if path in self.keys:
                return self.keys[path]
            cut = max(path.rfind("."), path.rfind("["))
            path = path[: max(cut, 0)]
        return 1, 1


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
        self.found = TomlPlaces()

    def scan(self) -> None:
        while self.offset < len(self.text):
            before = self.offset
            self._blank()
            character = self.text[self.offset : self.offset + 1]
            if character == "[":
                self._header()
            elif character == "#":
                self._comment()
            elif character in "\r\n":
                self.offset += 1
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

    def _note(self, path: str, offset: int) -> None:
        self.found.keys.setdefault(path, self.source.place(offset))

    def _header(self) -> None:
        start = self.offset
        several = self.text.startswith("[[", start)
        self.offset += 2 if several else 1
        names = self._key()
        path = ""
        for position, name in enumerate(names):
            path = f"{path}.{name}".lstrip(".")
            last = position == len(names) - 1
            if several and last:
                self.counts[path] = self.counts.get(path, -1) + 1
                self._note(path, start)
                path = f"{path}[{self.counts[path]}]"
            elif path in self.counts:
                path = f"{path}[{self.counts[path]}]"
        self.table = path
        self._note(path, start)
        end = self.text.find("]", self.offset)
        self.offset = len(self.text) if end < 0 else end + (2 if several else 1)

    def _key(self) -> list[str]:
        names = []
        while True:
            self._blank()
            if self.text[self.offset : self.offset + 1] in ("'", '"'):
                start = self.offset
                self._string()
                names.append(_unquoted(self.text[start : self.offset]))
            else:
                match = _BARE.match(self.text, self.offset)
                if match is None:
                    return names
                names.append(match[0])
                self.offset = match.end()
            self._blank()
            if not self.text.startswith(".", self.offset):
                return names
            self.offset += 1

    def _pair(self, table: str) -> None:
        start = self.offset
        path = table
        for name in self._key():
            path = f"{path}.{name}".lstrip(".")
            self._note(path, start)
        self._blank()
        if path == table or not self.text.startswith("=", self.offset):
            self.offset = len(self.text)
            return
        self.offset += 1
        self._blank()
        self._value(path)

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
            self._note(f"{path}[{index}]", self.offset)
            self._value(f"{path}[{index}]")
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
