"""Two manifests: which ingredients are other ones, and which outputs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from d4cbuild.base.canonical import parse_json
from d4cbuild.difference.bytewise import readable
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.plain import finished, json_fields
from d4cbuild.difference.record import Difference, Example, Finding, Layer, Side, verdict_of
from d4cbuild.model.manifest import Manifest
from d4cbuild.model.parse import MAXIMUM_TEXT_BYTES, record_from_json

_SCHEMA = "d4c.manifest/1"
_TABLE = ("content", "rows", "columns", "geometry")


def is_manifest(path: Path, side: Side) -> bool:
    """Whether a file says of itself that it is a manifest."""
    if side.kind != "json" or (side.size or 0) > MAXIMUM_TEXT_BYTES:
        return False
    with readable(path):
        data = path.read_bytes()
    try:
        record = parse_json(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return False  # then it is compared as text
    return isinstance(record, dict) and record.get("schema") == _SCHEMA


def compare_manifests(a: Side, b: Side, outer: Layer, options: DiffOptions) -> Difference:
    """Compare two manifests whose bytes differ.

    Raises:
        InputError: if one is no good manifest.
    """
    first, second = (
        record_from_json(Manifest, Path(side.path).read_bytes(), side.path) for side in (a, b)
    )
    fields = list(json_fields(_named(first.as_json()), _named(second.as_json()), ""))
    findings = tuple(_findings(fields, first, second, options))
    same_key = first.build_key == second.build_key
    names = {finding.name for finding in findings}
    layers = (
        outer,
        Layer("ingredients", "ingredient" not in names, _says(same_key, first, second)),
        Layer("outputs", not names & {"output", "output-bytes"}, _outputs(names)),
    )
    if not findings:
        findings = (Finding("json-form", 1, "files", "the same record, written otherwise"),)
    sides = Side(a.path, "manifest", a.size, a.sha256), Side(b.path, "manifest", b.size, b.sha256)
    found = Difference(*sides, verdict_of(findings), layers, findings)
    return finished(found, options)


def _says(same_key: bool, a: Manifest, b: Manifest) -> str:
    if same_key:
        return f"the same build key, {a.build_key}"
    return f"build keys {a.build_key} against {b.build_key}"


def _outputs(names: set[str]) -> str:
    if "output" in names:
        return "differ"
    return "other bytes, the same tables" if "output-bytes" in names else "the same bytes"


def _findings(
    fields: Iterable[Example], a: Manifest, b: Manifest, options: DiffOptions
) -> Iterable[Finding]:
    grouped: dict[str, list[Example]] = {}
    tables = _same_tables(a, b)
    for field in fields:
        grouped.setdefault(_class_of(field.where.lstrip("."), tables), []).append(field)
    for name in ("output", "output-bytes", "ingredient", "provenance"):
        if examples := grouped.get(name):
            shown = tuple(
                Example(e.where.lstrip("."), e.before, e.after) for e in examples
            )[: options.examples]  # fmt: skip
            yield Finding(name, len(examples), "fields", "", examples=shown)


def _same_tables(a: Manifest, b: Manifest) -> set[str]:
    """Names of the outputs that hold the same table in both."""
    others = {output.name: output for output in b.outputs}
    return {
        output.name
        for output in a.outputs
        if output.content is not None
        and output.name in others
        and others[output.name].content == output.content
    }


def _class_of(where: str, same_tables: set[str]) -> str:
    parts = where.split(".")
    if parts[0] == "outputs":
        is_table = parts[-1] in _TABLE or "columns" in parts
        if len(parts) > 1 and parts[1] in same_tables and not is_table:
            return "output-bytes"
        return "provenance" if parts[-1] in ("file", "description", "en", "fr") else "output"
    if parts[0] in ("derivation", "build_key") or parts[:2] == ["environment", "packages"]:
        return "ingredient"
    return "provenance"


def _named(value: Any) -> Any:
    """A record whose lists of named things are things by name, so that order does not count."""
    if isinstance(value, dict):
        return {name: _named(inner) for name, inner in value.items()}
    if not isinstance(value, list):
        return value
    if value and all(isinstance(each, dict) and "name" in each for each in value):
        return {each["name"]: _named({k: v for k, v in each.items() if k != "name"})
                for each in value}  # fmt: skip
    if value and all(isinstance(each, str) and each.startswith("pkg:") for each in value):
        return {_package(each)[0]: _package(each)[1] for each in value}
    return [_named(each) for each in value]


def _package(purl: str) -> tuple[str, str]:
    name, _, version = purl.partition("@")
    return name.replace(".", "·"), version
