"""The normal form's code, as it is carried into the sandbox."""

from pathlib import Path

import d4cbuild.normalform
from d4cbuild.base.archive import TarEntry, canonical_tar
from d4cbuild.base.digest import Digest, blake3_of_stream
from d4cbuild.base.files import regular_files

_SUFFIXES = frozenset({".py", ".json"})
_INSIDE = Path("d4cbuild") / "normalform"


def normal_form_digest() -> Digest:
    """BLAKE3 of the canonical tar of the normal form's code."""
    return blake3_of_stream(canonical_tar(_entries()))


def carry_normal_form(lib: Path) -> None:
    """Copy the normal form's code into a folder that goes onto ``PYTHONPATH``.

    Args:
        lib: A new folder; it becomes ``/d4c/lib``.
    """
    lay_out(lib, _entries(), _INSIDE)


def lay_out(folder: Path, entries: list[TarEntry], below: Path = Path()) -> None:
    """Write files into a new folder so that every user may read them, whatever the umask.

    Args:
        folder: The folder to make.
        entries: The files.
        below: Where in the folder they go.
    """
    for entry in entries:
        path = folder / below / entry.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.data)
        path.chmod(0o755 if entry.executable else 0o644)
    folder.mkdir(parents=True, exist_ok=True)
    for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        place.chmod(0o755)


def _entries() -> list[TarEntry]:
    (place,) = d4cbuild.normalform.__path__
    folder = Path(place)
    return [
        TarEntry(path.as_posix(), (folder / path).read_bytes())
        for path in regular_files(folder)
        if path.suffix in _SUFFIXES
    ]
