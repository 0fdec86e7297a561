"""A ``recipe.toml`` as it lies in its folder: what it says, and all that is wrong with it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from d4cbuild.faults.advising import advice, hidden_characters, order_findings
from d4cbuild.faults.completing import Completed, completed
from d4cbuild.faults.explaining import explained, unlike_folder
from d4cbuild.faults.nearest import nearest
from d4cbuild.faults.spot import RecipeText, quoted
from d4cbuild.faults.syntax import syntax_finding, too_deep
from d4cbuild.hazards.finding import Edit, Finding
from d4cbuild.hazards.toml_places import TomlPlaces, toml_places
from d4cbuild.model.parse import MAXIMUM_TEXT_BYTES
from d4cbuild.model.recipe import Recipe

_FORMAT = "d4c.recipe/1"
_MARK = "\ufeff"


@dataclass(frozen=True)
class Reading:
    """What could be read of a recipe.

    Attributes:
        findings: Everything that is wrong with the file alone.
        data: The file's bytes; empty if they are no text.
        places: Where each key stands.
        known: What the file means; ``None`` if it is no TOML, or of another format.
    """

    findings: tuple[Finding, ...]
    data: bytes
    places: TomlPlaces
    known: Completed | None

    @property
    def recipe(self) -> Recipe | None:
        """The recipe, where nothing is wrong with it."""
        return None if self.known is None else self.known.recipe

    @property
    def guess(self) -> Recipe | None:
        """The recipe with examples in place of what is wrong."""
        return None if self.known is None else self.known.guess

    def is_guessed(self, path: str) -> bool:
        """Whether a field of :attr:`guess` is an example, and not what the file says."""
        return self.known is not None and self.known.is_guessed(path)


def read_recipe(path: Path, folder: str, data: bytes | None = None) -> Reading:
    """Read a file and look at it.

    Args:
        path: The file, as it is shown.
        folder: Name of the folder it lies in.
        data: What is to be taken for the file's bytes, instead of those it has.
    """
    shown = str(path)
    found = _bytes(path) if data is None else data
    text = found if isinstance(found, Finding) else _decoded(found, shown)
    if isinstance(text, Finding):
        return Reading((text,), b"", toml_places(""), None)
    bare = text.removeprefix(_MARK)
    places = toml_places(bare)
    findings, known = _meaning(bare, places, shown, folder)
    findings = [*_line_ends(bare, shown), *findings]
    told = {finding.line for finding in findings if finding.name == "hidden-character"}
    findings += [each for each in hidden_characters(bare, shown) if each.line not in told]
    if bare != text:
        findings = [_byte_order_mark(shown), *(_moved(each, 1) for each in findings)]
        known = None if known is None else replace(known, recipe=None)
    return Reading(tuple(findings), text.encode(), places, known)


def _bytes(path: Path) -> bytes | Finding:
    hint = "name the recipe's folder, such as recipes/statcan-odhf"
    message = f"there is no recipe here: no file {path.name}"
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return _of_file(path, "missing-recipe", message, hint)
    except IsADirectoryError:
        message = f"{path.name} is a folder, not a file"
        hint = f"move the folder away, and write the file {path}"
        return _of_file(path, "missing-recipe", message, hint)
    except OSError as error:
        message, hint = f"cannot be read: {error.strerror}", f"ls -l {path}"
        return _of_file(path, "missing-recipe", message, hint)
    if len(data) > MAXIMUM_TEXT_BYTES:
        message = f"the file has {len(data)} bytes; a recipe has at most {MAXIMUM_TEXT_BYTES}"
        return _of_file(path, "syntax", message, "move data into a file beside it")
    if not data.strip():
        remedy = f"begin with schema = {quoted(_FORMAT)}; README.md shows a first recipe"
        return _of_file(path, "missing-recipe", "the file is empty", remedy)
    return data


def _of_file(path: Path, name: str, message: str, remedy: str) -> Finding:
    return Finding(str(path), 1, 1, name, message, remedy, "error")


def _decoded(data: bytes, shown: str) -> str | Finding:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        message = f"byte {data[error.start]:#04x} is not UTF-8"
        remedy = "save the file as UTF-8 (in most editors: Save with encoding)"
        return Finding(shown, line, column, "encoding", message, remedy, "error")


def _meaning(
    text: str, places: TomlPlaces, shown: str, folder: str
) -> tuple[list[Finding], Completed | None]:
    if places.too_deep:
        return [too_deep(places, shown)], None
    try:
        value: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        return [too_deep(places, shown)], None
    except ValueError as error:
        return [syntax_finding(error, text, places, shown)], None
    recipe = RecipeText(shown, folder, text, value, places)
    wrong = _format(recipe)
    if wrong is not None and not wrong.fix:
        # Of a format that is not known, no field can be said to be wrong.
        return [wrong], None
    found = [] if wrong is None else [wrong]
    try:
        known = completed({**value, "schema": _FORMAT})
        found += [explained(fault, recipe) for fault in known.faults]
        found += advice(recipe, {fault.path for fault in known.faults})
    except RecursionError:
        return [*found, too_deep(places, shown)], None
    other = unlike_folder(recipe)
    found += [] if other is None else [other]
    if known.guess is not None and not known.is_guessed("outputs"):
        found += order_findings(known.guess, recipe)
    exact = known.recipe if wrong is None and other is None else None
    return found, replace(known, recipe=exact)


def _format(recipe: RecipeText) -> Finding | None:
    """What is wrong with the field ``schema``; has a fix if it is plain what is meant."""
    given = recipe.value.get("schema")
    if given == _FORMAT:
        return None
    write = f"schema = {quoted(_FORMAT)}"
    if "schema" not in recipe.value:
        start = _first_line(recipe.text)
        blank = "" if recipe.text[start : start + 1] in ("\n", "\r", "") else "\n"
        fix = (Edit(start, start, f"{write}\n{blank}"),)
        message = "the line that names the format is missing"
        return recipe.finding("schema", "format", message, f"begin with {write}", "error", fix)
    newer = isinstance(given, str) and re.fullmatch(r"d4c\.recipe/\d+", given) is not None
    meant = not isinstance(given, str) or nearest(given, [_FORMAT]) is not None
    message = f"this version of d4cbuild does not know the format {str(given)[:100]!r}"
    if newer or not meant:
        remedy = f"if it is newer, update d4cbuild; else write {write}"
        return recipe.finding("schema", "format", message, remedy)
    edits = recipe.replacing("schema", quoted(_FORMAT))
    return recipe.finding("schema", "format", message, f"write {write}", "error", edits)


def _first_line(text: str) -> int:
    """Where the first line goes: behind a directive for editors, which must be the first itself."""
    end = text.find("\n") + 1
    return end if text.startswith("#:") and end else 0


def _line_ends(text: str, shown: str) -> list[Finding]:
    first = text.find("\r\n")
    if first < 0:
        return []
    line = text.count("\n", 0, first) + 1
    column = first - (text.rfind("\n", 0, first) + 1) + 1
    edits = tuple(Edit(m.start(), m.start() + 1, "") for m in re.finditer(r"\r\n", text))
    message = "lines end with CR LF, as on Windows"
    remedy = "save the file with the line ends of Linux (LF)"
    return [Finding(shown, line, column, "line-ends", message, remedy, "warning", None, edits)]


def _byte_order_mark(shown: str) -> Finding:
    message = "the file begins with a byte order mark, which TOML does not allow"
    remedy = "save the file as UTF-8 without it"
    fix = (Edit(0, 1, ""),)
    return Finding(shown, 1, 1, "byte-order-mark", message, remedy, "error", None, fix)


def _moved(finding: Finding, by: int) -> Finding:
    """A finding with its edits in a file that has more characters in front."""
    edits = tuple(Edit(e.start + by, e.end + by, e.text) for e in finding.fix)
    return replace(finding, fix=edits)
