"""The names of faults, their page, and the forms of fields."""

from __future__ import annotations

import json
from pathlib import Path

from packaging.licenses import canonicalize_license_expression

from d4cbuild.faults.catalogue import FAULTS, page
from d4cbuild.faults.completing import known_keys
from d4cbuild.faults.forms import FORMS, STEP_KEYS, TEXT, form_of
from d4cbuild.hazards.catalogue import HAZARDS
from d4cbuild.model.licences import KNOWN, licence_named
from d4cbuild.model.schema import json_schema
from tests.check.broken import BROKEN, WARNED

SPEC = Path(__file__).parent.parent.parent / "d4cbuild" / "spec" / "checking.md"


def test_the_page_holds_every_fault_as_the_catalogue_words_it() -> None:
    assert SPEC.read_text(encoding="utf-8").partition("## What is found\n\n")[2] == page()


def test_every_fault_that_is_told_has_a_name_in_the_catalogue() -> None:
    told = {fault for each in (*BROKEN.values(), *WARNED.values()) for fault, _ in each.told}
    assert told <= set(FAULTS)
    assert not set(FAULTS) & set(HAZARDS)


def _tables() -> dict[str, set[str]]:
    """The keys of every table of the format, by the table's path."""
    schema = json_schema("recipe")
    found: dict[str, set[str]] = {}

    def walk(node: dict[str, object], path: str) -> None:
        text = json.dumps(node)
        for name, inner in schema["$defs"].items():
            used = f'"#/$defs/{name}"' in text and "oneOf" not in text
            if used and "properties" in inner:
                found[path] = set(inner["properties"])
                for key, field in inner["properties"].items():
                    array = '"type": "array"' in json.dumps(field)
                    walk(field, f"{path}.{key}{'[]' if array else ''}")

    found[""] = set(schema["properties"])
    for key, field in schema["properties"].items():
        array = '"type": "array"' in json.dumps(field)
        walk(field, f"{key}{'[]' if array else ''}")
    return found


def test_every_key_of_the_format_is_known_and_has_a_form() -> None:
    tables = _tables()
    assert set(tables) >= {"", "dataset", "sources[]", "build", "outputs[]", "outputs[].columns[]"}
    for path, keys in tables.items():
        bilingual = keys == {"en", "fr"}
        if not bilingual:
            assert known_keys(path.replace("[]", "[0]")) == sorted(keys), path
        for key in keys if path else ():
            field = f"{path}.{key}".replace("[]", "[0]")
            whole = f"{path}.{key}[]" in tables
            assert whole or bilingual or form_of(field) is not None, field


def test_steps_have_the_keys_of_their_kind() -> None:
    assert set(STEP_KEYS) >= {"read", "sql", "columns"}
    assert "source" in known_keys("build.steps[0]", {"step": "read"})
    assert known_keys("build.steps[0]", {"step": "no such"}) == []


def test_examples_are_toml() -> None:
    for path, form in FORMS.items():
        assert form.value is not None, path
        assert form.words, path
    assert form_of("dataset.title.fr") is TEXT


def test_known_licences_are_of_the_list_of_spdx() -> None:
    for identifier in KNOWN:
        if not identifier.startswith("LicenseRef-"):
            assert canonicalize_license_expression(identifier) == identifier


def test_names_of_licences_mean_one_or_nothing() -> None:
    assert licence_named("CC BY 4.0") == "CC-BY-4.0"
    assert licence_named("Open Government Licence – Canada, version 2.0") == "OGL-Canada-2.0"
    assert licence_named("The MIT License") == "MIT"
    for name in ("CC BY", "GPL", "GPL-3.0", "OGL", "public domain", "BSD", ""):
        assert licence_named(name) is None, name
