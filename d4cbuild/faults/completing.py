"""A recipe with faults, completed by examples, so that what else is wrong with it can be seen.

A record is checked as a whole only once each of its fields can be read. So what cannot be read is
replaced by an example, and the rest is looked at again. What depends on an example is not told.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from d4cbuild.faults.forms import FORMS, STEP_KEYS, form_of, general, snippet
from d4cbuild.faults.nearest import nearest
from d4cbuild.model.parse import Fault, examined
from d4cbuild.model.recipe import Recipe

_ROUNDS = 8
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_COLUMN: Final = re.compile(r"(outputs\[\d+\]\.columns\[\d+\])\.")
_OUTPUT: Final = re.compile(r"(outputs\[\d+\])(?:\.|$)")
_TABLES: Final = ("dataset", "sources", "build", "parameters", "outputs", "outputs[].columns")
_ALONE: Final = frozenset(
    {
        *("id", "title", "description", "keywords", "en", "fr", "url", "member", "mirrors"),
        *("licence", "attribution", "redistributable", "rows", "schema"),
    }
)
"""Fields that no other field has to fit."""

_NAMES: Final = ("sources[].name", "outputs[].name", "outputs[].columns[].name")


@dataclass(frozen=True)
class Completed:
    """A recipe as far as it can be understood.

    Attributes:
        recipe: The recipe as it is written; ``None`` if anything is wrong with it.
        guess: The recipe with examples in place of what is wrong; ``None`` if that did not help.
        guessed: Paths of what is in ``guess`` but not written so.
        faults: Everything that is wrong.
    """

    recipe: Recipe | None
    guess: Recipe | None
    guessed: frozenset[str]
    faults: tuple[Fault, ...]

    def is_guessed(self, path: str) -> bool:
        """Whether a field, or what it lies in or holds, is an example."""
        return any(_within(path, each) or _within(each, path) for each in self.guessed)


def completed(value: dict[str, Any]) -> Completed:
    """Look at a recipe again and again, until nothing new is found.

    Args:
        value: What the file says.

    Raises:
        RecursionError: if it is nested too deeply.
    """
    recipe, faults = examined(Recipe, value)
    if recipe is not None:
        return Completed(recipe, recipe, frozenset(), ())
    work = _Work(copy.deepcopy(value))
    found: list[Fault] = []
    guess = None
    for _ in range(_ROUNDS):
        new = [each for each in work.believed(faults) if each not in found]
        found += new
        if guess is not None or not work.replace_all(faults):
            break
        guess, faults = examined(Recipe, work.value)
    return Completed(None, guess, frozenset(work.guessed), tuple(found))


def known_keys(path: str, table: Any = None) -> list[str]:
    """The keys that a table can have.

    Args:
        path: The table; empty for the whole file.
        table: What it holds, where its keys depend on that.
    """
    if general(path) == "build.steps[]":
        kind = table.get("step") if isinstance(table, dict) else None
        return STEP_KEYS.get(kind, []) if isinstance(kind, str) else []
    around = f"{general(path)}." if path else ""
    names = [each[len(around) :] for each in (*FORMS, *_TABLES) if each.startswith(around)]
    return sorted({name for name in names if "." not in name and "[" not in name})


def meant_key(path: str, present: Any) -> str | None:
    """The known key that an unknown one may have been meant as, if that is not there already."""
    around, _, last = path.rpartition(".")
    meant = nearest(last, known_keys(around, present))
    return meant if isinstance(present, dict) and meant not in present else None


def steps(path: str) -> list[str | int]:
    """A path as keys and positions."""
    return [int(number) if number else name for number, name in _STEP.findall(path)]


def value_at(value: Any, path: str) -> Any:
    """What stands at a path; ``None`` if nothing does."""
    for step in steps(path):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


class _Work:
    """The value that is completed, and where it was."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value
        self.guessed: set[str] = set()

    def believed(self, faults: Sequence[Fault]) -> list[Fault]:
        """Faults of the file, without those of examples, and of keys that have another name."""
        renamed = {self._meant(fault.path) for fault in faults if fault.kind == "extra_forbidden"}
        return [
            fault
            for fault in faults
            if self._is_of_file(fault) and not (fault.kind == "missing" and fault.path in renamed)
        ]

    def replace_all(self, faults: Sequence[Fault]) -> bool:
        """Put examples in the place of all that is wrong; says whether that could be done."""
        order = ("extra_forbidden", "missing")
        rank = {"misfit": 3, **{kind: place for place, kind in enumerate(order)}}
        before = frozenset(self.guessed)
        for fault in sorted(faults, key=lambda each: rank.get(each.kind, 2)):
            if any(_within(fault.path, each) for each in self.guessed - before - {fault.path}):
                continue  # what it lies in is an example by now
            if fault.kind == "missing" and value_at(self.value, fault.path) is not None:
                continue  # it was there under another name
            if not self._replace(fault):
                return False
        return True

    def _is_of_file(self, fault: Fault) -> bool:
        column, output = _COLUMN.match(fault.path), _OUTPUT.match(fault.path)
        if fault.kind != "misfit":
            return not any(_within(fault.path, each) for each in self.guessed)
        scope = column[1] if column else output[1] if output else ""
        return not any(_matters(each, fault, scope) for each in self.guessed)

    def _replace(self, fault: Fault) -> bool:
        path = fault.path
        if fault.kind == "extra_forbidden":
            return self._rename(path)
        if path == "build" or path.startswith("build.steps"):
            return self._run_a_command()
        if fault.kind == "misfit":
            output, column = _OUTPUT.match(path), _COLUMN.match(path)
            if path.endswith(".rows.max") or (column and not path.endswith(".name")):
                return self._drop(_up_to_key(path))
            if output and not column and not path.endswith((".name", ".file")):
                path = output[1]
        return self._put(path)

    def _put(self, path: str) -> bool:
        example = self._example(path)
        place = steps(path)
        if example is None or not place:
            return self._drop(_up_to_key(path))
        holder = value_at(self.value, _path_above(path))
        try:
            holder[place[-1]] = example
        except (TypeError, IndexError):
            return False
        self.guessed.add(path)
        return True

    def _example(self, path: str) -> Any:
        # Names must differ, also those of examples.
        name = f"example{len(self.guessed)}"
        if general(path) in _NAMES:
            return name
        if general(path) == "outputs[].sort_by":
            first = value_at(self.value, f"{_path_above(path)}.columns[0].name")
            return [first] if isinstance(first, str) else ["id"]
        text, form = snippet(path), form_of(path)
        if text is not None:
            example = _parsed(text, path)
            return {**example, "name": name} if path.endswith("]") else example
        if form is None:
            return None
        return form.value[0] if path.endswith("]") and isinstance(form.value, list) else form.value

    def _run_a_command(self) -> bool:
        build = self.value.get("build")
        if not isinstance(build, dict):
            return self._put("build")
        build.pop("steps", None)
        build["command"] = FORMS["build.command"].value
        self.guessed |= {"build.command", "build.steps"}
        return True

    def _drop(self, path: str) -> bool:
        place = steps(path)
        holder = value_at(self.value, _path_above(path))
        if not place or not isinstance(holder, dict) or place[-1] not in holder:
            return False
        del holder[place[-1]]
        self.guessed.add(path)
        return True

    def _rename(self, path: str) -> bool:
        around, _, last = path.rpartition(".")
        meant = self._meant(path)
        if meant is None:
            return self._drop(path)
        holder = value_at(self.value, around)
        holder[steps(meant)[-1]] = holder.pop(last)
        return True

    def _meant(self, path: str) -> str | None:
        """The path that an unknown key was probably meant to have."""
        around = path.rpartition(".")[0]
        meant = meant_key(path, value_at(self.value, around))
        return None if meant is None else f"{around}.{meant}".lstrip(".")


def _matters(guessed: str, fault: Fault, scope: str) -> bool:
    """Whether a contradiction may be one with an example."""
    if not (_within(guessed, scope) or _within(scope, guessed)):
        return False
    last = guessed.rpartition(".")[2]
    if _COLUMN.match(guessed) and not _COLUMN.match(f"{scope}."):
        return last == "name" or (last == "type" and "no declared column" not in fault.message)
    return last not in _ALONE


def _parsed(text: str, path: str) -> Any:
    value: Any = tomllib.loads(text)
    for step in general(path).replace("[]", "").split("."):
        value = value[0][step] if isinstance(value, list) else value[step]
    return value[0] if path.endswith("]") else value


def _within(path: str, around: str) -> bool:
    return not around or path == around or path.startswith((f"{around}.", f"{around}["))


def _path_above(path: str) -> str:
    return path[: max(path.rfind("."), path.rfind("["), 0)]


def _up_to_key(path: str) -> str:
    return re.sub(r"\[\d+\]$", "", path)
