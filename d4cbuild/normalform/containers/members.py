"""Which members an archive has in its one form, and in which order."""

from __future__ import annotations

from collections.abc import Iterable

from d4cbuild.normalform.containers.kept import Kept

MOST_MEMBERS = 500_000
SHOWN = 60

# Some formats made of a zip are known by their first member, or are read from the front.
FIRST = ("mimetype", "META-INF/MANIFEST.MF", "[Content_Types].xml", "doc.kml")


def plain_name(name: str) -> str:
    """A member's name without ``./`` before it and ``/`` after it; empty for the root folder.

    Raises:
        Kept: if it is absolute or leads out of the folder an archive is unpacked to, or has
            characters that are read differently by different programs.
    """
    parts = [part for part in name.rstrip("/").split("/") if part != "."]
    odd = name.startswith("/") or any(part in ("", "..") for part in parts) if parts else False
    if odd or "\\" in name or "\0" in name:
        raise Kept(f"the member name {shown(name)} is not a plain relative one")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise Kept(f"the member name {shown(name)} is not UTF-8") from error
    return "/".join(parts)


def listed(files: Iterable[str], folders: Iterable[str]) -> list[str]:
    """Names of the members to write, in order; folders with something in them are not listed.

    Args:
        files: Plain names of files and links, each member's once.
        folders: Plain names of folders; the root is passed over.

    Returns:
        Names sorted by their UTF-8 bytes, after those of :data:`FIRST`. A folder's ends in ``/``.

    Raises:
        Kept: if two files have one name, or a file the name of a folder.
    """
    known: set[str] = set()
    parents: set[str] = set()
    for name in files:
        if name in known or not name:
            raise Kept(f"several members are named {shown(name)}")
        known.add(name)
        parents.update(_parents(name))
    empty = {folder for folder in folders if folder}
    for folder in empty:
        parents.update(_parents(folder))
    for name in known:
        if name in parents or name in empty:
            raise Kept(f"{shown(name)} is both a file and a folder")
    names = [*known, *(f"{folder}/" for folder in empty - parents)]
    return sorted(names, key=_place)


def _parents(name: str) -> Iterable[str]:
    at = name.find("/")
    while at != -1:
        yield name[:at]
        at = name.find("/", at + 1)


def _place(name: str) -> tuple[int, bytes]:
    return FIRST.index(name) if name in FIRST else len(FIRST), name.encode()


def check_count(count: int) -> None:
    """Refuse an archive of too many members to hold their names.

    Raises:
        Kept: if there are too many.
    """
    if count > MOST_MEMBERS:
        raise Kept(f"it has more than {MOST_MEMBERS:,} members")


def shown(name: str) -> str:
    """A name as a message shows it: quoted, in ASCII, and not too long."""
    text = ascii(name)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
