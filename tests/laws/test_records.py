"""Laws: what holds for every record that can be written."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from d4cbuild.base.canonical import canonical_json, parse_json
from d4cbuild.base.digest import Digest
from d4cbuild.errors import InputError
from d4cbuild.model.columntype import ColumnType, parse_column_type
from d4cbuild.model.derivation import Derivation, derive
from d4cbuild.model.environment import Environment, EnvironmentLock
from d4cbuild.model.fields import Record
from d4cbuild.model.lock import Lock
from d4cbuild.model.manifest import Manifest
from d4cbuild.model.parse import record_from_json, record_from_toml, record_to_json
from d4cbuild.model.quantities import parse_bytes, parse_seconds, render_bytes, render_seconds
from d4cbuild.model.recipe import Recipe
from d4cbuild.model.weather import PastLooks
from tests.laws import strategies as some
from tests.laws.toml import toml_document

few = settings(max_examples=15)


def read_recipe(table: dict[str, Any]) -> Recipe:
    return record_from_toml(Recipe, toml_document(table).encode(), "recipe.toml")


recipes = some.recipe_tables().map(read_recipe)


def assert_survives_rendering(record: Record) -> None:
    rendered = record_to_json(record)
    again = record_from_json(type(record), rendered, "again")
    assert again == record
    assert record_to_json(again) == rendered


@given(some.any_digests)
def test_a_digest_is_what_its_text_says(digest: Digest) -> None:
    assert Digest.parse(str(digest)) == digest


@given(some.column_types)
def test_a_column_type_is_what_its_text_says(kind: ColumnType) -> None:
    assert parse_column_type(str(kind)) == kind


@given(some.column_types)
def test_white_space_in_a_column_type_means_nothing(kind: ColumnType) -> None:
    spaced = re.sub(r"([<>(),:])", r" \1 ", str(kind))
    assert parse_column_type(spaced) == kind


@given(st.integers(1, 10**15 - 1))
def test_a_size_and_a_duration_are_what_their_texts_say(count: int) -> None:
    assert parse_bytes(render_bytes(count)) == count
    assert parse_seconds(render_seconds(count)) == count


@given(some.json_values)
def test_canonical_json_is_that_of_its_own_reading(value: Any) -> None:
    written = canonical_json(value)
    assert canonical_json(parse_json(written)) == written


@given(recipes)
@few
def test_a_recipe_survives_rendering(recipe: Recipe) -> None:
    assert_survives_rendering(recipe)


@given(some.locks())
@few
def test_a_lock_survives_rendering(lock: Lock) -> None:
    assert_survives_rendering(lock)


@given(recipes.flatmap(some.derivations))
@few
def test_a_derivation_survives_rendering_with_its_key(derivation: Derivation) -> None:
    assert_survives_rendering(derivation)
    again = record_from_json(Derivation, record_to_json(derivation), "again")
    assert again.build_key == derivation.build_key


@given(recipes.flatmap(some.manifests))
@few
def test_a_manifest_survives_rendering(manifest: Manifest) -> None:
    assert_survives_rendering(manifest)


@given(some.environments)
@few
def test_an_environment_survives_rendering(table: dict[str, Any]) -> None:
    text = toml_document(table).encode()
    assert_survives_rendering(record_from_toml(Environment, text, "environment.toml"))


@given(some.environment_locks())
@few
def test_an_environments_lock_survives_rendering(lock: EnvironmentLock) -> None:
    assert_survives_rendering(lock)


@given(some.past_looks)
@few
def test_past_looks_survive_rendering(looks: PastLooks) -> None:
    assert_survives_rendering(looks)


def shuffled(value: Any, order: Any) -> Any:
    if isinstance(value, dict):
        keys = sorted(value)
        order.shuffle(keys)
        return {key: shuffled(value[key], order) for key in keys}
    return [shuffled(each, order) for each in value] if isinstance(value, list) else value


@given(some.recipe_tables(), st.randoms(use_true_random=False))
@few
def test_comments_white_space_and_order_of_keys_do_not_change_a_recipe(
    table: dict[str, Any], order: Any
) -> None:
    text = toml_document(shuffled(table, order))
    lines = [f"# {n}\n\n  {line}  # so" for n, line in enumerate(text.splitlines())]
    again = record_from_toml(Recipe, "\n".join(lines).encode(), "recipe.toml")
    assert again.digest == read_recipe(table).digest


@given(some.recipe_tables())
@few
def test_a_recipe_given_as_json_or_with_its_defaults_is_the_same(table: dict[str, Any]) -> None:
    recipe = read_recipe(table)
    assert record_from_json(Recipe, json.dumps(table).encode(), "x").digest == recipe.digest
    assert read_recipe(recipe.as_json()).digest == recipe.digest


@given(recipes)
@few
def test_file_names_follow_the_convention_and_differ(recipe: Recipe) -> None:
    names = [recipe.file_name(output) for output in recipe.outputs]
    assert len({name.lower() for name in names}) == len(names)
    data = recipe.dataset
    for name, output in zip(names, recipe.outputs, strict=True):
        assert re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", name)
        start = f"{data.region}_{data.source}"
        letter = ""
        if data.dguid is not None:
            letter = data.dguid[4]
            start += f"-{data.dguid[:5]}{data.dguid[5:].lower()}"
        middle = "".join(f"_{part}" for part in (data.package, data.topic, data.vintage) if part)
        end = f"_{data.variant}" if data.variant else ""
        end += f"_v{data.version}" + (f"_{output.name}" if len(names) > 1 else "")
        assert name.startswith(start + middle + end + ".")
        assert [c for c in name if c.isupper()] == list(letter)


@given(recipes, st.data())
@few
def test_texts_for_people_and_places_do_not_change_the_key(recipe: Recipe, data: Any) -> None:
    lock = data.draw(some.locks(recipe))
    code = data.draw(some.digests())
    table = recipe.as_json()
    other = {"en": "Another", "fr": "Une autre"}
    table["dataset"] |= {"title": other, "description": other, "version": "9.9.9"}
    table["dataset"]["keywords"] = {"en": ["new"], "fr": ["neuf"]}
    for source in table["sources"]:
        source |= {
            "url": "https://example.invalid/elsewhere",
            "mirrors": ["sources/elsewhere"],
            "licence": "MIT",
            "attribution": other,
        }
    for output in table["outputs"]:
        output["title"] = other
        for column in output["columns"]:
            column["description"] = other
    changed = read_recipe(table)
    before, after = (derive(each, lock, lock.code.blake3, code) for each in (recipe, changed))
    assert after.build_key == before.build_key
    assert changed.digest != recipe.digest


def other_hex(text: str) -> str:
    algorithm, _, value = text.partition(":")
    return f"{algorithm}:{'0' if value[0] != '0' else '1'}{value[1:]}"


def other_value(value: Any) -> Any:
    """Something else of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value - 1 if value else 1
    if isinstance(value, str):
        return other_hex(value) if ":" in value else value + "x"
    return value


