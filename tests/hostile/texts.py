"""Hostile text: recipes, locks, manifests, environment locks, policies, settings, envelopes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.hostile.file_kinds import HostileFile, as_file
from tests.model.test_hostile_text import HOSTILE_JSON, HOSTILE_TOML
from tests.project import RECIPE, Project

GOOD = RECIPE.format(id="places")
_RTL, _NUL, _WIDE = "\u202e", "\\u0000", "\uff0e\uff0e\uff0f"

# Replacements in a good recipe, each of which must be refused by name.
CHANGES = {
    "id leads out": ('id = "places"', 'id = "../../places"'),
    "id is long": ('id = "places"', f'id = "{"a" * 100_000}"'),
    "id reads from right to left": ('id = "places"', f'id = "pl{_RTL}ces"'),
    "source leads out": ('name = "places.csv"', 'name = "../../etc/passwd"'),
    "source is absolute": ('name = "places.csv"', 'name = "/etc/passwd"'),
    "source has a NUL": ('name = "places.csv"', f'name = "a{_NUL}b"'),
    "source is a dot": ('name = "places.csv"', 'name = ".."'),
    "source has a line end": ('name = "places.csv"', 'name = "a\\nb"'),
    "source has terminal codes": ('name = "places.csv"', 'name = "a\\u001b[2J"'),
    "source reads from right to left": ('name = "places.csv"', f'name = "a{_RTL}vsc"'),
    "source has wide dots": ('name = "places.csv"', f'name = "{_WIDE}a"'),
    "source is 300 bytes long": ('name = "places.csv"', f'name = "{"é" * 150}"'),
    "mirror leads out": ('["sources/places.csv"]', '["../../../../etc/passwd"]'),
    "mirror is absolute": ('["sources/places.csv"]', '["/etc/passwd"]'),
    "mirror is a device": ('["sources/places.csv"]', '["/dev/zero"]'),
    "mirror runs a command": ('["sources/places.csv"]', '[":sftp,ssh=id:x"]'),
    "url is a file": ("https://example.invalid/places.csv", "file:///etc/passwd"),
    "url has a password": ("https://example.invalid/", "https://me:secret@example.invalid/"),
    "url is of another kind": ("https://example.invalid/", "gopher://example.invalid/"),
    "url has a line end": ('places.csv"\nmirrors', 'a\\r\\nHost: b"\nmirrors'),
    "command is empty": ('["python", "process.py"]', "[]"),
    "command has a NUL": ('["python", "process.py"]', f'["python", "a{_NUL}"]'),
    "environment leads out": ('environment = "geo"', 'environment = "../../geo"'),
    "memory beyond numbers": ('"1GiB"', '"99999999999999999999TiB"'),
    "memory below zero": ('"1GiB"', '"-1GiB"'),
    "disk is endless": ('"256MiB"', '"inf"'),
    "time of a thousand years": ('"60s"', '"99999999999999999h"'),
    "cpus below zero": ("cpus = 1", "cpus = -1"),
    "output leads out": ('name = "places"\nformat', 'name = "../places"\nformat'),
    "sort by nothing": ('sort_by = ["id"]', 'sort_by = ["id", "id", "nobody"]'),
    "rows below zero": ("min = 1, max = 10", "min = -1, max = -10"),
    "rows beyond numbers": ("max = 10", "max = 99999999999999999999999999"),
    "pattern without an end": ('"[A-Z].*"', '"(a+)+("'),
    "pattern looks back": ('"[A-Z].*"', '"(?=a)\\\\1"'),
    "type nested a thousand times": ('"int16"', f'"{"list<" * 1000}int8{">" * 1000}"'),
    "type with a precision beyond numbers": ('"int16"', '"decimal(99999999999, 9)"'),
    "two columns of one name": ('name = "name"\ntype', 'name = "id"\ntype'),
    "key twice": ("[parameters]", "[parameters]\ngreeting = 'a'"),
    "unknown key": ("[build]", "[build]\nprivileged = true"),
    "parameter is not a number": ('greeting = "hello"', "greeting = nan"),
    "parameter is endless": ('greeting = "hello"', "greeting = -inf"),
    "parameter nested": ('greeting = "hello"', f"greeting = {'[' * 5000}{']' * 5000}"),
    "title without French": (', fr = "Lieux" }', " }"),
}
_LOCK_CHANGES = {
    "size below zero": lambda lock: lock["sources"][0].update(size=-1),
    "size is a half": lambda lock: lock["sources"][0].update(size=0.5),
    "size is true": lambda lock: lock["sources"][0].update(size=True),
    "size beyond numbers": lambda lock: lock["sources"][0].update(size=10**40),
    "source leads out": lambda lock: lock["sources"][0].update(name="../../x"),
    "source twice": lambda lock: lock["sources"].append(lock["sources"][0]),
    "a hundred thousand sources": lambda lock: lock.update(sources=lock["sources"] * 100_000),
    "commit runs a command": lambda lock: lock["code"].update(commit="--upload-pack=id"),
    "environment leads out": lambda lock: lock["environment"].update(name="../../geo"),
    "digest is short": lambda lock: lock.update(recipe="blake3:00"),
    "epoch below zero": lambda lock: lock.update(source_date_epoch=-(10**12)),
    "unknown field": lambda lock: lock.update(trusted=True),
    "field is missing": lambda lock: lock.pop("code"),
    "schema of tomorrow": lambda lock: lock.update(schema="d4c.lock/9"),
}
_ENVELOPES = {
    "payload is no base64": {"payload": "\u0000", "payloadType": "a", "signatures": []},
    "signatures are many": {
        "payload": "YQ==",
        "payloadType": "a",
        "signatures": [{"keyid": str(n), "sig": "YQ=="} for n in range(10_000)],
    },
    "type has terminal codes": {"payload": "YQ==", "payloadType": "\x1b[2J", "signatures": []},
    "signature is no text": {"payload": "YQ==", "payloadType": "a", "signatures": [{"sig": 1}]},
    "payload is another's": {"payload": ["YQ=="], "payloadType": "a", "signatures": [{}]},
}
_RECIPE, _LOCK = "recipes/places/recipe.toml", "recipes/places/recipe.lock"
_MANIFEST = "recipes/places/manifest.json"


def _put_environment_lock(project: Project, data: bytes) -> tuple[str, ...]:
    (project.root / "environments").unlink()
    folder = project.root / "environments" / "geo"
    folder.mkdir(parents=True)
    real = Path(__file__).parents[2] / "environments" / "geo" / "environment.toml"
    (folder / "environment.toml").write_bytes(real.read_bytes())
    (folder / "environment.lock").write_bytes(data)
    return ("env", "show", "geo")


def _put_changed_lock(project: Project, data: bytes) -> tuple[str, ...]:
    project.locked()
    lock = json.loads((project.root / _LOCK).read_text())
    _LOCK_CHANGES[data.decode()](lock)
    (project.root / _LOCK).write_text(json.dumps(lock))
    return ("build", "recipes/places")


def _put_settings(project: Project, data: bytes) -> tuple[str, ...]:
    (project.root / "settings.toml").write_bytes(data)
    project.extra["D4CBUILD_SETTINGS"] = str(project.root / "settings.toml")
    return ("build", "recipes/places")


def texts() -> Iterator[HostileFile]:
    """All of them."""
    quick = {"duplicate_key", "deep", "id leads out", "url is a file", "lone_surrogate"}
    for name, (old, new) in CHANGES.items():
        assert old in GOOD, old
        # Whether a mirror makes sense is asked when it is: lock asks.
        verb = "lock" if "mirror" in name else "check"
        put = as_file(_RECIPE, verb, "recipes/places")
        data = GOOD.replace(old, new).encode()
        yield HostileFile("recipes", name, data, put, quick=name in quick)
    for name, data in HOSTILE_TOML.items():
        put = as_file(_RECIPE, "lock", "recipes/places")
        yield HostileFile("recipes", name, data, put, quick=name in quick)
        statuses = (2,) if name == "empty" else (64,)  # no settings: then there is no lock
        yield HostileFile("settings", name, data, _put_settings, statuses=statuses)
        put = as_file("trust.toml", "verify", "--policy", "trust.toml", "recipes/places")
        yield HostileFile("policies", name, data, put)
    for name, data in HOSTILE_JSON.items():
        put = as_file(_LOCK, "build", "recipes/places")
        yield HostileFile("locks", name, data, put, quick=name in quick)
        put = as_file(_MANIFEST, "challenge", _MANIFEST)
        yield HostileFile("manifests", name, data, put, quick=name in quick)
        yield HostileFile("environment locks", name, data, _put_environment_lock)
        yield HostileFile("envelopes", name, data, target="envelope")
    for name in _LOCK_CHANGES:
        yield HostileFile("locks", name, name.encode(), _put_changed_lock, statuses=(2, 64))
    for name, record in _ENVELOPES.items():
        data = json.dumps(record).encode()
        yield HostileFile("envelopes", name, data, target="envelope", quick=True)
