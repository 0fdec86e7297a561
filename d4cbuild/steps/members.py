"""Files within archives."""

from __future__ import annotations

import fnmatch
import tarfile
import zipfile
from pathlib import Path

from .refusal import refuse, some

_TARS = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")


def is_archive(path: Path) -> bool:
    """Whether a raw file is an archive whose members can be read."""
    return path.name.endswith((".zip", *_TARS))


def members_of(path: Path, pattern: str) -> list[str]:
    """The members whose path matches, in order of their bytes.

    Args:
        path: The archive.
        pattern: As in a shell, over the whole path; ``*`` also stands for ``/``. A folder, such as
            that of a file geodatabase, matches without the slash at its end.
    """
    names = _names(path)
    folders = {
        "/".join(name.split("/")[:depth])
        for name in names
        for depth in range(1, name.count("/") + 1)
    }
    files = {name for name in names if not name.endswith("/")}
    found = [name for name in files if fnmatch.fnmatchcase(name, pattern)]
    # A folder only where no file is meant.
    found = found or [name for name in folders if fnmatch.fnmatchcase(name, pattern)]
    if not found:
        refuse(
            f"no member of {path.name} matches {pattern!r}",
            expected=f"one of {some(sorted(files))}",
        )
    return sorted(found, key=str.encode)


def read_member(path: Path, member: str) -> bytes:
    """The bytes of a member."""
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            return archive.read(member)
    with tarfile.open(path) as archive:
        stream = archive.extractfile(member)
        if stream is None:
            refuse(f"{member} of {path.name} is no plain file")
        return stream.read()


def gdal_path(path: Path, member: str) -> str:
    """How GDAL names a member."""
    kind = "vsizip" if path.name.endswith(".zip") else "vsitar"
    return f"/{kind}/{{{path}}}/{member}"


def _names(path: Path) -> list[str]:
    try:
        if path.name.endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                return archive.namelist()
        if path.name.endswith(_TARS):
            with tarfile.open(path) as archive:
                return [f"{m.name}/" if m.isdir() else m.name for m in archive]
        refuse(f"{path.name} is no archive", expected="a name that ends in .zip or .tar…")
    except (zipfile.BadZipFile, tarfile.TarError) as error:
        refuse(f"{path.name} is no archive that can be read", found=str(error))
