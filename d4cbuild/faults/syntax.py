"""What keeps a text from being TOML, in plain words and at its place."""

from __future__ import annotations

import re
from typing import Final

from d4cbuild.hazards.finding import Finding
from d4cbuild.hazards.toml_places import Place, TomlPlaces

_AT = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_MOST_DIGITS = re.compile(r"[0-9_]{4300,}")
_STATEMENT = re.compile(r"\s*([\w.\"'-]+\s*=|\[+[\w.]+\]+\s*$)")
_BARE = re.compile(r"""\s*([\w.-]+)\s*[=:]\s*([^\s"'\[{#][^"#]*?)\s*(#.*)?""")
_COLON = re.compile(r"\s*([\w.-]+)\s*:\s*(.+?)\s*")
_SEVERAL = re.compile(r"\s*\[\[\s*([\w.-]+)\s*\]\]")
_CURLY = re.compile("[“”‘’«»]")

# Beginning of Python's message: what is wrong, and what to do. In this order.
_WORDS: Final[tuple[tuple[str, str, str], ...]] = (
    ("Cannot overwrite", "{again} is defined twice", "take one of the two away"),
    ("Cannot declare", "{again} is defined twice", "take one of the two away"),
    ("Cannot mutate", "{again} is defined twice", "take one of the two away"),
    ("Cannot redefine", "{again} is defined twice", "take one of the two away"),
    ("Duplicate inline", "{again} is defined twice", "take one of the two away"),
    (
        "Unterminated string",
        "a text has no closing quotes",
        'close it with the same quotes; text over several lines stands between """ and """',
    ),
    (
        "Illegal character '\\n'",
        "a text has no closing quotes on its line",
        'close it with "; text over several lines stands between """ and """',
    ),
    (
        "Found invalid character '\\n'",
        "a text has no closing quotes on its line",
        "close it with '; text over several lines stands between ''' and '''",
    ),
    ("Illegal character", "a character that no text may hold", "take it away"),
    ("Found invalid character", "a character that TOML does not allow", "take it away"),
    (
        "Unescaped '\\' in a string",
        "a backslash in a text in double quotes",
        "write it twice, \\\\, or put the text in single quotes",
    ),
    (
        "Escaped character is not",
        "half a character: \\ud800 to \\udfff stand for nothing alone",
        "type the character itself",
    ),
    ("Invalid hex value", "\\u is followed by four hex digits", "type the character itself"),
    (
        "Unclosed array",
        "a list is not closed, or a comma is missing",
        "put , between entries, and ] at the end",
    ),
    (
        "Unclosed inline table",
        "a table in braces is not closed, or a comma is missing",
        "put , between entries, and } at the end of the line",
    ),
    (
        "Expected '=' after",
        "a key without a value",
        "write key = value; the name of a table stands in brackets: [table]",
    ),
    ("Expected ']'", "a table's header is not closed", "end it with ]"),
    ("Expected ']]'", "a table's header is not closed", "end it with ]]"),
    (
        "Invalid initial character",
        "no key where one should be",
        "there may be no comma before }; a key is letters, digits, '_' and '-'",
    ),
    (
        "Invalid value",
        "this is neither text in quotes nor a number, true or false",
        'put text in straight quotes, "so"; write true and false in lower case',
    ),
    (
        "Expected newline",
        "something follows the value",
        'put text, dates and versions in quotes; one key = "value" on a line',
    ),
    (
        "Invalid statement",
        "neither a key nor a table's header",
        'write key = "value", [table], or # and a comment',
    ),
)


def syntax_finding(error: ValueError, text: str, places: TomlPlaces, shown: str) -> Finding:
    """Why a text is no TOML.

    Args:
        error: What Python's reader raised.
        text: The text.
        places: What could be found in it before the fault.
        shown: How to name the file.
    """
    match = _AT.fullmatch(str(error))
    told = match[1] if match else str(error)
    place = (int(match[2]), int(match[3])) if match and match[2] else None
    words = next((each for each in _WORDS if told.startswith(each[0])), None)
    again = places.repeated[0][0] if places.repeated else "a key"
    if words is None:
        return _unplaced(told, text, places, shown, place)
    where = place or _last_statement(places)
    line = text.split("\n")[where[0] - 1]
    begun = _statement_before(places, where)
    if words[0] == "Invalid value" and begun[0] < where[0] and _STATEMENT.match(line):
        words = next(each for each in _WORDS if each[0] == "Unclosed array")
    several = _SEVERAL.match(line)
    if "twice" in words[1] and several is not None and not places.repeated:
        message = f"a header [{several[1]}] stands above, so there cannot be several"
        return _finding(shown, where, message, f"write [[{several[1]}]] there as well")
    if "twice" in words[1] and places.repeated:
        where = places.source.place(places.repeated[0][1])
    elif words[0].startswith("Unclosed"):
        where = begun
    message, remedy = words[1].format(again=again), words[2]
    character = line[where[1] - 1 : where[1]]
    if ord(character or " ") < 32:
        return _finding(
            shown, where, f"a control character, U+{ord(character):04X}", "take it away"
        )
    if text.lstrip().startswith("{"):
        message, remedy = "this is JSON, not TOML", "see the first recipe in README.md"
    elif _CURLY.search(line) and words[0] in ("Invalid value", "Invalid statement"):
        message, remedy = "typographic quotes around a text", 'write straight quotes: "…"'
    elif (better := _as_meant(words[0], line)) is not None:
        message, remedy = better
    return _finding(shown, where, message, remedy)


def _as_meant(words: str, line: str) -> tuple[str, str] | None:
    """For a line that is a key and a value all the same: what is wrong, and what to write."""
    bare = _BARE.fullmatch(line)
    if bare is not None and words in ("Expected newline", "Invalid value", "Expected '=' after"):
        lower = bare[2].lower()
        value = lower if lower in ("true", "false") else f'"{bare[2]}"'
        if re.fullmatch(r"[0-9]+,[0-9]+", bare[2]):
            return "a comma in a number", f"write {bare[1]} = {bare[2].replace(',', '.')}"
        said = "true and false are lower case" if value == lower else "text without quotes"
        return said, f"write {bare[1]} = {value}"
    colon = _COLON.fullmatch(line)
    if colon is not None and words == "Expected '=' after":
        return "there is ':' where '=' should be", f"write {colon[1]} = {colon[2]}"
    return None


def too_deep(places: TomlPlaces, shown: str) -> Finding:
    """The finding for what is nested too deeply to be read."""
    message = "lists or tables are nested too deeply"
    return _finding(shown, _last_statement(places), message, "write it with fewer levels")


def _unplaced(told: str, text: str, places: TomlPlaces, shown: str, place: Place | None) -> Finding:
    digits = _MOST_DIGITS.search(text)
    if digits is not None and place is None:
        where = places.source.place(digits.start())
        return _finding(shown, where, "a number of thousands of digits", "put it in quotes")
    return _finding(shown, place or _last_statement(places), told, "mend the line and check again")


def _last_statement(places: TomlPlaces) -> Place:
    return places.source.place(places.statements[-1]) if places.statements else (1, 1)


def _statement_before(places: TomlPlaces, place: Place) -> Place:
    """The statement in which a place lies."""
    before = [where for where in map(places.source.place, places.statements) if where <= place]
    return before[-1] if before else place


def _finding(shown: str, place: Place, message: str, remedy: str) -> Finding:
    return Finding(shown, *place, "syntax", message, remedy, "error")
