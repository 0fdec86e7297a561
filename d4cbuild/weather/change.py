"""How bytes that are not the locked ones differ from them: another wrapper, or another content."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from d4cbuild.base.digest import Digest, FileDigests, digests_of_file
from d4cbuild.errors import Unavailable
from d4cbuild.model.lock import LockedSource
from d4cbuild.weather.members import members_of

_SHOWN = 20
_PAGE_BYTES = 2048


class ChangeKind(StrEnum):
    """What kind of other bytes a place has."""

    WRAPPER = "another wrapper"
    """The same files, packed otherwise: in another order, at another time, more or less tightly."""

    MEMBERS = "other members"
    """A real change: of the files in the archive, some are others."""

    BYTES = "other content"
    """A real change of something that is no archive."""

    PAGE = "a web page"
    """Not a file at all: the server answers with a page where it should say that it has none."""

    UNKNOWN = "not told"
    """It could not be told which."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is other.

    Attributes:
        kind: In one word.
        text: In one sentence.
        members: Names of files in the archive, each with what became of it.
        sha256: Digest of what is there now, where it was read.
        size: Its size in bytes.
    """

    kind: ChangeKind
    text: str
    members: tuple[str, ...] = ()
    sha256: str | None = None
    size: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The change as plain JSON values."""
        return {**asdict(self), "kind": str(self.kind), "members": list(self.members)}


def classify(now: Path, locked: LockedSource, before: Path | None) -> Change:
    """Say how a file differs from the locked one.

    Args:
        now: What a place has now.
        locked: What was locked.
        before: A file with the locked bytes, where there is one on this machine.
    """
    digests = digests_of_file(now)
    try:
        kind, text, members = _told(now, digests, locked, before)
    except Unavailable as error:
        kind, text, members = ChangeKind.UNKNOWN, error.message, ()
    return Change(kind, text, members, str(digests.sha256), digests.size)


def _told(
    now: Path, digests: FileDigests, locked: LockedSource, before: Path | None
) -> tuple[ChangeKind, str, tuple[str, ...]]:
    new = members_of(now)
    for name, digest in (new or {}).items():
        if digest == locked.blake3:
            return ChangeKind.WRAPPER, f"the locked file itself, inside an archive as {name}", ()
    if new is None and _is_page(now):
        return ChangeKind.PAGE, "the server answers with a web page in the file's place", ()
    if before is None:
        return (
            ChangeKind.UNKNOWN,
            "the locked bytes are not on this machine, so there is nothing to compare with",
            (),
        )
    old = members_of(before)
    if old is not None and new is None and [*old.values()] == [digests.blake3]:
        return ChangeKind.WRAPPER, f"{next(iter(old))} itself, taken out of its archive", ()
    if old is None and new is None:
        return ChangeKind.BYTES, f"{digests.size} bytes; locked were {locked.size}", ()
    if old is None or new is None:
        kinds = ("a plain file", "an archive")
        became = f"{kinds[old is not None]} became {kinds[new is not None]} of something else"
        return ChangeKind.BYTES, became, ()
    return _compared(old, new)


def _compared(
    old: Mapping[str, Digest], new: Mapping[str, Digest]
) -> tuple[ChangeKind, str, tuple[str, ...]]:
    if old == new:
        text = f"the same {len(old)} files in it; only how they are packed is other"
        return ChangeKind.WRAPPER, text, ()
    if Counter(old.values()) == Counter(new.values()):
        count = len(new.keys() - old.keys())
        lines = [f"renamed or moved: {name}" for name in sorted(new.keys() - old.keys())]
        return (
            ChangeKind.MEMBERS,
            f"the same contents, {count} of them under other names",
            _shortened(lines),
        )
    lines = [f"gone: {name}" for name in sorted(old.keys() - new.keys())]
    lines += [f"new: {name}" for name in sorted(new.keys() - old.keys())]
    lines += [f"changed: {name}" for name in sorted(old) if new.get(name, old[name]) != old[name]]
    same = sum(new.get(name) == digest for name, digest in old.items())
    return (
        ChangeKind.MEMBERS,
        f"{len(lines)} files in it are others, {same} are the same",
        _shortened(lines),
    )


def _shortened(lines: list[str]) -> tuple[str, ...]:
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return (*lines[:_SHOWN], *more)


def _is_page(path: Path) -> bool:
    with path.open("rb") as stream:
        beginning = stream.read(_PAGE_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return beginning.startswith((b"<!doctype html", b"<html"))
