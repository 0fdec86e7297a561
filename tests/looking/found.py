"""Small raw files, looked at."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from d4cbuild.looking.job import look
from d4cbuild.model.facts import Facts, NoteFacts, SourceFacts, TableFacts
from d4cbuild.model.parse import record_from_json


def look_at(
    folder: Path, files: dict[str, bytes], documents: dict[str, bytes] | None = None
) -> Facts:
    """What is found in files, as the host reads it."""
    documents = documents or {}
    for name, data in (files | documents).items():
        (folder / name).write_bytes(data)
    parameters = {"sources": str(folder), "names": list(files), "documents": list(documents)}
    answer = json.dumps(look(parameters), ensure_ascii=False, allow_nan=False)
    return record_from_json(Facts, answer.encode(), "facts.json")


def source(folder: Path, name: str, data: bytes | str) -> SourceFacts:
    """What is found in one file."""
    data = data if isinstance(data, bytes) else data.encode()
    (found,) = look_at(folder, {name: data}).sources
    return found


def table(folder: Path, name: str, data: bytes | str) -> TableFacts:
    """The one table that is found in a file."""
    found = source(folder, name, data)
    assert found.trouble is None, found.trouble
    (only,) = found.tables
    return only


def types(found: TableFacts) -> dict[str, str]:
    """The types of the columns."""
    return {column.name: column.type for column in found.columns}


def options(found: TableFacts) -> dict[str, Any]:
    """The options of the read step."""
    record = found.steps[0].as_json()
    return {name: value for name, value in record.items() if name not in ("step", "source")}


def note(found: TableFacts | SourceFacts, about: str) -> NoteFacts:
    """What was noticed about something."""
    notes = [each for each in found.notes if each.about == about]
    assert notes, f"nothing about {about}, only about {[each.about for each in found.notes]}"
    return notes[0]


def zipped(members: dict[str, bytes | str]) -> bytes:
    """A zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()
