"""From steps to code: what a recipe's steps are written as becomes the recipe's own."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from d4cbuild.base.archive import TarEntry
from d4cbuild.base.files import staging, write_atomically
from d4cbuild.build.carried import lay_out
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.project import RECIPE_FILE
from d4cbuild.build.stepping import PACKAGE, PROCESS, code_of_steps, with_steps
from d4cbuild.code.history import working_code
from d4cbuild.errors import InputError
from d4cbuild.model.recipe import STEPS_COMMAND, Recipe

_WORDS = ", ".join(f'"{word}"' for word in STEPS_COMMAND)
_COMMAND = f"command = [{_WORDS}]"
_HEADER = re.compile(r"\s*\[\[?\s*(.+?)\s*\]\]?\s*(#.*)?")
_STEPS_HEADER = re.compile(r"build\s*\.\s*steps\b.*")


@dataclass(frozen=True)
class Ejected:
    """What was written.

    Attributes:
        files: Below the recipe's folder.
    """

    files: tuple[str, ...]


def eject(folder: RecipeFolder) -> Ejected:
    """Write a recipe's steps as code into its folder, and let ``recipe.toml`` run that.

    The code that is run is the same as before, to the byte.

    Raises:
        InputError: if the recipe has no steps, or files of these names; nothing is written then.
    """
    recipe = folder.recipe()
    path = folder.path / RECIPE_FILE
    if recipe.build.steps is None:
        raise InputError(
            "the recipe has no steps",
            expected="build.steps",
            found=f"command = {list(recipe.build.run)}",
            where=str(path),
            hint="its code is there to be edited already",
        )
    entries = code_of_steps(recipe)
    with_steps(working_code(folder.path), entries, folder.where)
    text = _with_command(path.read_bytes().decode("utf-8"), recipe, str(path))
    process, package = entries[0], entries[1:]
    with staging(folder.path) as stage:
        below = [TarEntry(e.name.removeprefix(f"{PACKAGE}/"), e.data) for e in package]
        lay_out(stage / PACKAGE, below)
        (stage / PACKAGE).rename(folder.path / PACKAGE)
    write_atomically(folder.path / PROCESS, process.data)
    # Last: until then the recipe is what it was, and says what lies in the way.
    write_atomically(path, text.encode())
    return Ejected((PROCESS, f"{PACKAGE}/", RECIPE_FILE))


def _with_command(text: str, recipe: Recipe, where: str) -> str:
    """``recipe.toml`` with a command instead of steps; what else is in it stays as it is."""
    wanted = recipe.as_json()
    del wanted["build"]["steps"]
    wanted["build"]["command"] = list(STEPS_COMMAND)
    for changed in _candidates(text):
        with suppress(tomllib.TOMLDecodeError, ValueError):
            record = Recipe.model_validate_json(json.dumps(tomllib.loads(changed)))
            if record.as_json() == wanted:
                return changed
    raise InputError(
        "the steps could not be taken out of recipe.toml",
        where=where,
        hint=f"write them as [[build.steps]], one after the other, and nothing between them\n"
        f"or delete them yourself, and write under [build]: {_COMMAND}",
    )


def _candidates(text: str) -> Iterator[str]:
    """The text without its steps, in the ways in which they may stand there."""
    lines = text.splitlines(keepends=True)
    kept, first = _without_tables(lines)
    if first is not None:
        is_there = any(_name(line) == "build" for line in kept)
        if is_there:
            at = next(i for i, line in enumerate(kept) if _name(line) == "build") + 1
            yield "".join([*kept[:at], f"{_COMMAND}\n", *kept[at:]])
        else:
            yield "".join([*kept[:first], f"[build]\n{_COMMAND}\n\n", *kept[first:]])
        return
    for start, line in enumerate(lines):
        if re.match(r"\s*(build\s*\.\s*)?steps\s*=", line):
            key = "build." if line.lstrip().startswith("build") else ""
            for end in range(start + 1, len(lines) + 1):
                yield "".join([*lines[:start], f"{key}{_COMMAND}\n", *lines[end:]])


def _without_tables(lines: list[str]) -> tuple[list[str], int | None]:
    """Lines without ``[[build.steps]]``, and where the first of them stood."""
    kept: list[str] = []
    first = None
    inside = False
    for line in lines:
        name = _name(line)
        if name is not None:
            inside = _STEPS_HEADER.fullmatch(name) is not None
            first = len(kept) if inside and first is None else first
        if not inside:
            kept.append(line)
    return kept, first


def _name(line: str) -> str | None:
    """The name in the header of a table; ``None`` for any other line."""
    match = _HEADER.fullmatch(line.rstrip("\r\n"))
    return None if match is None else match[1]
