"""Raw files as publishers make them, small, and tables read from them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from d4cbuild.steps.reading import read_source


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    """A zip of some files."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    """A workbook by its cells."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def read(folder: Path, name: str, data: bytes, **options: Any) -> dict[str, list[Any]]:
    """What a file holds, read as a read step reads it."""
    path = folder / name
    path.write_bytes(data)
    return read_source(path, **options).to_pydict()


def refused(call: Any, *arguments: Any, **options: Any) -> str:
    """What is said where something is refused."""
    with pytest.raises(SystemExit) as stopped:
        call(*arguments, **options)
    text = str(stopped.value.code)
    assert "\n" in text, "a refusal says more than what is wrong"
    return text


def texts(**columns: list[str | None]) -> pa.Table:
    """A table of texts."""
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
