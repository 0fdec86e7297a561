"""What a recipe's reader accepts, and its author would still want to know."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from math import prod
from typing import Any, Final

from d4cbuild.faults.spot import RecipeText, quoted
from d4cbuild.faults.suggesting import PROVINCES, suggestion
from d4cbuild.hazards.finding import Finding
from d4cbuild.model.licences import KNOWN
from d4cbuild.model.recipe import Recipe, sort_column

_TODO = re.compile(r"\bTODO\b")
_HIDDEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


def advice(recipe: RecipeText, wrong: Collection[str]) -> Iterator[Finding]:
    """Findings about texts, names and licences of a file that is TOML.

    Args:
        recipe: The file.
        wrong: Paths of which something is said already.
    """
    for path, value in _texts(recipe.value, ""):
        if _TODO.search(value) and path not in wrong:
            remedy = "write what belongs there"
            yield recipe.finding(path, "unfinished", "it still says TODO", remedy, "warning")
    for path in _bilingual_paths(recipe.value):
        yield from _languages(path, recipe)
    yield from _keywords(recipe)
    yield from _names(recipe)
    for i, _ in enumerate(_list(recipe.value, "sources")):
        yield from _licence(f"sources[{i}].licence", recipe)


def hidden_characters(text: str, shown: str) -> Iterator[Finding]:
    """Characters that nobody sees, wherever they stand, one finding for each line."""
    for number, line in enumerate(text.split("\n"), 1):
        match = _HIDDEN.search(line)
        if match is not None:
            message = f"U+{ord(match[0]):04X}, which nobody sees, and which may make a text read as"
            message += " another"
            remedy = "take it away; type the text around it anew"
            place = number, match.start() + 1
            yield Finding(shown, *place, "hidden-character", message, remedy, "warning")


def order_findings(recipe: Recipe, text: RecipeText) -> Iterator[Finding]:
    """Orders that are certainly not total: fewer keys are possible than there are rows."""
    for i, output in enumerate(recipe.outputs):
        columns = {column.name: column for column in output.columns}
        keys = [columns[key] for key in map(sort_column, output.sort_by) if key in columns]
        counts = [_possible(column.model_dump()) for column in keys]
        possible = prod(count for count in counts if count is not None)
        if not keys or None in counts or possible >= output.rows.min:
            continue
        message = (
            f"at least {output.rows.min} rows are wanted, but these columns can have only"
            f" {possible} different values, so rows would share a place"
        )
        remedy = "end sort_by with a column that identifies a row"
        yield text.finding(f"outputs[{i}].sort_by", "contradiction", message, remedy)


def _possible(column: dict[str, Any]) -> int | None:
    """How many values a column can have; ``None`` if that is not known."""
    absent = 1 if column["nullable"] else 0
    if column["enum"] is not None:
        return len(column["enum"]) + absent
    if column["type"] == "boolean":
        return 2 + absent
    bits = re.fullmatch(r"u?int(8|16)", column["type"])
    low, high = column["min"], column["max"]
    if bits and isinstance(low, int) and isinstance(high, int):
        return max(high - low + 1, 0) + absent
    return (1 << int(bits[1])) + absent if bits else None


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{i}]")


def _list(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _bilingual_paths(value: dict[str, Any]) -> Iterator[str]:
    yield from ("dataset.title", "dataset.description")
    yield from (f"sources[{i}].attribution" for i, _ in enumerate(_list(value, "sources")))
    for i, output in enumerate(_list(value, "outputs")):
        yield f"outputs[{i}].title"
        for j, _ in enumerate(_list(output, "columns")):
            yield f"outputs[{i}].columns[{j}].description"


def _languages(path: str, recipe: RecipeText) -> Iterator[Finding]:
    texts = recipe.at(path)
    en, fr = (texts.get("en"), texts.get("fr")) if isinstance(texts, dict) else (None, None)
    if not isinstance(en, str) or not isinstance(fr, str) or _TODO.search(en):
        return
    # Single words are often the same: "Province", "Nunavut".
    if en.split() == fr.split() and len(en.split()) > 1:
        message = "English and French are the same words"
        remedy = "write the French in French"
        yield recipe.finding(f"{path}.fr", "same-text", message, remedy, "warning")


def _keywords(recipe: RecipeText) -> Iterator[Finding]:
    words = recipe.at("dataset.keywords")
    if not isinstance(words, dict):
        return
    for here, there, language in (("en", "fr", "French"), ("fr", "en", "English")):
        if words.get(here) and not words.get(there):
            message = f"there are search words in one language, but none in {language}"
            remedy = f'add {there} = ["…"]'
            yield recipe.finding("dataset.keywords", "bilingual", message, remedy, "warning")


def _names(recipe: RecipeText) -> Iterator[Finding]:
    topic, region = recipe.at("dataset.topic"), recipe.at("dataset.region")
    if isinstance(topic, str) and re.fullmatch(r"[a-z0-9_]+(-[a-z0-9_]+)+", topic):
        message = "words of a topic are joined by '_', by the naming convention"
        remedy = f"write topic = {quoted(topic.replace('-', '_'))}"
        yield recipe.finding("dataset.topic", "naming", message, remedy, "warning")
    is_part = isinstance(region, str) and re.fullmatch(r"ca-[a-z0-9]+", region)
    if is_part and region not in PROVINCES:
        message = f"there is no province or territory {region!r}"
        remedy = f"write one of {', '.join(PROVINCES)}, or ca"
        yield recipe.finding("dataset.region", "naming", message, remedy, "warning")


_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{1,99}")


def _licence(path: str, recipe: RecipeText) -> Iterator[Finding]:
    """Licences of the right form that are none, or none that is known here."""
    given = recipe.at(path)
    if not isinstance(given, str) or given.startswith("LicenseRef-") or given in KNOWN:
        return
    if _IDENTIFIER.fullmatch(given) is None:
        return  # its reader says so
    better = suggestion(path, given, quoted(given))
    message = f"{given!r} is no identifier of SPDX that is known here"
    look = "look for it at https://spdx.org/licenses; if it is not there, write LicenseRef-Name"
    if better is None:
        yield recipe.finding(path, "licence", message, look, "warning")
    elif better.certain:
        fix = recipe.replacing(path, better.toml)
        yield recipe.finding(
            path, "licence", message, f"write licence = {better.toml}", "error", fix
        )
    else:
        yield recipe.finding(path, "licence", message, f"{better.toml}? else {look}", "warning")
