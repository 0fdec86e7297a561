"""Nested files: JSON and XML, a row for each record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from .refusal import refuse, some


def read_json(data: bytes, name: str, *, records: str = "", encoding: str = "utf-8") -> pa.Table:
    """Read records. What they hold in turn gets dotted names; lists in them are JSON text.

    Args:
        data: The file.
        name: What to call it in messages.
        records: The path of the records: names with ``.`` between them, and ``[]`` after each that
            is a list: ``object.dimension[].member[]``. Plain values beside the path are in each
            row, under their own dotted names.
        encoding: By the name Python has for it.
    """
    try:
        value = json.loads(data.decode("utf-8-sig" if encoding == "utf-8" else encoding),
                           parse_float=str, parse_int=str, parse_constant=str)  # fmt: skip
    except (ValueError, RecursionError) as error:
        refuse(f"{name} cannot be read as JSON", found=str(error))
    steps = records.split(".") if records else []
    if not records and isinstance(value, list):
        steps = ["[]"]
    return _table(list(_walk(value, steps, "", {}, name)), name)


def read_xml(
    data: bytes,
    name: str,
    *,
    records: str,
    columns: Mapping[str, str] | None = None,
    namespaces: Mapping[str, str] | None = None,
) -> pa.Table:
    """Read records of an XML file.

    Args:
        data: The file. Entities are not expanded, and nothing is fetched.
        name: What to call it in messages.
        records: The XPath of the elements that are rows, from the root element on.
        columns: An XPath for each column, from the row's element on; what it finds is read as text,
            white space at its ends cut. Unless given: attributes, and elements with text only.
        namespaces: Prefixes that the paths use.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
        if next(root.iter(etree.Entity), None) is not None:
            refuse(f"{name} uses entities of its own", expected="text", hint="replace them first")
        elements = root.xpath(records, namespaces=dict(namespaces or {}))
        if not isinstance(elements, list) or not all(
            isinstance(e, etree._Element) for e in elements
        ):
            refuse(f"{records!r} does not name elements", found=repr(elements)[:80])
        if columns is None:
            return _table([_attributes(element) for element in elements], name)
        paths = {
            c: etree.XPath(path, namespaces=dict(namespaces or {})) for c, path in columns.items()
        }
        return _table(
            [{c: _single(path(e), c, name) for c, path in paths.items()} for e in elements],
            name,
            list(columns),
        )
    except etree.XPathError as error:
        refuse("a path is no XPath", found=str(error))
    except etree.XMLSyntaxError as error:
        refuse(f"{name} cannot be read as XML", found=str(error))


def _walk(
    value: Any, steps: list[str], prefix: str, around: dict[str, str | None], name: str
) -> Iterator[dict[str, str | None]]:
    if not steps:
        if not isinstance(value, dict):
            refuse(f"a record of {name} is no object", found=json.dumps(value)[:80])
        yield around | dict(_flat(value, prefix))
        return
    step, rest = steps[0], steps[1:]
    key = step.removesuffix("[]")
    if key:
        if not isinstance(value, dict) or key not in value:
            known = some(value) if isinstance(value, dict) else type(value).__name__
            refuse(f"{name} has no {key!r} at {prefix or 'its top'}", found=known)
        beside = {k: v for k, v in value.items() if k != key and not isinstance(v, dict | list)}
        around = around | dict(_flat(beside, prefix))
        value, prefix = value[key], f"{prefix}{key}."
    if not step.endswith("[]"):
        yield from _walk(value, rest, prefix, around, name)
        return
    if not isinstance(value, list):
        refuse(f"{prefix or 'the top'} of {name} is no list", found=type(value).__name__)
    for inner in value:
        yield from _walk(inner, rest, prefix, around, name)


def _flat(value: dict[str, Any], prefix: str) -> Iterator[tuple[str, str | None]]:
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{key}.")
        elif isinstance(inner, list):
            yield f"{prefix}{key}", json.dumps(inner, ensure_ascii=False)
        elif isinstance(inner, bool):
            yield f"{prefix}{key}", "true" if inner else "false"
        else:
            yield f"{prefix}{key}", inner


def _attributes(element: Any) -> dict[str, str | None]:
    found = dict(element.attrib)
    for child in element:
        if isinstance(child.tag, str) and len(child) == 0:
            tag = child.tag.rpartition("}")[2]
            if tag in found:
                refuse(f"<{tag}> is there more than once in a row", hint="give columns = { … }")
            found[tag] = (child.text or "").strip() or None
    return found


def _single(found: Any, column: str, name: str) -> str | None:
    if not isinstance(found, list):  # the answer of string(), count() and the like
        return _number(found) if isinstance(found, float) else str(found).strip() or None
    if len(found) > 1:
        refuse(
            f"column {column!r} of {name} finds {len(found)} things in one row",
            found=some([_content(each) for each in found]),
            hint="make its path narrower: [1], or a condition in brackets",
        )
    return _content(found[0]) if found else None


def _content(found: Any) -> str | None:
    text = "".join(found.itertext()) if hasattr(found, "itertext") else str(found)
    return text.strip() or None


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _table(
    rows: list[dict[str, str | None]], name: str, columns: list[str] | None = None
) -> pa.Table:
    names = columns or list(dict.fromkeys(key for row in rows for key in row))
    # A path that finds nothing is more likely wrong than the file empty.
    if not rows or not names:
        refuse(f"{name} has no records there", expected="at least one", hint="another path")
    return pa.table(
        {column: pa.array([row.get(column) for row in rows], pa.string()) for column in names}
    )
