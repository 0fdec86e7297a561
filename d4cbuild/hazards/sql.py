"""Hazards in SQL, read as DuckDB reads it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from d4cbuild.hazards.allow import Comment
from d4cbuild.hazards.finding import Spot
from d4cbuild.hazards.placed import PlacedText
from d4cbuild.hazards.python_calls import REMOTE
from d4cbuild.hazards.sql_floats import float_spots
from d4cbuild.hazards.sql_order import order_spots
from d4cbuild.hazards.sql_statement import Statement

_FUNCTIONS: Final = {
    "clock": (
        "now today get_current_timestamp get_current_time transaction_timestamp current_localtime"
        " current_localtimestamp"
    ),
    "unseeded-random": "random",
    "uuid": "uuid gen_random_uuid uuidv4 uuidv7",
    "environment-variable": "getenv",
}
FUNCTIONS: Final = {name: hazard for hazard, names in _FUNCTIONS.items() for name in names.split()}
MOMENTS: Final = frozenset(
    {"current_timestamp", "current_date", "current_time", "localtimestamp", "localtime"}
)
SETTINGS: Final = {"threads": "cpu-count", "worker_threads": "cpu-count", "memory_limit": "host"}
OFF: Final = frozenset({"false", "0", "off", "no"})
BEGINNINGS: Final = frozenset(
    {
        *("select", "with", "copy", "create", "insert", "from", "set", "pragma", "update"),
        *("delete", "attach", "install", "load", "export", "pivot", "unpivot", "values", "table"),
        *("summarize", "describe", "call", "import", "use", "alter", "drop", "merge", "explain"),
        *("force", "reset", "truncate", "begin", "checkpoint", "vacuum"),
    }
)


@dataclass(frozen=True)
class SqlReading:
    """What reading SQL gave.

    Attributes:
        spots: Hazards.
        comments: Its comments.
        unread: Where and why a part could not be parsed, or ``None``.
        single_thread: Whether it sets the number of threads to one.
    """

    spots: tuple[Spot, ...]
    comments: tuple[Comment, ...] = ()
    unread: tuple[int, int, str] | None = None
    single_thread: bool = False


def looks_like_sql(text: str) -> bool:
    """Whether a text begins as a statement does."""
    stripped = text.lstrip("( \t\r\n;")
    while stripped.startswith(("--", "/*")):
        end = stripped.find("\n") if stripped.startswith("--") else stripped.find("*/") + 1
        stripped = stripped[end + 1 :].lstrip("( \t\r\n;") if end > 0 else ""
    word = stripped.split(None, 1)[0].rstrip(";(*").lower() if stripped else ""
    return word in BEGINNINGS


def read_sql(
    source: PlacedText, *, ordered: bool = False, single_thread: bool = False
) -> SqlReading:
    """Find the hazards of one or several statements.

    Args:
        source: The statements.
        ordered: Whether whoever takes the rows puts them in order.
        single_thread: Whether other statements have set the number of threads to one.
    """
    # What it cannot parse as a statement of its own, it would tell on standard error.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        tokens = sqlglot.tokenize(source.text, dialect="duckdb")
    except (SqlglotError, RecursionError, ValueError) as error:
        return SqlReading((), unread=(*source.place(0), _first_line(error)))
    single = single_thread or _sets_one_thread(tokens)
    spots = list(_token_spots(source, tokens))
    unread: tuple[int, int, str] | None = None
    for part in _split(tokens):
        try:
            statement = Statement.parsed(source, part)
        except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError) as error:
            unread = unread or (*source.place(part[0].start), _first_line(error))
            continue
        try:
            spots += order_spots(statement, ordered)
            spots += [] if single else float_spots(statement)
        except RecursionError as error:
            unread = unread or (*source.place(part[0].start), _first_line(error))
    return SqlReading(tuple(spots), tuple(_comments(source)), unread, single)


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].split(" Line ")[0].rstrip(".")[:160]


def _split(tokens: list[Token]) -> Iterator[list[Token]]:
    part: list[Token] = []
    for token in tokens:
        if token.token_type == TokenType.SEMICOLON:
            if part:
                yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


def _token_spots(source: PlacedText, tokens: list[Token]) -> Iterator[Spot]:
    texts = [token.text.lower() for token in tokens]
    seeded = "setseed" in texts
    for i, token in enumerate(tokens):
        word = texts[i]
        after = texts[i + 1] if i + 1 < len(texts) else ""
        before = texts[i - 1] if i else ""
        if token.token_type == TokenType.STRING:
            if REMOTE.match(token.text):
                yield source.spot("network", token.start, f"{token.text[:60]} is read")
            continue
        if token.token_type == TokenType.IDENTIFIER or before == ".":
            continue
        hazard = FUNCTIONS.get(word) if after == "(" else None
        if hazard is not None and not (word == "random" and seeded):
            yield source.spot(hazard, token.start, f"{word}() is not the same in each build")
        elif word in MOMENTS and after != ".":
            yield source.spot("clock", token.start, f"{word} is the time of the build")
        elif word == "install":
            yield source.spot("network", token.start, f"INSTALL {after} fetches an extension")
        elif word == "preserve_insertion_order":
            if after in {"=", "to"} and i + 2 < len(texts) and texts[i + 2] in OFF:
                yield source.spot("insertion-order", token.start, f"{word} is turned off")
        elif word == "current_setting" and i + 2 < len(texts) and texts[i + 2] in SETTINGS:
            hazard = SETTINGS[texts[i + 2]]
            yield source.spot(hazard, token.start, f"the setting {texts[i + 2]} is the machine's")


def _sets_one_thread(tokens: list[Token]) -> bool:
    texts = [token.text.lower() for token in tokens]
    return any(
        texts[i] == "threads" and texts[i + 1] in {"=", "to"} and texts[i + 2] == "1"
        for i in range(len(texts) - 2)
    )


def _comments(source: PlacedText) -> Iterator[Comment]:
    """Comments of one line, outside quotes."""
    text, offset, size = source.text, 0, len(source.text)
    while offset < size:
        if text[offset] in "'\"":
            end = text.find(text[offset], offset + 1)
            offset = size if end < 0 else end + 1
        elif text.startswith("/*", offset):
            end = text.find("*/", offset + 2)
            offset = size if end < 0 else end + 2
        elif text.startswith("--", offset):
            end = text.find("\n", offset)
            end = size if end < 0 else end
            before = text[text.rfind("\n", 0, offset) + 1 : offset]
            yield Comment(*source.place(offset), text[offset + 2 : end], not before.strip())
            offset = end
        else:
            offset += 1