@given(recipes.flatmap(some.derivations))
@few
def test_every_ingredient_changes_the_key(derivation: Derivation) -> None:
    before = derivation.as_json()
    keys = {str(derivation.build_key)}
    changes: list[dict[str, Any]] = [
        {"code": other_hex(before["code"])},
        {"environment": other_hex(before["environment"])},
        {"command": [*before["command"], "more"]},
        {"parameters": before["parameters"] | {"another": 1}},
        {"outputs": [*before["outputs"], {"name": "another"}]},
        {"source_date_epoch": other_value(before["source_date_epoch"])},
        {"platform": "linux/arm64"},
        {"sandbox": "d4c.sandbox/2"},
        {"normal_form": before["normal_form"] | {"version": "d4c.parquet/2"}},
        {"normal_form": before["normal_form"] | {"blake3": "blake3:" + "0" * 63 + "1"}},
    ]
    for name in ("name", "size", "blake3"):
        first, *rest = before["sources"]
        changes.append({"sources": [first | {name: other_value(first[name])}, *rest]})
    for change in changes:
        after = record_from_json(Derivation, json.dumps(before | change).encode(), "changed")
        keys.add(str(after.build_key))
    assert len(keys) == 1 + len(changes)


@given(st.text(min_size=1))
def test_no_text_of_a_title_makes_the_digest_fail(text: str) -> None:
    """Whatever is accepted as a title has a digest; what has none was refused before."""
    table = {"en": text, "fr": unicodedata.normalize("NFD", text)}
    document = {"schema": "d4c.environment/1", "name": "x", "description": table}
    document |= {"debian": {"suite": "bookworm", "packages": ["a"]}}
    document |= {"python": {"version": "3.11", "requirements": []}}
    try:
        found = record_from_json(Environment, json.dumps(document).encode(), "x")
    except InputError:
        return
    assert found.digest == record_from_json(Environment, record_to_json(found), "y").digest
