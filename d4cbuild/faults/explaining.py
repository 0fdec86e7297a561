"""A fault of a field, as its reader tells it, in the words of somebody who is to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from typing import Any, Final

from d4cbuild.faults.completing import known_keys, meant_key
from d4cbuild.faults.forms import STEP_KEYS, TEXT, form_of, general, snippet
from d4cbuild.faults.misfits import misfit_remedy
from d4cbuild.faults.nearest import nearest
from d4cbuild.faults.spot import RecipeText, quoted
from d4cbuild.faults.suggesting import Suggestion, chosen, of_kind, suggestion
from d4cbuild.hazards.finding import Edit, Finding
from d4cbuild.model.parse import Fault

_NAMES: Final = frozenset(
    {
        *("dataset.id", "dataset.region", "dataset.source", "dataset.dguid", "dataset.package"),
        *("dataset.topic", "dataset.variant", "dataset.vintage", "dataset.version"),
        *("sources[].name", "outputs[].name", "outputs[].file"),
    }
)
"""Fields that make names of files."""

_IDENTIFIER: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_WANTED: Final = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list in brackets: [ … ]",
    "model_type": "a table",
    "dict_type": "a table",
}


def explained(fault: Fault, recipe: RecipeText) -> Finding:
    """A fault as a finding, with what to write instead."""
    value = recipe.at(fault.path)
    if isinstance(value, str) and value.strip() == "TODO":
        return _suggested(fault.path, "unfinished", "it still says TODO", recipe)
    explain = _KINDS.get(fault.kind)
    if explain is None and fault.kind.endswith("_type"):
        explain = _wrong_type
    if explain is None and isinstance(value, dict):
        explain = _misfit  # its fields are right, but not together
    return (explain or _wrong_value)(fault, recipe)


def _unknown_key(fault: Fault, recipe: RecipeText) -> Finding:
    around, _, last = fault.path.rpartition(".")
    holder = recipe.at(around) if around else recipe.value
    meant, known = meant_key(fault.path, holder), known_keys(around, holder)
    message = f"{_header(around)} has no such key" if around else "a recipe has no such key"
    if meant is not None:
        fix = recipe.renaming(fault.path, meant)
        return recipe.finding(
            fault.path, "unknown-key", message, f"did you mean {meant}?", "error", fix
        )
    twin = nearest(last, known)
    if twin is not None:
        remedy = f"perhaps it is {twin}, but that is there already: keep one of the two"
    elif known:
        remedy = f"take it away; keys are: {', '.join(known)}"
    else:
        remedy = "take it away"
    return recipe.finding(fault.path, "unknown-key", message, remedy)


def _missing(fault: Fault, recipe: RecipeText) -> Finding:
    around, _, last = fault.path.rpartition(".")
    form, lines = form_of(fault.path), snippet(fault.path)
    if last in ("en", "fr") and form is TEXT:
        language = "English" if last == "en" else "French"
        remedy = f'add {last} = "…": both official languages are needed'
        return recipe.finding(fault.path, "bilingual", f"the {language} is missing", remedy)
    if fault.path == "schema":
        remedy = 'begin the file with schema = "d4c.recipe/1"'
        return recipe.finding("schema", "format", "it is missing", remedy)
    if lines is not None:
        remedy = f"add, for example:\n{lines}"
    elif form is not None:
        remedy = f"add under {_header(around)}: {last} = {form.example}\n{form.words}"
    else:
        remedy = "see d4cbuild/spec/recipe-1.md for what it holds"
    return recipe.finding(fault.path, "missing-field", "it is missing", remedy)


def _wrong_type(fault: Fault, recipe: RecipeText) -> Finding:
    value = recipe.at(fault.path)
    wanted = _WANTED.get(fault.kind, "another kind of value")
    form = form_of(fault.path)
    if form is not None and form.example.startswith("{ en ="):
        wanted = "a table of both languages"
    message = f"expected {wanted}, found {_shown(value)}"
    if (brackets := _other_brackets(fault, recipe)) is not None:
        return brackets
    if snippet(fault.path) is not None:
        remedy = f"write, for example:\n{snippet(fault.path)}"
        return recipe.finding(fault.path, "wrong-type", message, remedy)
    better = of_kind(fault.kind, fault.path, value)
    if better is None and form is None:
        return recipe.finding(fault.path, "wrong-type", message, f"write {wanted}")
    return _suggested(fault.path, "wrong-type", message, recipe, better)


def _other_brackets(fault: Fault, recipe: RecipeText) -> Finding | None:
    """The finding for ``[outputs]`` that should be ``[[outputs]]``, or the other way round."""
    value, span = recipe.at(fault.path), recipe.places.spans.get(fault.path)
    plain = general(fault.path).replace("[]", "")
    if span is None or span.key is None or recipe.text[span.start : span.start + 1] != "[":
        return None
    last = recipe.text.find("]", span.key[1])
    if fault.kind == "tuple_type" and isinstance(value, dict):
        edits = Edit(span.start, span.start, "["), Edit(last, last, "]")
        message = "there may be several, so its header has two brackets"
        remedy = f"write [[{plain}]]"
        return recipe.finding(fault.path, "wrong-type", message, remedy, "error", edits)
    if fault.kind == "model_type" and isinstance(value, list) and len(value) == 1:
        edits = Edit(span.start, span.start + 1, ""), Edit(last, last + 1, "")
        message = "there is only one, so its header has one bracket"
        remedy = f"write [{plain}]"
        return recipe.finding(fault.path, "wrong-type", message, remedy, "error", edits)
    return None


def _no_choice(fault: Fault, recipe: RecipeText) -> Finding:
    """A value that is none of a list, which is in the message."""
    choices, value = re.findall("'([^']*)'", fault.message), recipe.at(fault.path)
    text = value if isinstance(value, str) else f"EPSG:{value}"
    message = f"{fault.message.replace('Input should be', 'expected', 1)}, found {fault.got}"
    better = chosen(text, choices)
    if better is None and form_of(fault.path) is None:
        remedy = f"write one of {', '.join(choices)}"
        return recipe.finding(fault.path, "wrong-value", message, remedy)
    return _suggested(fault.path, "wrong-value", message, recipe, better)


def _no_step(fault: Fault, recipe: RecipeText) -> Finding:
    """A step of no kind, or of one that there is not."""
    path = f"{fault.path}.step"
    given, kinds = recipe.at(path), ", ".join(STEP_KEYS)
    if given is None:
        return recipe.finding(path, "missing-field", "it is missing", f"add step = one of {kinds}")
    better = chosen(str(given), list(STEP_KEYS))
    message = f"there is no step {str(given)[:60]!r}"
    remedy = f"write one of {kinds}" if better is None else f"perhaps write step = {better.toml}"
    fix = recipe.replacing(path, better.toml) if better and better.certain else ()
    return recipe.finding(path, "wrong-value", message, remedy, "error", fix)


def _toml_date(fault: Fault, recipe: RecipeText) -> Finding:
    raw = recipe.raw(fault.path)
    message = "a date or time is written as text, in quotes"
    if not raw:
        return recipe.finding(fault.path, "wrong-type", message, "put it in quotes")
    fix = recipe.replacing(fault.path, quoted(raw))
    remedy = f"write {_key(fault.path)}{quoted(raw)}"
    return recipe.finding(fault.path, "wrong-type", message, remedy, "error", fix)


def _wrong_value(fault: Fault, recipe: RecipeText) -> Finding:
    where = general(fault.path)
    name = "naming" if where in _NAMES else "wrong-value"
    name = "licence" if where == "sources[].licence" else name
    if where == "dataset.id":
        return _identifier(fault, recipe)
    message = fault.message
    if message[1:2].islower():
        message = message[:1].lower() + message[1:]
    if fault.got and fault.kind != "value_error":
        message = f"{message}, found {fault.got}"
    if where.rpartition(".")[2] == "type" and "; expected " in message:
        message = message.partition("; expected ")[0]
    if fault.kind == "string_too_short":
        message = "there is no text"
        name = "bilingual" if form_of(fault.path) is TEXT else name
    if "control character" in message:
        remedy = "type the text anew, without what cannot be seen"
        return recipe.finding(fault.path, "hidden-character", message, remedy)
    if fault.kind == "no-json":
        return recipe.finding(fault.path, name, message, _JSON_REMEDY)
    return _suggested(fault.path, name, message, recipe)


_JSON_REMEDY: Final = "write it as text, in quotes, and let the code read it from there"


def _identifier(fault: Fault, recipe: RecipeText) -> Finding:
    """An id that is none: if the folder's name is one, that is the one right answer."""
    if _is_identifier(recipe.folder):
        fix = recipe.replacing(fault.path, quoted(recipe.folder))
        remedy = f"write id = {quoted(recipe.folder)}, the folder's name"
        return recipe.finding(fault.path, "naming", fault.message, remedy, "error", fix)
    better = suggestion(fault.path, recipe.at(fault.path), "")
    example = '"example"' if better is None else better.toml
    remedy = f"write id = {example}, and give the folder the same name: git mv"
    return recipe.finding(fault.path, "naming", fault.message, remedy)


