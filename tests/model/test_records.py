"""Records are made ready when the first of their kind is read."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import d4cbuild.model
from d4cbuild.model.fields import Record

REPOSITORY = Path(__file__).parents[2]
FIRST_READERS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from d4cbuild.model.lock import Lock
from d4cbuild.model.manifest import Manifest
from d4cbuild.model.parse import record_from_json, record_from_toml
from d4cbuild.model.recipe import Recipe

sys.setswitchinterval(1e-6)
KINDS = ((record_from_toml, Recipe, "recipe.toml"), (record_from_json, Lock, "recipe.lock"),
         (record_from_json, Manifest, "manifest.json"))
together = Barrier(12)

def read(number):
    reader, kind, name = KINDS[number % 3]
    together.wait()
    return reader(kind, Path("recipes/statcan-odhf", name).read_bytes(), name).as_json()

with ThreadPoolExecutor(12) as threads:
    found = list(threads.map(read, range(12)))
assert all(one == found[number % 3] for number, one in enumerate(found))
"""


def kinds_of(kind: type[Record]) -> Iterator[type[Record]]:
    for below in kind.__subclasses__():
        yield below
        yield from kinds_of(below)


def all_kinds() -> list[type[Record]]:
    for module in pkgutil.iter_modules(d4cbuild.model.__path__, "d4cbuild.model."):
        importlib.import_module(module.name)
    kinds = {k for k in kinds_of(Record) if k.__module__.startswith("d4cbuild.")}
    return sorted(kinds, key=lambda kind: (kind.__module__, kind.__qualname__))


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.__qualname__)
def test_every_kind_can_be_made_ready(kind: type[Record]) -> None:
    assert kind.model_rebuild(force=True)
    assert kind.model_json_schema()["type"] == "object"


def test_several_threads_may_be_the_first_to_read() -> None:
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", FIRST_READERS],
            cwd=REPOSITORY, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
