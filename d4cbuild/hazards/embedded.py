"""Other languages within shell: ``python -c '…'``, ``duckdb -c '…'`` and here-documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent
from typing import Final

from d4cbuild.hazards.placed import PlacedText
from d4cbuild.hazards.shell_words import Command, read_script

LANGUAGES: Final = {
    **dict.fromkeys(("python", "python3", "python3.11"), "python"),
    **dict.fromkeys(("duckdb", "sqlite3", "psql"), "sql"),
    **dict.fromkeys(("sh", "bash", "dash"), "shell"),
}
_DOCUMENT: Final = re.compile(r"(?<!<)<<(-?)\s*(['\"]?)([A-Za-z_]\w*)\2")
_PROGRAM: Final = re.compile(r"(?:^|[\s;|&(/])([a-z][a-z0-9.]*)(?=\s|$)")
_NO_EXPANSION: Final = re.compile(r"(\$\{?\w+\}?)|[^\n]")


@dataclass(frozen=True)
class Embedded:
    """A text in another language.

    Attributes:
        language: ``python``, ``sql`` or ``shell``.
        text: The text, behind as many empty lines as make its lines those of the whole.
    """

    language: str
    text: str


def embedded_in(text: str) -> tuple[str, list[Embedded]]:
    """Take other languages out of a shell script.

    Returns:
        The script without its here-documents, but for those that a shell reads and for variables
        that the shell fills in; and what other programs are given to read.
    """
    lines = text.split("\n")
    pieces = []
    at = 0
    while at < len(lines):
        match = None if lines[at].lstrip().startswith("#") else _DOCUMENT.search(lines[at])
        end = None if match is None else _end_of_document(lines, at + 1, match)
        if match is None or end is None:
            at += 1
            continue
        language = _language_of_line(lines[at])
        body = lines[at + 1 : end]
        if language not in (None, "shell"):
            pieces.append(_padded(str(language), "\n".join(body), at + 1))
        if language != "shell":
            lines[at + 1 : end] = [_blank(line, is_literal=bool(match[2])) for line in body]
            lines[end] = ""
        at = end + 1
    script = "\n".join(lines)
    return script, [*pieces, *_arguments(script)]


def _end_of_document(lines: list[str], start: int, match: re.Match[str]) -> int | None:
    for number in range(start, len(lines)):
        if (lines[number].lstrip("\t") if match[1] else lines[number]) == match[3]:
            return number
    return None


def _language_of_line(line: str) -> str | None:
    found = [LANGUAGES[name] for name in _PROGRAM.findall(line) if name in LANGUAGES]
    return found[-1] if found else None


def _blank(line: str, *, is_literal: bool) -> str:
    if is_literal:
        return ""
    return _NO_EXPANSION.sub(lambda match: match[1] or " ", line)


def _arguments(script: str) -> Iterator[Embedded]:
    for command in read_script(PlacedText.of_file(script)).commands:
        yield from _argument(command, script)


def _argument(command: Command, script: str) -> Iterator[Embedded]:
    language = None
    for option, word in zip(command.words, command.words[1:], strict=False):
        language = LANGUAGES.get(option.text.rpartition("/")[2], language)
        if language is not None and re.fullmatch(r"-[a-z]*c", option.text):
            yield _padded(language, word.text, script.count("\n", 0, word.offset))
            return


def _padded(language: str, text: str, before: int) -> Embedded:
    return Embedded(language, "\n" * before + (dedent(text) if language == "python" else text))