def unlike_folder(recipe: RecipeText) -> Finding | None:
    """The finding for an id that is not the folder's name."""
    given = recipe.at("dataset.id")
    if not isinstance(given, str) or not _is_identifier(given) or given == recipe.folder:
        return None
    message = f"the recipe's folder is named {recipe.folder!r}, not {given!r}"
    if not _is_identifier(recipe.folder):
        remedy = f"rename the folder: git mv … {given}"
        return recipe.finding("dataset.id", "naming", message, remedy)
    fix = recipe.replacing("dataset.id", quoted(recipe.folder))
    remedy = f"write id = {quoted(recipe.folder)}, or rename the folder with git mv"
    return recipe.finding("dataset.id", "naming", message, remedy, "error", fix)


def _is_identifier(text: str) -> bool:
    return _IDENTIFIER.fullmatch(text) is not None


def _misfit(fault: Fault, recipe: RecipeText) -> Finding:
    remedy = misfit_remedy(fault, recipe)
    name = "naming" if fault.message.startswith("the file name") else "contradiction"
    name = "mirror" if ".mirrors[" in fault.path else name
    return recipe.finding(fault.path, name, fault.message, remedy)


def _suggested(
    path: str, name: str, message: str, recipe: RecipeText, better: Suggestion | None = None
) -> Finding:
    """A finding with what was probably meant, or else with how such a field is written."""
    better = better or suggestion(path, recipe.at(path), recipe.raw(path))
    form = form_of(path)
    words = "" if form is None or form is TEXT else form.words
    if better is not None:
        fix = recipe.replacing(path, better.toml) if better.certain else ()
        remedy = f"{'' if better.certain else 'perhaps '}write {_key(path)}{better.toml}"
        return recipe.finding(
            path, name, message, remedy if better.certain or not words else f"{remedy}\n{words}",
            "error", fix,
        )  # fmt: skip
    if form is None:
        return recipe.finding(path, name, message, "see d4cbuild/spec/recipe-1.md")
    if path.endswith("]"):
        return recipe.finding(path, name, message, f"write {words or 'text in quotes'}")
    remedy = f"write {_key(path)}{form.example}, for example" + (f"\n{words}" if words else "")
    return recipe.finding(path, name, message, remedy)


