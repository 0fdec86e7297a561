"""The code that lies in a recipe's folder, without asking git."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.archive import TarEntry, canonical_tar
from d4cbuild.base.digest import Digest, blake3_of, blake3_of_file, blake3_of_stream
from d4cbuild.base.limits import LIMITS
from d4cbuild.errors import InputError

# What lies in the folder beside the code. If these counted, writing a lock would change what it
# locks, and a better title would change the build key.
NOT_CODE = frozenset(
    {
        "recipe.toml",
        "recipe.lock",
        "manifest.json",
        "README.md",
        "sources",
        ".gitattributes",
        ".gitignore",
    }
)
CACHE = "__pycache__"
MAXIMUM_FILE_BYTES = LIMITS.code_file_bytes


@dataclass(frozen=True)
class Code:
    """A recipe's code.

    Attributes:
        tar: The canonical tar.
        digest: Its BLAKE3.
    """

    tar: bytes
    digest: Digest

    @classmethod
    def of(cls, entries: list[TarEntry]) -> Code:
        """Make the tar of some files."""
        tar = b"".join(canonical_tar(entries))
        return cls(tar, blake3_of(tar))


def plain_code(folder: Path) -> Code | None:
    """The code as it lies in the folder, whatever git says; needs no git and is fast.

    ``None`` if something in the folder cannot be code. Git may ignore it, so that is no error yet.
    """
    try:
        return Code.of([entry_of(folder, path) for path in files_below(folder)])
    except InputError:
        return None


def folder_state(folder: Path) -> Digest:
    """A digest that changes whenever the code in a folder may have changed; no code's identity."""
    return blake3_of_stream(
        f"{path.relative_to(folder)}\0{_state(path)}\0".encode(errors="surrogateescape")
        for path in sorted(files_below(folder))
    )


def _state(path: Path) -> str:
    state = path.lstat()
    if not stat.S_ISREG(state.st_mode) or state.st_size > MAXIMUM_FILE_BYTES:
        # Perhaps ignored by git; if it is not, what comes next refuses it by name.
        return f"{state.st_mode} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}"
    return f"{state.st_mode & stat.S_IXUSR} {blake3_of_file(path)}"


def entry_of(folder: Path, path: Path) -> TarEntry:
    """One file of a folder as an entry of the code's tar.

    Raises:
        InputError: if it cannot be code.
    """
    data = _read(path)
    name = text_name(os.fsencode(path.relative_to(folder).as_posix()))
    return TarEntry(name, data, bool(path.stat().st_mode & stat.S_IXUSR))


def text_name(name: bytes) -> str:
    """A file's name as text.

    Raises:
        InputError: if it is not UTF-8.
    """
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            "a file of the recipe's code has a name that is not UTF-8",
            found=repr(name),
            hint="rename it",
        ) from error


def files_below(folder: Path) -> Iterator[Path]:
    """Yield what lies in a recipe's folder and may be code, links and repositories included."""
    for place, folders, names in os.walk(folder):
        top = Path(place) == folder
        if not top and ".git" in (*folders, *names):
            # A repository or submodule: not walked into, but to be met as what it is.
            yield Path(place, ".git")
            folders.clear()
            continue
        if top:
            folders[:] = [name for name in folders if name not in (*NOT_CODE, ".git")]
            names = [name for name in names if name not in (*NOT_CODE, ".git")]
        folders[:] = [name for name in folders if name != CACHE]
        for name in names:
            yield Path(place, name)
        for name in folders:
            if Path(place, name).is_symlink():
                yield Path(place, name)  # not walked into, but to be met as a link


def _read(path: Path) -> bytes:
    state = path.lstat()
    if path.name == ".git":
        raise not_plain("a git repository or submodule", str(path.parent))
    if not stat.S_ISREG(state.st_mode):
        raise not_plain(
            "a symbolic link" if stat.S_ISLNK(state.st_mode) else "another kind of file", str(path)
        )
    if state.st_size > MAXIMUM_FILE_BYTES:
        raise InputError(
            "a file of the recipe's code is too large",
            expected=f"at most {MAXIMUM_FILE_BYTES >> 20} MiB",
            found=f"{state.st_size >> 20} MiB",
            where=str(path),
            hint="data belong into [[sources]], not into the code",
        )
    return path.read_bytes()


def not_plain(found: str, where: str) -> InputError:
    """The error for something in the code that is no plain file."""
    return InputError(
        "a recipe's code is made of plain files",
        found=found,
        where=where,
        hint="replace it with a copy of the files",
    )
