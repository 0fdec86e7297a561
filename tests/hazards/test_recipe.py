"""Hazards of recipe.toml, each at its line."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d4cbuild.hazards.recipe import recipe_spots
from d4cbuild.hazards.toml_places import toml_places
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.recipe import Recipe
from tests.project import RECIPE

GOOD = RECIPE.format(id="places")
URL = "https://example.invalid/places.csv"


def _changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def _spots(text: str) -> set[tuple[int, str]]:
    recipe = record_from_toml(Recipe, text.encode(), "recipe.toml")
    return {(spot.line, spot.hazard) for spot in recipe_spots(recipe, toml_places(text))}


def _line(text: str, part: str) -> int:
    (line,) = [n for n, each in enumerate(text.splitlines(), 1) if part in each]
    return line


@pytest.mark.parametrize(
    "address",
    [
        "https://example.invalid/latest/places.csv",
        "https://example.invalid/places_latest.zip",
        "https://example.invalid/places?version=latest",
        "https://example.invalid/repository/raw/main/places.csv",
        "https://example.invalid/current/places.csv",
    ],
)
def test_an_address_that_moves_is_found(address: str) -> None:
    text = _changed(URL, address)
    assert _spots(text) == {(_line(text, "url ="), "moving-address")}


@pytest.mark.parametrize(
    "address",
    [
        "https://example.invalid/2020/greatest/places.csv",
        "https://example.invalid/current-members-2020.csv",
        "https://latest.example.invalid/v1.1/mainland.csv",
    ],
)
def test_an_address_of_one_edition_is_not_found(address: str) -> None:
    assert _spots(_changed(URL, address)) == set()


def test_plain_http_is_found() -> None:
    text = _changed("https://example", "http://example")
    assert _spots(text) == {(_line(text, "url ="), "plain-http")}


def test_a_mirror_that_moves_is_found_in_its_line() -> None:
    mirrors = '[\n  "sources/places.csv",\n  "https://example.invalid/latest/a.csv",\n]'
    text = _changed('["sources/places.csv"]', mirrors)
    assert _spots(text) == {(_line(text, "latest"), "moving-address")}


def test_a_key_that_may_be_null_or_is_inexact_is_found() -> None:
    by_name = _changed('sort_by = ["id"]', 'sort_by = ["name"]')
    assert _spots(by_name) == {(_line(by_name, "sort_by"), "sort-key")}
    inexact = _changed('type = "int16"', 'type = "float64"')
    assert _spots(inexact) == {(_line(inexact, "sort_by"), "sort-key")}
    assert _spots(_changed('sort_by = ["id"]', 'sort_by = ["name", "id"]')) == set()


def test_a_script_within_the_command_is_read() -> None:
    text = _changed('["python", "process.py"]', '["sh", "-ec", "date > /tmp/a; uuidgen"]')
    line = _line(text, "command =")
    assert _spots(text) == {(line, "clock"), (line, "uuid")}
    text = _changed('["python", "process.py"]', '["python3", "-c", "import uuid; uuid.uuid4()"]')
    assert _spots(text) == {(line, "uuid")}


PLACES = """\
a = 1
b.c = "x # no comment" # one
'd.e' = '''
[no.table]
'''

[f]
g = [ 1, "]", [2],
  { h = 1, i = { j = 2 } }, # two
]

[[k]]
l = 1.5
[k.m]
n = true
[[k]]
[[k.o]]
p = 2020-01-01
"""


def test_keys_of_all_kinds_are_found_at_their_places() -> None:
    tomllib.loads(PLACES)
    found = toml_places(PLACES)
    assert {path: place[0] for path, place in found.keys.items()} == {
        "a": 1,
        "b": 2,
        "b.c": 2,
        "d.e": 3,
        "f": 7,
        "f.g": 8,
        "f.g[0]": 8,
        "f.g[1]": 8,
        "f.g[2]": 8,
        "f.g[2][0]": 8,
        "f.g[3]": 9,
        "f.g[3].h": 9,
        "f.g[3].i": 9,
        "f.g[3].i.j": 9,
        "k": 12,
        "k[0]": 12,
        "k[0].l": 13,
        "k[0].m": 14,
        "k[0].m.n": 15,
        "k[1]": 16,
        "k[1].o": 17,
        "k[1].o[0]": 17,
        "k[1].o[0].p": 18,
    }
    assert found.of("f.g[3].i.j") == (9, 18)
    assert found.of("k[1].o[0].q[7]") == (17, 1)
    assert [(comment.line, comment.text) for comment in found.comments] == [
        (2, " one"),
        (9, " two"),
    ]


def _paths(value: Any, path: str) -> set[str]:
    if isinstance(value, dict):
        inner = [_paths(each, f"{path}.{key}".lstrip(".")) for key, each in value.items()]
    elif isinstance(value, list):
        inner = [_paths(each, f"{path}[{i}]") for i, each in enumerate(value)]
    else:
        inner = []
    return {path, *(each for part in inner for each in part)} - {""}


def test_every_key_of_a_recipe_is_found() -> None:
    assert _paths(tomllib.loads(GOOD), "") == set(toml_places(GOOD).keys)


@given(st.text(alphabet="ab.=[]{}\"'\\\n #,1", max_size=60))
def test_no_text_stops_the_search_for_places(text: str) -> None:
    for line, column in toml_places(text).keys.values():
        assert 1 <= line <= text.count("\n") + 1
        assert column >= 1
