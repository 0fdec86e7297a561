"""``datapackage.json``: the data and their columns as a Frictionless Data Package (version 1)."""

from typing import Any

from d4cbuild.bundle.facts import BundledFile, BundleFacts
from d4cbuild.bundle.terms import (
    PARQUET_TYPE,
    PUBLISHER,
    PUBLISHER_ADDRESS,
    Language,
    LicenceTerms,
    data_files,
    licences,
    media_type,
    publication_time,
)
from d4cbuild.errors import InputError
from d4cbuild.model.columntype import parse_column_type
from d4cbuild.model.manifest import ColumnRecord, OutputRecord, SourceRecord

_FIELD_TYPES = {
    "boolean": "boolean",
    **{f"{sign}int{bits}": "integer" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "float32": "number",
    "float64": "number",
    "decimal": "number",
    "string": "string",
    "date": "date",
    "time": "time",
    "timestamp": "datetime",
    "timestamp_utc": "datetime",
    "list": "array",
    "map": "object",
    "struct": "object",
}
_CONSTRAINTS = {"min": "minimum", "max": "maximum", "enum": "enum", "pattern": "pattern"}


def data_package(facts: BundleFacts) -> dict[str, Any]:
    """Return the package's descriptor.

    Data files are resources of the type ``file``: their bytes and SHA-256 are checked by any
    reader, also where they were split, and no reader needs to know Parquet for that. ``schema``
    still tells the columns.

    Args:
        facts: The bundle.
    """
    dataset = facts.manifest.dataset
    keywords = sorted({*dataset.keywords.en, *dataset.keywords.fr})
    return {
        "profile": "data-package",
        "name": dataset.id,
        "id": str(facts.manifest.build_key),
        "title": dataset.title.en,
        "titles": _both(dataset.title),
        "description": dataset.description.en,
        "descriptions": _both(dataset.description),
        "version": dataset.version,
        "created": publication_time(facts),
        **({"keywords": keywords} if keywords else {}),
        "contributors": [
            {"title": PUBLISHER, "path": PUBLISHER_ADDRESS, "role": "publisher"},
        ],
        "licenses": [_licence(each) for each in licences(facts)],
        "sources": [_source(source) for source in facts.manifest.sources],
        "resources": _resources(facts),
    }


def _both(text: Any) -> dict[str, str]:
    return {"en": text.en, "fr": text.fr}


def _licence(terms: LicenceTerms) -> dict[str, Any]:
    language: Language = "en"
    address = terms.address.get(language)
    return {
        "name": terms.identifier,
        "title": terms.title[language],
        "titles": dict(terms.title),
        **({"path": address} if address else {}),
    }


def _source(source: SourceRecord) -> dict[str, Any]:
    return {
        "title": source.name,
        "path": source.url,
        **({"member": source.member} if source.member else {}),
        "bytes": source.size,
        "hash": str(source.sha256),
        "license": source.licence,
        "attribution": _both(source.attribution),
    }


def _resources(facts: BundleFacts) -> list[dict[str, Any]]:
    outputs = {output.file: output for output in facts.manifest.outputs}
    resources = [_data(facts, output, file) for output, file in data_files(facts)]
    for file in facts.files:
        if file.role == "manifest" and file.name not in outputs:
            resources.append(_resource("manifest-of-the-build", file))
    return resources


def _resource(name: str, file: BundledFile) -> dict[str, Any]:
    return {
        "name": name,
        "path": list(file.parts) if file.parts else file.name,
        "type": "file",
        "profile": "data-resource",
        "mediatype": media_type(file.name),
        "bytes": file.digests.size,
        "hash": str(file.digests.sha256),
    }


def _data(facts: BundleFacts, output: OutputRecord, file: BundledFile) -> dict[str, Any]:
    resource = _resource(output.name, file)
    if output.format == "file":
        return resource
    columns = _declared_columns(facts, output)
    fields = [_field(column, columns.get(column.name, {})) for column in output.columns]
    return {
        **resource,
        "mediatype": PARQUET_TYPE,
        "format": "parquet",
        **({} if output.rows is None else {"rowCount": output.rows}),
        "schema": {"fields": fields},
    }


def _declared_columns(facts: BundleFacts, output: OutputRecord) -> dict[str, dict[str, Any]]:
    """Columns by name, with their checks. A derivation's outputs are free JSON: trust no shape."""
    for declared in facts.manifest.derivation.outputs:
        columns = declared.get("columns")
        if declared.get("name") == output.name and isinstance(columns, list):
            named = [each for each in columns if isinstance(each, dict)]
            return {str(each.get("name")): each for each in named}
    return {}


def _field(column: ColumnRecord, declared: dict[str, Any]) -> dict[str, Any]:
    constraints = {
        word: declared[rule]
        for rule, word in _CONSTRAINTS.items()
        if declared.get(rule) is not None
    }
    if not column.nullable:
        constraints["required"] = True
    if declared.get("unique"):
        constraints["unique"] = True
    return {
        "name": column.name,
        **_shape(column.type),
        "logicalType": column.type,
        "description": column.description.en,
        "descriptions": _both(column.description),
        **({"constraints": constraints} if constraints else {}),
    }


def _shape(logical_type: str) -> dict[str, str]:
    try:
        kind = parse_column_type(logical_type).kind
    except InputError:  # a manifest of a later d4cbuild may have others; ``any`` is true of all
        return {"type": "any"}
    if kind in ("binary", "geometry"):
        # Bytes have no type of their own in a Table Schema: there they are text in base64.
        return {"type": "string", "format": "binary"}
    return {"type": _FIELD_TYPES[kind]}
