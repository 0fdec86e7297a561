"""The normal form's code, as it is carried into the sandbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import d4cbuild.normalform
from d4cbuild.base.archive import TarEntry, canonical_tar
from d4cbuild.base.digest import Digest, blake3_of_stream
from d4cbuild.base.files import regular_files

_SUFFIXES = frozenset({".py", ".json"})
_INSIDE = Path("d4cbuild") / "normalform"


@dataclass(frozen=True)
class CarriedCode:
    """The code of a writer of the normal form.

    Attributes:
        entries: Its files, named from the package's own folder.
    """

    entries: tuple[TarEntry, ...]

    @property
    def digest(self) -> Digest:
        """BLAKE3 of its canonical tar: part of the derivation."""
        return blake3_of_stream(canonical_tar(self.entries))

    def lay_out(self, lib: Path) -> None:
        """Copy it into a folder that goes onto ``PYTHONPATH``.

        Args:
            lib: A new folder; it becomes ``/d4c/lib``.
        """
        lay_out(lib, self.entries, _INSIDE)


def installed_normal_form() -> CarriedCode:
    """The writer of this version of d4cbuild."""
    (place,) = d4cbuild.normalform.__path__
    folder = Path(place)
    return CarriedCode(
        tuple(
            TarEntry(path.as_posix(), (folder / path).read_bytes())
            for path in regular_files(folder)
            if path.suffix in _SUFFIXES
        )
    )


def lay_out(folder: Path, entries: Iterable[TarEntry], below: Path = Path()) -> None:
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
