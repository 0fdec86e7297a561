"""A shell script as commands and words: as much of the language as its hazards need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from d4cbuild.hazards.allow import Comment
from d4cbuild.hazards.placed import PlacedText

SEPARATORS: Final = ("&&", "||", ";;", "|&", ";", "|", "&", "\n", "(", ")", "`")
KEYWORDS: Final = frozenset(
    {
        *("if", "then", "else", "elif", "fi", "do", "done", "while", "until", "for", "case"),
        *("esac", "{", "}", "!", "in", "time"),
    }
)


@dataclass
class Word:
    """A word of a command.

    Attributes:
        text: Without quotes; expansions as they are written.
        offset: Where it begins.
    """

    text: str
    offset: int


@dataclass
class Command:
    """A simple command.

    Attributes:
        words: Program and arguments; assignments before it are left out.
        after: The separator that ends it.
        assigned: Variables that are set before it.
    """

    words: list[Word] = field(default_factory=list)
    after: str = ""
    assigned: list[Word] = field(default_factory=list)

    @property
    def program(self) -> str:
        """The name of what is run, without its folder."""
        return self.words[0].text.rpartition("/")[2] if self.words else ""

    @property
    def arguments(self) -> list[str]:
        """The arguments' texts."""
        return [word.text for word in self.words[1:]]


@dataclass
class Script:
    """What was read.

    Attributes:
        commands: In order, also those within ``$(…)``.
        comments: Comments.
    """

    commands: list[Command] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


class _Scanner:
    """Goes once through a script."""

    def __init__(self, source: PlacedText) -> None:
        self.source = source
        self.text = source.text
        self.offset = 0
        self.script = Script()
        self.command = Command()
        self.word: Word | None = None
        self.inner: list[tuple[int, int]] = []

    def scan(self) -> Script:
        while self.offset < len(self.text):
            self._step()
        self._end_command("")
        return self.script

    def _step(self) -> None:
        text, offset = self.text, self.offset
        character = text[offset]
        separator = next((s for s in SEPARATORS if text.startswith(s, offset)), None)
        if character == "#" and self.word is None:
            self._comment()
        elif character == "\\":
            if text[offset + 1 : offset + 2] not in {"\n", ""}:
                self._add(text[offset + 1], offset)
            self.offset += 2
        elif character in "'\"":
            self._quoted(character)
        elif text.startswith("$(", offset) or text.startswith("${", offset):
            self._expansion()
        elif text.startswith(">&", offset) or text.startswith("&>", offset):
            self._add(text[offset : offset + 2], offset)
            self.offset += 2
        elif separator is not None:
            self._end_command(separator)
            self.offset += len(separator)
        elif character in " \t\r":
            self._end_word()
            self.offset += 1
        else:
            self._add(character, offset)
            self.offset += 1

    def _add(self, text: str, offset: int) -> None:
        if self.word is None:
            self.word = Word("", offset)
        self.word.text += text

    def _end_word(self) -> None:
        word, self.word = self.word, None
        if word is None:
            return
        name, equals, _ = word.text.partition("=")
        if not self.command.words:
            if word.text in KEYWORDS:
                return
            if equals and name.isidentifier():
                self.command.assigned.append(word)
                return
        self.command.words.append(word)

    def _end_command(self, separator: str) -> None:
        self._end_word()
        if self.command.words or self.command.assigned:
            self.command.after = separator
            self.script.commands.append(self.command)
        self.command = Command()

    def _comment(self) -> None:
        end = self.text.find("\n", self.offset)
        end = len(self.text) if end < 0 else end
        line, column = self.source.place(self.offset)
        before = self.text[self.text.rfind("\n", 0, self.offset) + 1 : self.offset]
        text = self.text[self.offset + 1 : end]
        self.script.comments.append(Comment(line, column, text, not before.strip()))
        self.offset = end

    def _quoted(self, quote: str) -> None:
        start = self.offset
        self._add("", start)
        self.offset += 1
        while self.offset < len(self.text) and self.text[self.offset] != quote:
            if quote == '"' and self.text.startswith("$(", self.offset):
                self._expansion()
                continue
            if quote == '"' and self.text[self.offset] == "\\":
                self.offset += 1
            self._add(self.text[self.offset : self.offset + 1], start)
            self.offset += 1
        self.offset += 1

    def _expansion(self) -> None:
        """Take ``$(…)`` and ``${…}`` as part of a word; what runs in the former is read later."""
        start, closing = self.offset, ")" if self.text[self.offset + 1] == "(" else "}"
        opening = self.text[self.offset + 1]
        depth, offset = 0, self.offset + 1
        while offset < len(self.text):
            character = self.text[offset]
            depth += (character == opening) - (character == closing)
            offset += 1
            if depth == 0:
                break
        self._add(self.text[start:offset], start)
        if closing == ")" and not self.text.startswith("$((", start):
            self.inner.append((start + 2, offset - 1))
        self.offset = offset


def read_script(source: PlacedText) -> Script:
    """Read a script and all that runs within it."""
    script = Script()
    parts = [(0, len(source.text))]
    while parts:
        first, last = parts.pop()
        # Blank before it, so that offsets stay those of the whole; nothing after it.
        blank = "".join("\n" if c == "\n" else " " for c in source.text[:first])
        scanner = _Scanner(
            PlacedText(blank + source.text[first:last], source.starts, source.places)
        )
        scanner.offset = first
        found = scanner.scan()
        script.commands += found.commands
        script.comments += found.comments
        parts += [part for part in scanner.inner if part[1] > part[0] and part != (first, last)]
    script.comments.sort(key=lambda comment: comment.line)
    return script
