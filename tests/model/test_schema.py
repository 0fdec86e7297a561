"""JSON Schemas of what people write: complete, as published, of one mind with the records."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from d4cbuild.base.canonical import pretty_json
from d4cbuild.errors import InputError
from d4cbuild.model.parse import record_from_json
from d4cbuild.model.recipe import Recipe
from d4cbuild.model.schema import WRITTEN, json_schema
from tests.project import RECIPE

REPOSITORY = Path(__file__).parent.parent.parent
FILES = [
    *((path, "recipe") for path in sorted(REPOSITORY.glob("recipes/*/recipe.toml"))),
    *((path, "environment") for path in sorted(REPOSITORY.glob("environments/*/environment.toml"))),
]


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_published_is_what_the_command_prints(name: str) -> None:
    published = REPOSITORY / "d4cbuild" / "spec" / "schemas" / f"{name}.json"
    assert published.read_bytes() == pretty_json(json_schema(name)), (
        f"d4cbuild schema {name} > {published.relative_to(REPOSITORY)}"
    )


@pytest.mark.parametrize("name", WRITTEN)
def test_every_schema_is_one_and_every_field_is_explained(name: str) -> None:
    schema = json_schema(name)
    Draft202012Validator.check_schema(schema)
    bare = [
        f"{defined['title']}.{field}"
        for defined in (schema, *schema.get("$defs", {}).values())
        for field, what in defined.get("properties", {}).items()
        if not what.get("description")
    ]
    assert bare == []


@pytest.mark.parametrize(("path", "name"), FILES, ids=lambda value: getattr(value, "parent", value))
def test_real_files_are_as_the_schemas_say(path: Path, name: str) -> None:
    record = tomllib.loads(path.read_text(encoding="utf-8"))
    assert list(Draft202012Validator(json_schema(name)).iter_errors(record)) == []


def _recipe() -> dict[str, Any]:
    return tomllib.loads(RECIPE.format(id="places"))


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*at, key))


def _changed(record: dict[str, Any], at: tuple[Any, ...], value: object) -> dict[str, Any]:
    made = copy.deepcopy(record)
    inner: Any = made
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    return made


@pytest.mark.parametrize("value", [[], {}, True, "", -1, {"unknown": 1}], ids=repr)
def test_what_a_schema_refuses_the_record_refuses_too(value: object) -> None:
    validator = Draft202012Validator(json_schema("recipe"))
    refused = 0
    for at in _places(_recipe()):
        if not at or at[0] == "parameters":
            continue
        record = _changed(_recipe(), at, value)
        if not validator.is_valid(record):
            refused += 1
            with pytest.raises(InputError):
                record_from_json(Recipe, json.dumps(record).encode(), "recipe")
    assert refused > 20