def _header(path: str) -> str:
    """How a table begins in the file: ``[build]``, ``[[outputs.columns]]``."""
    name = general(path)
    plain = name.replace("[]", "")
    return f"[[{plain}]]" if name.endswith("[]") else f"[{plain}]"


def _key(path: str) -> str:
    return "" if path.endswith("]") else f"{path.rpartition('.')[2]} = "


def _shown(value: Any) -> str:
    """A value for a message: what it is, and what it says where that is short."""
    if isinstance(value, str):
        return f"the text {quoted(value)}" if len(value) <= 60 else "a text"
    return str(value) if isinstance(value, float) else _kind(value)


def _kind(value: Any) -> str:
    names: list[tuple[Any, str]] = [
        (bool, "true or false"),
        (int, "a whole number"),
        (float, "a number"),
        (list, "a list"),
        (dict, "a table"),
        ((date, time), "a date or time"),
    ]
    return next((name for kind, name in names if isinstance(value, kind)), "nothing")


_KINDS: Final[dict[str, Callable[[Fault, RecipeText], Finding]]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "int_from_float": _wrong_type,
    "literal_error": _no_choice,
    "union_tag_invalid": _no_step,
    "union_tag_not_found": _no_step,
    "toml-date": _toml_date,
    "misfit": _misfit,
}
