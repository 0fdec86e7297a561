"""Archives: which members are tables, and which of them are one."""

from __future__ import annotations

import fnmatch
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from d4cbuild.looking.delimited import Delimited, look_at_delimited
from d4cbuild.looking.names import snake, table_name
from d4cbuild.looking.notes import Note, NotReadable, few
from d4cbuild.steps.members import read_member
from d4cbuild.steps.reading import FORMATS

LARGEST_BYTES = 1 << 30
"""Of all members together, unpacked. Tables are read in memory."""

_LONGEST_TEXT = 64 << 10
_DOCUMENTS = (".txt", ".md", ".html", ".htm", "")
_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".kmz")
_GTFS = frozenset({"agency.txt", "routes.txt", "stops.txt", "trips.txt", "stop_times.txt"})
_LEAD = ("layer", "csv", "xlsx", "json", "xml")
_FEW = 12


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    Attributes:
        name: Its path there.
        size: Bytes, unpacked.
    """

    name: str
    size: int

    @property
    def ending(self) -> str:
        """The ending of its name, in small letters."""
        return Path(self.name).suffix.lower()


@dataclass(frozen=True)
class Group:
    """Members that are one table.

    Attributes:
        pattern: What they match, and no other member of their kind.
        names: Their paths.
        found: How they are read.
    """

    pattern: str
    names: tuple[str, ...]
    found: Delimited

    @property
    def table(self) -> str:
        """A name for the table."""
        if len(self.names) == 1:
            return table_name(self.names[0])
        return snake(self.pattern.rsplit("/", 1)[-1].rpartition(".")[0], 40) or "data"


def members_in(path: Path) -> list[Member]:
    """The files of an archive, by name.

    Raises:
        NotReadable: if it is broken, or larger than may be read.
    """
    try:
        if path.name.endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                if any(info.flag_bits & 1 for info in archive.infolist()):
                    raise NotReadable("members are encrypted")
                found = [Member(i.filename, i.file_size) for i in archive.infolist()]
        else:
            with tarfile.open(path) as tar:
                found = [Member(m.name, m.size) for m in tar if m.isfile()]
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise NotReadable(f"it is no archive that can be read: {error}") from error
    found = [m for m in found if not m.name.endswith("/") and not m.name.startswith("__MACOSX/")]
    total = sum(member.size for member in found)
    if total > LARGEST_BYTES:
        raise NotReadable(
            f"its {len(found)} members are {total} bytes unpacked, more than the {LARGEST_BYTES}"
            " that are looked at"
        )
    return sorted(found, key=lambda member: member.name.encode())


def is_gtfs(members: Sequence[Member]) -> bool:
    """Whether an archive is a transit feed, in which each text is a table."""
    return {Path(m.name).name for m in members} >= _GTFS


def kinds_in(members: Sequence[Member]) -> dict[str, list[Member]]:
    """Members that may be tables, by format. Text beside shapes or CSV is no table but about it."""
    kinds: dict[str, list[Member]] = {kind: [] for kind in _LEAD}
    for member in members:
        kind = FORMATS.get(member.ending)
        geodatabase = next((p for p in Path(member.name).parents if p.suffix == ".gdb"), None)
        if geodatabase is not None:
            folder = Member(geodatabase.as_posix(), 0)
            if folder not in kinds["layer"]:
                kinds["layer"].append(folder)
        elif kind is not None and (member.ending != ".txt" or is_gtfs(members)):
            kinds[kind].append(member)
    for kind in _LEAD:
        if kinds[kind]:
            rest = ("json", "xml") if kind != "json" else ("xml",)
            return kinds | {other: [] for other in rest if other != kind}
    texts = [member for member in members if member.ending == ".txt"]
    return kinds | {"csv": texts}


def documents_in(path: Path, members: Sequence[Member], tables: set[str]) -> dict[str, str]:
    """The texts that accompany the tables, by name."""
    found = {}
    for member in members:
        name = Path(member.name).name.lower()
        telling = member.ending in _DOCUMENTS or "licen" in name or "readme" in name
        if member.name not in tables and telling and member.size < 8 * _LONGEST_TEXT:
            data = read_member(path, member.name)[:_LONGEST_TEXT]
            if b"\0" not in data:
                found[member.name] = data.decode("utf-8", "replace")
    return found


def nested_in(members: Sequence[Member]) -> list[Note]:
    """What to say of archives within the archive: no step reads into them."""
    inner = [member.name for member in members if member.ending in _ARCHIVES]
    if not inner:
        return []
    text = f"archives within the archive are left out: {few(inner)}"
    write = "unpack them, and give what is in them to init"
    return [Note("members", text, None, write)]


def groups_of(path: Path, members: Sequence[Member]) -> tuple[list[Group], list[Note]]:
    """Put members with delimiters that have the same columns together."""
    found: dict[tuple[str, ...], list[tuple[str, Delimited]]] = {}
    notes: list[Note] = []
    for member in members:
        try:
            looked = look_at_delimited(read_member(path, member.name), member.name)
        except NotReadable as error:
            notes.append(Note("members", f"{member.name} is left out: {error}", 80))
            continue
        found.setdefault(looked.columns, []).append((member.name, looked))
    every = [member.name for member in members]
    groups = []
    for alike in found.values():
        names = tuple(name for name, _ in alike)
        joined, more = _joined([looked for _, looked in alike], names)
        notes += more
        if joined is not None:
            groups += _patterned(names, joined, every, notes)
    return groups, notes


def _joined(
    alike: Sequence[Delimited], names: Sequence[str]
) -> tuple[Delimited | None, list[Note]]:
    """The options with which all of some members can be read."""
    telling = [each for each in alike if not each.encoding.ascii_only] or list(alike)
    least = min(telling, key=lambda each: each.encoding.confidence)
    encodings = {each.encoding.name for each in telling}
    ragged = {"ragged": "pad"} if any("ragged" in each.options for each in alike) else {}
    rest = [_without(each.options, "encoding", "ragged") for each in alike]
    if len(encodings) > 1 or any(options != rest[0] for options in rest):
        text = f"{few(names)} have the same columns, but are written in different ways"
        text += f" ({few(sorted(encodings))}); left out"
        return None, [Note("members", text, None, "a read step for each, and a union step")]
    encoding = {k: v for k, v in least.options.items() if k == "encoding"}
    notes = {note.about: note for each in alike for note in each.notes if note.about != "encoding"}
    said = [note for note in least.notes if note.about == "encoding"]
    options = {**encoding, **rest[0], **ragged}
    return replace(least, options=options, notes=(*said, *notes.values())), []


def _without(options: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}


def _patterned(
    names: Sequence[str], found: Delimited, every: Sequence[str], notes: list[Note]
) -> list[Group]:
    if len(names) == 1:
        return [Group(literal(names[0]), tuple(names), found)]
    pattern = _pattern(names, every)
    if pattern is not None:
        text = f"{len(names)} members have the same columns, and are one table: {pattern}"
        found = replace(found, notes=(*found.notes, Note("members", text, 90)))
        return [Group(pattern, tuple(names), found)]
    if len(names) <= _FEW:
        text = f"{few(names)} have the same columns, but no pattern names just them"
        notes.append(Note("members", text, 70, "a union step, if they are one table"))
        return [Group(literal(name), (name,), found) for name in names]
    text = f"{len(names)} members such as {names[0]} are left out: no pattern names just them"
    notes.append(Note("members", text, None, "a read step with members, and a union step"))
    return []


def _pattern(names: Sequence[str], every: Sequence[str]) -> str | None:
    """A pattern that these match and no other does."""
    endings = {Path(name).suffix for name in names}
    start = _common(names)
    end = _common([name[::-1] for name in names])[::-1]
    tried = [f"*{ending}" for ending in endings if len(endings) == 1]
    tried.append(f"{literal(start)}*{literal(end)}")
    for pattern in tried:
        if [name for name in every if fnmatch.fnmatchcase(name, pattern)] == sorted(
            names, key=every.index
        ):
            return pattern
    return None


def _common(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    for place, character in enumerate(first):
        if place >= len(last) or last[place] != character:
            return first[:place]
    return first


def literal(name: str) -> str:
    """A pattern that matches just this name."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
