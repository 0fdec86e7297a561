"""Text made to hurt: always an error that a person can read, never a traceback."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d4cbuild.errors import InputError
from d4cbuild.model.environment import EnvironmentLock
from d4cbuild.model.lock import Lock
from d4cbuild.model.manifest import Manifest
from d4cbuild.model.parse import record_from_json, record_from_toml
from d4cbuild.model.recipe import Recipe
from tests.project import RECIPE, Project

GOOD = RECIPE.format(id="places")
ZEROS = "0" * 64
LOCK = {
    "schema": "d4c.lock/1",
    "recipe": f"blake3:{ZEROS}",
    "sources": [{"name": "a", "size": 1, "blake3": f"blake3:{ZEROS}", "sha256": f"sha256:{ZEROS}"}],
    "code": {"commit": "0" * 40, "tree": "0" * 40, "blake3": f"blake3:{ZEROS}"},
    "environment": {
        "name": "geo",
        "config": f"sha256:{ZEROS}",
        "manifest": f"sha256:{ZEROS}",
    },
    "source_date_epoch": 0,
}
TEXT = json.dumps(LOCK)

HOSTILE_JSON = {
    "empty": b"",
    "duplicate_key": TEXT.replace('"schema"', '"code": 1, "schema"', 1).encode(),
    "nan": TEXT.replace('"size": 1', '"size": NaN').encode(),
    "infinity": TEXT.replace('"size": 1', '"size": -Infinity').encode(),
    "float_overflow": TEXT.replace('"size": 1', '"size": 1e999').encode(),
    "huge_int": TEXT.replace('"size": 1', f'"size": {"9" * 5000}').encode(),
    "large_int": TEXT.replace('"size": 1', '"size": 9007199254740992').encode(),
    "late_epoch": TEXT.replace('_epoch": 0', '_epoch": 99999999999').encode(),
    "deep_lists": TEXT.replace('"size": 1', f'"size": {"[" * 10_000}{"]" * 10_000}').encode(),
    "deep_objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep_but_readable": b"[" * 600 + b"]" * 600,
    "lone_surrogate": TEXT.replace('"name": "a"', '"name": "\\ud800"').encode(),
    "surrogate_key": TEXT.replace('"schema"', '"\\udfff": 1, "schema"', 1).encode(),
    "nul": TEXT.replace('"name": "a"', '"name": "a\\u0000"').encode(),
    "not_utf8": TEXT.encode("utf-16"),
    "latin1": TEXT.replace("geo", "gé").encode("latin-1"),
    "too_large": TEXT.encode() + b" " * (20 << 20),
    "a_list": b"[]",
    "null": b"null",
    "a_number": b"1",
    "trailing": TEXT.encode() + b"x",
    "digest_upper_case": TEXT.replace(ZEROS, "A" * 64, 1).encode(),
    "digest_unknown": TEXT.replace("blake3:", "crc32:", 1).encode(),
}
HOSTILE_TOML = {
    "empty": b"",
    "duplicate_key": GOOD.replace("[dataset]", "[dataset]\nid = 'x'").encode(),
    "deep": GOOD.replace('"hello"', "[" * 10_000 + "]" * 10_000).encode(),
    "deep_but_readable": GOOD.replace('"hello"', "[" * 300 + "]" * 300).encode(),
    "deep_tables": ("a." * 5000 + "b = 1\n" + GOOD).encode(),
    "huge_int": GOOD.replace('"hello"', "9" * 5000).encode(),
    "lone_surrogate": GOOD.replace('"hello"', '"\\ud800"').encode(),
    "encoded_surrogate": GOOD.encode().replace(b"hello", b"\xed\xa0\x80"),
    "raw_nul": GOOD.replace("hello", "\0").encode(),
    "not_utf8": GOOD.encode().replace("é".encode(), b"\xff"),
    "byte_order_mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "too_large": GOOD.encode() + b"#" * (20 << 20),
    "a_program": Path(sys.executable).read_bytes()[:5000],
}


@pytest.mark.parametrize("data", HOSTILE_JSON.values(), ids=HOSTILE_JSON)
@pytest.mark.parametrize("kind", [Lock, Manifest, EnvironmentLock])
def test_hostile_json_is_refused(kind: type[Lock], data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        record_from_json(kind, data, "recipes/x/recipe.lock")
    assert caught.value.hint is not None
    assert len(str(caught.value)) < 5000


@pytest.mark.parametrize("data", HOSTILE_TOML.values(), ids=HOSTILE_TOML)
def test_hostile_toml_is_refused(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        record_from_toml(Recipe, data, "recipe.toml")
    assert caught.value.hint is not None
    assert len(str(caught.value)) < 5000


def test_the_lock_they_are_made_of_is_good() -> None:
    assert record_from_json(Lock, TEXT.encode(), "x").sources[0].size == 1


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        record_from_toml(Recipe, data, "recipe.toml")
    with pytest.raises(InputError):
        record_from_json(Lock, data, "recipe.lock")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    ),
    st.sampled_from(sorted(LOCK)),
)
def test_any_value_in_any_place_is_taken_or_refused(value: object, name: str) -> None:
    text = json.dumps(LOCK | {name: value})
    try:
        lock = record_from_json(Lock, text.encode(), "recipe.lock")
    except InputError:
        return
    assert lock.as_json()[name] == value


def test_the_hint_names_the_command_that_writes_the_file_again() -> None:
    for path, command in (
        ("recipes/x/recipe.lock", "d4cbuild lock recipes/x"),
        ("recipes/x/manifest.json", "d4cbuild build recipes/x"),
        ("environments/geo/environment.lock", "d4cbuild env lock geo"),
    ):
        with pytest.raises(InputError) as caught:
            record_from_json(Lock, b"{", path)
        assert command in str(caught.value.hint)


@pytest.mark.parametrize("name", ["deep", "not_utf8", "huge_int", "too_large"])
def test_the_command_line_answers_64_and_no_traceback(project: Project, name: str) -> None:
    (project.recipe / "recipe.toml").write_bytes(HOSTILE_TOML[name])
    answer = project.run("lock", "recipes/places")
    assert answer.status == 64
    assert "Traceback" not in answer.err
    assert "recipes/places/recipe.toml" in answer.err
