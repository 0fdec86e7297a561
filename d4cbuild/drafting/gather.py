"""The raw files that a recipe is to be drafted of: here, in a folder, or at an address."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from d4cbuild.base.files import regular_files
from d4cbuild.base.progress import Progress
from d4cbuild.errors import InputError
from d4cbuild.sources.candidates import file_name
from d4cbuild.sources.http import HttpOrigin

MOST_FILES = 200
LARGEST_BYTES = 4 << 30
"""What is fetched at most to look at, in bytes."""

TODO_ADDRESS = "https://example.invalid/TODO/"
"""Stands for the publisher's address, which nobody has said."""

_LONGEST_NAME = 64
_DOCUMENT = re.compile(r"licen[cs]e|copying|readme|lisez|attribution|conditions|terms", re.I)
_DOCUMENT_ENDINGS = frozenset({".md", ".html", ".htm", ".rst"})


@dataclass(frozen=True)
class RawFile:
    """A raw file, or a text about the others.

    Attributes:
        name: The name it is to have as a source.
        path: Where its bytes are on this machine.
        given: The name it came with.
        url: Where it is published; what stands for that, if nobody has said.
        size: Bytes.
        is_document: Whether it is only a text about the others.
        fetched: Whether it was fetched from its address.
    """

    name: str
    path: Path
    given: str
    url: str
    size: int
    is_document: bool = False
    fetched: bool = False


def gather(places: Sequence[str], into: Path, progress: Progress) -> list[RawFile]:
    """Have all raw files on this machine.

    Args:
        places: Files, folders and addresses.
        into: A folder for what is fetched.
        progress: Whom to tell.

    Raises:
        InputError: if a place is none of these, or there are too many files.
        Unavailable: if an address does not give its file.
    """
    found: list[RawFile] = []
    for number, place in enumerate(places):
        if "://" in place:
            found.append(_fetched(place, into / str(number), progress))
        else:
            found += _local(Path(place))
    files = list(_named_apart(found))
    if not any(not each.is_document for each in files):
        raise InputError("there is no file to look at", where=", ".join(places), hint="--from FILE")
    if len(files) > MOST_FILES:
        raise InputError(
            "there are too many files",
            expected=f"at most {MOST_FILES}",
            found=str(len(files)),
            where=", ".join(places),
            hint="put those of one kind into a zip, and give that",
        )
    return files


def _fetched(address: str, folder: Path, progress: Progress) -> RawFile:
    origin = HttpOrigin(address)
    given = file_name(address) or "data"
    folder.mkdir(parents=True)
    path = folder / "body"
    origin.fetch(path, LARGEST_BYTES, progress, f"fetching {given}")
    size = path.stat().st_size
    return RawFile(source_name(given), path, given, address, size, fetched=True)


def _local(place: Path) -> Iterator[RawFile]:
    if place.is_file():
        yield _file(place, place.name, is_document=False)
        return
    if not place.is_dir():
        raise InputError(
            "there is no such file or folder",
            expected="a file, a folder, or an http or https address",
            where=str(place),
            hint="d4cbuild init ID --from FILE",
        )
    if place.suffix.lower() == ".gdb":
        raise InputError(
            "a file geodatabase is a folder, and a source is one file",
            where=str(place),
            hint=f"zip -r {place.name}.zip {place.name}, and give that",
        )
    for path in regular_files(place):
        if not any(part.startswith(".") for part in path.parts):
            about = bool(_DOCUMENT.search(path.name)) or path.suffix.lower() in _DOCUMENT_ENDINGS
            yield _file(place / path, path.name, is_document=about)


def _file(path: Path, given: str, *, is_document: bool) -> RawFile:
    url = TODO_ADDRESS + quote(given)
    size = path.stat().st_size
    return RawFile(source_name(given), path, given, url, size, is_document)


def source_name(given: str) -> str:
    """A file's name as a source may have it: ``Relevé (2021).CSV`` is ``releve_2021.csv``."""
    pure = PurePosixPath(given)
    ending = re.sub(r"[^a-z0-9.]", "", pure.suffix.lower())
    # A second ending belongs to the name: .gdb.zip, .tar.gz.
    bare = unicodedata.normalize("NFKD", pure.stem).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9_.-]+", "_", bare).strip("_.-") or "data"
    return stem[: _LONGEST_NAME - len(ending)] + ending


def _named_apart(files: Sequence[RawFile]) -> Iterator[RawFile]:
    taken: set[str] = set()
    for file in files:
        name, count = file.name, 1
        while name in taken:
            count += 1
            stem, dot, ending = file.name.partition(".")
            name = f"{stem[: _LONGEST_NAME - len(ending) - 4]}_{count}{dot}{ending}"
        taken.add(name)
        yield replace(file, name=name)
