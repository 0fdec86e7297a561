"""One raw file: what it is, and the tables and rasters in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from d4cbuild.looking.archive import (
    Group,
    documents_in,
    groups_of,
    is_gtfs,
    kinds_in,
    literal,
    members_in,
    nested_in,
)
from d4cbuild.looking.delimited import look_at_delimited
from d4cbuild.looking.layers import layers_of, raster_facts
from d4cbuild.looking.names import table_name
from d4cbuild.looking.notes import Note, NotReadable, few, plain
from d4cbuild.looking.records import Records, look_at_json, look_at_xml
from d4cbuild.looking.table import look_at_table, refusals
from d4cbuild.looking.workbook import look_at_workbook
from d4cbuild.steps.members import gdal_path, is_archive, read_member
from d4cbuild.steps.reading import FORMATS, LAYER

RASTERS = (".tif", ".tiff")
# Parts of a Shapefile or a raster: GDAL finds them beside it.
PARTS = (".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qpj", ".qix", ".tfw", ".xsd", ".gfs")
_NESTED: dict[str, Callable[[bytes, str], list[Records]]] = {
    "json": look_at_json,
    "xml": look_at_xml,
}
_MOST_TABLES = 60


@dataclass
class Looked:
    """What was found in a raw file.

    Attributes:
        tables: Facts of each table.
        rasters: Facts of each raster.
        notes: What was noticed of the file as a whole.
        documents: Texts that accompany the tables, by name.
    """

    tables: list[dict[str, Any]] = field(default_factory=list)
    rasters: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)


def look_at_source(path: Path) -> dict[str, Any]:
    """Look at a raw file. What cannot be read is said in the facts.

    Args:
        path: The file, by the name it has as a source.
    """
    looked = Looked()
    trouble = ""
    try:
        if is_archive(path):
            _archive(path, looked)
        elif path.suffix.lower() not in PARTS:
            _part(path, path.name, None, looked)
        if not (looked.tables or looked.rasters or path.suffix.lower() in PARTS):
            trouble = "; ".join(note.text for note in looked.notes) or "no table was found in it"
    except NotReadable as error:
        trouble = str(error)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's file makes of our libraries
        trouble = f"looking at it failed: {type(error).__name__}: {error}"
    return {
        "name": path.name,
        "tables": looked.tables,
        "rasters": looked.rasters,
        "notes": [note.as_json() for note in looked.notes],
        "trouble": plain(trouble, 2000) or None,
        "documents": looked.documents,
    }


def _archive(path: Path, looked: Looked) -> None:
    members = members_in(path)
    looked.notes += nested_in(members)
    kinds = kinds_in(members)
    used = {member.name for found in kinds.values() for member in found}
    looked.documents |= documents_in(path, members, used)
    for kind in ("layer", "xlsx", "json", "xml"):
        for member in kinds[kind]:
            _tried(member.name, looked, lambda m: _part(path, m, m, looked))
    groups, notes = groups_of(path, kinds["csv"])
    looked.notes += notes
    for group in groups:
        _tried(group.pattern, looked, partial(_group, path, group, looked, is_gtfs(members)))
    for member in members:
        if member.ending in RASTERS:
            _tried(member.name, looked, lambda m: _raster(path, m, m, looked))


def _group(path: Path, group: Group, looked: Looked, is_feed: bool, pattern: str) -> None:
    options = {"members": pattern, **group.found.options}
    if is_feed:
        options["format"] = "csv"
    name = table_name(path.name) if pattern.startswith("*.") else group.table
    several = len(group.names) > 1
    looked.tables.append(_with_member(path, name, options, group.found.notes, several=several))


def _tried(name: str, looked: Looked, look: Callable[[str], None]) -> None:
    """Look at a part of an archive; if it cannot be read, that is a note."""
    if len(looked.tables) >= _MOST_TABLES:
        looked.notes.append(Note("members", f"{name} is left out: there are too many tables", None))
        return
    try:
        look(name)
    except NotReadable as error:
        looked.notes.append(Note("members", f"{name} is left out: {error}", 80))


def _with_member(
    path: Path, name: str, options: Mapping[str, Any], notes: Sequence[Note], *, several: bool
) -> dict[str, Any]:
    """A table of several members: with a column for the member, if only that tells rows apart."""
    facts = look_at_table(path, name, options, notes, texts=True)
    if not several or not (facts["repeated"] or len(facts["key"]) > 3):
        return facts
    other = look_at_table(path, name, {**options, "member_column": "member"}, notes, texts=True)
    if other["repeated"] >= facts["repeated"] and len(other["key"]) >= len(facts["key"]):
        return facts
    text = "rows are told apart only with the path of the member that they are from"
    other["notes"].append(Note("member_column", text, 75).as_json())
    return other


def _part(path: Path, name: str, member: str | None, looked: Looked) -> None:
    """A file that is no archive: the raw file itself, or a member of it."""
    ending = Path(name).suffix.lower()
    chosen = {} if member is None else {"members": literal(member)}
    if ending in RASTERS:
        _raster(path, name, member, looked)
        return
    kind = FORMATS.get(ending)
    data = b"" if kind == LAYER or (member is None and path.is_dir()) else _data(path, member)
    if kind is None:
        kind = _sniffed(data)
        chosen = {**chosen, "format": kind}
    if kind == "csv":
        found = look_at_delimited(data, name)
        options = {**chosen, **found.options}
        notes = list(found.notes)
        looked.tables.append(look_at_table(path, table_name(name), options, notes, texts=True))
    elif kind == "xlsx":
        sheets, more = look_at_workbook(data, name)
        looked.notes += more
        for sheet in sheets:
            label = table_name(name) if len(sheets) == 1 else table_name(sheet.sheet)
            options = {**chosen, **sheet.options}
            looked.tables.append(look_at_table(path, label, options, sheet.notes, texts=True))
    elif kind == LAYER:
        _layers(path, name, member, chosen, looked)
    else:
        looked.tables.append(_first_that_reads(path, name, chosen, _NESTED[kind](data, name)))


def _data(path: Path, member: str | None) -> bytes:
    return path.read_bytes() if member is None else read_member(path, member)


def _sniffed(data: bytes) -> str:
    """The format of a file whose name does not tell it."""
    start = data[:200].lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith(b"PK\x03\x04"):
        return "xlsx"
    if start.startswith((b"{", b"[")):
        return "json"
    return "xml" if start.startswith(b"<") else "csv"


def _layers(
    path: Path, name: str, member: str | None, chosen: Mapping[str, Any], looked: Looked
) -> None:
    layers = layers_of(str(path) if member is None else gdal_path(path, member))
    if not layers:
        raise NotReadable("it has no layer")
    for layer in layers:
        only = len(layers) == 1
        options = {**chosen, **({} if only else {"layer": layer})}
        label = table_name(name) if only else table_name(layer)
        if only and Path(name).suffix.lower() == ".gdb":
            label = table_name(layer)
        _tried(layer, looked, partial(_layer, path, label, options, looked))


def _layer(
    path: Path, name: str, options: Mapping[str, Any], looked: Looked, _layer_name: str
) -> None:
    looked.tables.append(look_at_table(path, name, options, (), texts=False))


def _first_that_reads(
    path: Path, name: str, chosen: Mapping[str, Any], ways: Sequence[Records]
) -> dict[str, Any]:
    troubles = []
    for way in ways[:_MOST_TABLES]:
        try:
            options = {**chosen, **way.options}
            return look_at_table(path, table_name(name), options, way.notes, texts=True)
        except NotReadable as error:
            troubles.append(str(error))
    raise NotReadable(f"no records can be read: {few(troubles[:2])}")


def _raster(path: Path, name: str, member: str | None, looked: Looked) -> None:
    with refusals():
        facts = raster_facts(str(path) if member is None else gdal_path(path, member))
    step = {"step": "raster", "source": path.name, "output": table_name(name)}
    if member is not None:
        step["members"] = literal(member)
    notes: list[Note] = []
    if facts.pop("classes"):
        step["resampling"] = "nearest"
        text = "cells are whole numbers, taken as classes: overviews take the nearest"
        notes.append(Note("resampling", text, 60, 'resampling = "average", if they are measured'))
    looked.rasters.append(
        {
            "name": table_name(name),
            "step": step,
            "notes": [note.as_json() for note in notes],
            **facts,
        }
    )
