"""Why a build must be done: which ingredient is other than in the last accepted build."""

from __future__ import annotations

from typing import Any

from d4cbuild.model.derivation import Derivation
from d4cbuild.model.lock import Lock
from d4cbuild.model.manifest import Manifest

_WORDS = {
    "code": "the recipe's code",
    "environment": "the environment's image",
    "command": "the command",
    "source_date_epoch": "source_date_epoch",
    "platform": "the platform",
    "sandbox": "the sandbox contract",
}


def changed_ingredients(before: Derivation, after: Derivation) -> list[str]:
    """Name every ingredient that differs between two derivations, one line each."""
    old, new = before.as_json(), after.as_json()
    lines = _named("source", _by_name(old["sources"]), _by_name(new["sources"]), "blake3")
    for field, words in _WORDS.items():
        if old[field] != new[field]:
            lines.append(f"{words}: {_shown(old[field])} -> {_shown(new[field])}")
    lines += _named("parameter", _wrapped(old["parameters"]), _wrapped(new["parameters"]), "value")
    lines += _declarations(_by_name(old["outputs"]), _by_name(new["outputs"]))
    for field, words in (("version", "normal form"), ("blake3", "the normal form's code")):
        one, other = old["normal_form"][field], new["normal_form"][field]
        if one != other:
            lines.append(f"{words}: {one} -> {other}")
    return lines


def changed_provenance(manifest: Manifest, lock: Lock) -> list[str]:
    """Name what a lock says otherwise than a manifest though the build key is the same.

    These decide no byte of a build, but whoever relies on them must not be told something false.

    Args:
        manifest: What was made.
        lock: What it is said to be made from.
    """
    old = {source.name: source.sha256 for source in manifest.sources}
    found = [
        (f"source {source.name}", old.get(source.name), source.sha256) for source in lock.sources
    ]
    image = manifest.environment.manifest
    found.append(("the environment's image manifest", image, lock.environment.manifest))
    code = manifest.code
    if code.commit is not None:
        found.append(("the code's commit", code.commit, lock.code.commit))
        found.append(("the code's tree", code.tree, lock.code.tree))
    return [f"{what}: {one} -> {other}" for what, one, other in found if one != other]


def _by_name(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {record["name"]: record for record in records}


def _wrapped(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: {"value": value} for name, value in values.items()}


def _named(
    what: str, old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]], field: str
) -> list[str]:
    lines = [f"{what} {name}: removed" for name in old if name not in new]
    for name, record in new.items():
        if name not in old:
            lines.append(f"{what} {name}: added")
        elif record != old[name]:
            lines.append(f"{what} {name}: {_shown(old[name][field])} -> {_shown(record[field])}")
    return lines


def _declarations(old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> list[str]:
    lines = [f"output {name}: removed" for name in old if name not in new]
    for name, record in new.items():
        if name not in old:
            lines.append(f"output {name}: added")
            continue
        before = old[name]
        changed = sorted(
            key for key in {*record, *before} - {"columns"} if record.get(key) != before.get(key)
        )
        lines += [f"output {name}: {key} changed" for key in changed]
        one, other = _by_name(before["columns"]), _by_name(record["columns"])
        for column in dict.fromkeys([*one, *other]):
            if one.get(column) != other.get(column):
                lines.append(f"output {name}: declaration of column {column} changed")
        if one == other and list(one) != list(other):
            lines.append(f"output {name}: order of columns changed")
    return lines


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:99]}…"
