"""JSON Schemas of the files that people write, for their editors."""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

WRITTEN: Final = {
    "recipe": ("recipe", "Recipe"),
    "environment": ("environment", "Environment"),
    "trust": ("trust", "Trust"),
    "settings": ("settings", "Settings"),
}
"""The files, each with the module and the record that define it."""


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a file.

    The text under each field of a record is its description. What only code can check (a total
    order, names that must differ) is not in a schema; ``d4cbuild check`` says it.

    Args:
        name: One of :data:`WRITTEN`.
    """
    module, record = WRITTEN[name]
    kind: type[BaseModel] = getattr(import_module(f"d4cbuild.model.{module}"), record)
    schema = kind.model_json_schema(by_alias=True)
    texts = _texts()
    for defined in (schema, *schema.get("$defs", {}).values()):
        _describe(defined, texts.get(str(defined.get("title")), {}))
    return {"$schema": DIALECT, **schema, "title": f"{name}.toml"}


def _describe(schema: dict[str, Any], texts: dict[str, str]) -> None:
    """Give fields their texts, and leave out what TOML cannot say."""
    for name, field in schema.get("properties", {}).items():
        field.pop("title", None)
        if field.get("default", ...) is None:
            del field["default"]
        choices = [each for each in field.get("anyOf", ()) if each != {"type": "null"}]
        if len(choices) == 1:
            del field["anyOf"]
            field.update(choices[0])
        elif choices:
            field["anyOf"] = choices
        if name in texts:
            field["description"] = texts[name]
    if "description" in schema:
        schema["description"] = _plain(schema["description"])


@cache
def _texts() -> dict[str, dict[str, str]]:
    """The text under each field, by the record's name and the field's name in files."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                # A record has the fields of those it is made from; these stand before it.
                bases = [found.get(ast.unparse(base), {}) for base in node.bases]
                above = {name: text for base in bases for name, text in base.items()}
                found[node.name] = above | dict(_fields(node))
    return found


def _fields(record: ast.ClassDef) -> list[tuple[str, str]]:
    fields = []
    for field, text in zip(record.body, record.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            name = _alias(field.annotation) or field.target.id
            fields.append((name, _plain(text.value.value)))
    return fields


def _alias(annotation: ast.expr) -> str | None:
    """The name in files, where that is no name in Python: ``class``, ``schema``."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.keyword) and node.arg == "alias":
            return str(ast.literal_eval(node.value))
    return None


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split())
