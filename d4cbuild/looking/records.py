"""Nested files: where the records in a JSON or XML file are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from d4cbuild.looking.names import snake
from d4cbuild.looking.notes import Note, NotReadable, few, plain

_DEPTH = 12


@dataclass(frozen=True)
class Records:
    """How records are read.

    Attributes:
        options: Those of the read step.
        notes: What could be otherwise.
    """

    options: dict[str, Any]
    notes: tuple[Note, ...]


def look_at_json(data: bytes, name: str) -> list[Records]:
    """Find lists of records, the one with the most records first.

    Raises:
        NotReadable: if there are none.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NotReadable(f"{name} is no JSON: {error}") from error
    counts: Counter[str] = Counter()
    for path in _paths(value, "", 0):
        counts[path] += 1
    if isinstance(value, dict):
        counts[""] += 1
    if not counts:
        raise NotReadable(f"{name} has no records: no list of objects")
    ranked = sorted(counts, key=lambda path: (-counts[path], path.count("."), path))
    found = []
    for path in ranked:
        options = {"records": path} if path not in ("", "[]") else {}
        others = [f"{other or 'the whole'} ({counts[other]})" for other in ranked if other != path]
        text = f"{counts[path]} records at {path or 'its top'}; others at {', '.join(others[:6])}"
        write = "records = another of these paths in the read step"
        notes = (Note("records", text, 60, write),) if others else ()
        found.append(Records(options, notes))
    return found


def _paths(value: Any, path: str, depth: int) -> Iterator[str]:
    """The path of each object in a list, once for each object."""
    if depth > _DEPTH:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict):
                yield f"{path}[]"
                yield from _paths(inner, f"{path}[]", depth + 1)


def look_at_xml(data: bytes, name: str) -> list[Records]:
    """Find elements that are rows, the one with the most first.

    Raises:
        NotReadable: if there are none.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise NotReadable(f"{name} is no XML: {error}") from error
    counts: Counter[str] = Counter()
    rows: dict[str, list[Any]] = {}
    for element in root.iter(etree.Element):
        if len(element) and element is not root:
            path = _path(element, root)
            counts[path] += 1
            rows.setdefault(path, []).append(element)
    # What is there once is no list; what is in a row of another list is part of that row.
    lists = [path for path in counts if counts[path] > 1] or list(counts)
    if not lists:
        raise NotReadable(f"{name} has no elements that hold others, so no records")
    ranked = sorted(lists, key=lambda path: (-counts[path] * _breadth(rows[path]), path))
    return [_xml_records(path, rows[path], ranked, counts) for path in ranked[:6]]


def _breadth(rows: list[Any]) -> int:
    return len(dict(_leaves(rows[0], "")))


def _xml_records(path: str, rows: list[Any], ranked: list[str], counts: Counter[str]) -> Records:
    namespaces = {prefix: uri for row in rows[:1] for prefix, uri in row.nsmap.items() if prefix}
    columns: dict[str, str] = {}
    many: set[str] = set()
    for row in rows:
        leaves = list(_leaves(row, ""))
        many |= {where for where, count in Counter(w for w, _ in leaves).items() if count > 1}
        for where, words in leaves:
            columns.setdefault(where, words)
    notes = []
    others = [f"{other} ({counts[other]})" for other in ranked if other != path]
    if others:
        text = f"{counts[path]} records at {path}; others at {', '.join(others[:6])}"
        notes.append(Note("records", text, 60, "records = another of these paths"))
    if many:
        text = f"there several times in a row, and only the first taken: {few(sorted(many))}"
        notes.append(Note("columns", text, 40, "paths of their own in columns of the read step"))
    named: dict[str, str] = {}
    for where, words in columns.items():
        base = snake(words, 60) or "value"
        base = base if base[0].isalpha() else f"c_{base}"
        label, count = base, 1
        while label in named:
            count += 1
            label = f"{base}_{count}"
        named[label] = f"({where})[1]" if where in many else where
    if not named:
        raise NotReadable(f"elements at {path} hold no text")
    options: dict[str, Any] = {"records": path, "columns": named}
    if namespaces:
        options["namespaces"] = namespaces
    return Records(options, tuple(notes))


def _path(element: Any, root: Any) -> str:
    parts = []
    while element is not root:
        parts.append(_step(element))
        element = element.getparent()
    return "/".join(reversed(parts))


def _step(element: Any) -> str:
    prefix = element.prefix
    local = element.tag.rpartition("}")[2]
    if element.tag.startswith("{") and prefix is None:
        return f"*[local-name()='{plain(local, 80)}']"
    return f"{prefix}:{local}" if prefix else str(local)


def _leaves(element: Any, above: str, words: str = "") -> Iterator[tuple[str, str]]:
    """Where texts are within a row: the path of each, and words to name it by."""
    for name in element.attrib:
        if not name.startswith("{"):
            yield (f"{above}/@{name}" if above else f"@{name}"), f"{words} {name}"
    for child in element:
        if not isinstance(child.tag, str):
            continue
        step = _step(child)
        where = f"{above}/{step}" if above else step
        local = child.tag.rpartition("}")[2]
        if len(child):
            yield from _leaves(child, where, f"{words} {local}")
        else:
            yield where, f"{words} {local}"
            for name in child.attrib:
                if not name.startswith("{"):
                    yield f"{where}/@{name}", f"{words} {local} {name}"
