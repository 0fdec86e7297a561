"""A root filesystem while it is put together: on disk, and as an index of what is there.

Nothing is written through a link: every path is resolved against the links the environment
declares, and all its parents must be folders of the index.
"""

import os
import posixpath
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from d4cbuild.base.archive import is_clean_relative
from d4cbuild.base.limits import LIMITS
from d4cbuild.errors import InputError

Kind = Literal["directory", "file", "link"]
DIRECTORY_MODE = 0o755
_MAXIMUM_LINKS = 40
_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a root filesystem.

    Attributes:
        path: Relative to the root, without a leading slash.
        kind: What it is.
        mode: Permission bits.
        size: Bytes of a file, else 0.
        target: What a symbolic link points to, else empty.
    """

    path: str
    kind: Kind
    mode: int
    size: int = 0
    target: str = ""


class Tree:
    """A root filesystem in the making.

    Args:
        root: An empty folder on disk.
        links: Declared symbolic links, absolute path to target: a package's path that passes
            through one is put where the link points.
    """

    def __init__(self, root: Path, links: Mapping[str, str]) -> None:
        self.root = root
        self._links = {_relative(path): target for path, target in links.items()}
        self._entries: dict[str, Entry] = {}
        self._owners: dict[str, str] = {}
        self._layers: list[tuple[str, list[str]]] = []

    def begin_layer(self, name: str) -> None:
        """Put what is added from now on into another layer."""
        self._layers.append((name, []))

    def layers(self) -> list[tuple[str, list[Entry]]]:
        """The layers, lowest first, with entries sorted by the UTF-8 bytes of their paths."""
        return [
            (name, [self._entries[path] for path in sorted(paths, key=utf8)])
            for name, paths in self._layers
        ]

    def make_declared_links(self) -> None:
        """Add the declared links themselves."""
        for path, target in sorted(self._links.items()):
            parent = self._parents(path, "[links]")
            self._add(
                Entry(posixpath.join(parent, posixpath.basename(path)), "link", 0o777, 0, target),
                "[links]",
            )

    def add_directory(self, path: str, by: str, mode: int | None = None) -> None:
        """Add a folder; one that is there already is fine, unless a mode is asked that it has not.

        Args:
            path: Clean relative path.
            by: Who wants it: a package or a section of the definition, for errors.
            mode: Permission bits; without, the usual ones or those it has.
        """
        place = self._resolve(_checked(path, by), by)
        there = self._entries.get(place)
        wanted = Entry(place, "directory", DIRECTORY_MODE if mode is None else mode)
        if there is None:
            self._parents(place, by)
            self._add(wanted, by)
        elif there.kind != "directory" or (mode is not None and there != wanted):
            raise self._conflict(wanted, by)

    def add_link(self, path: str, target: str, by: str) -> None:
        """Add a symbolic link; the same one being there already is fine."""
        parent = self._parents(path, by)
        entry = Entry(posixpath.join(parent, posixpath.basename(path)), "link", 0o777, 0, target)
        there = self._entries.get(entry.path)
        if there is None:
            self._add(entry, by)
        elif there != entry:
            raise self._conflict(entry, by)

    def add_file(self, path: str, executable: bool, content: IO[bytes], by: str) -> str:
        """Add a file; one with the same bytes and mode being there already is fine.

        Returns:
            The path where it lies, after declared links.

        Raises:
            InputError: naming both owners if two want different things in one place.
        """
        parent = self._parents(path, by)
        place = posixpath.join(parent, posixpath.basename(path))
        mode = 0o755 if executable else 0o644
        there = self._entries.get(place)
        if there is None:
            size = self._write(place, mode, content)
            self._add(Entry(place, "file", mode, size), by)
        elif there.kind != "file" or there.mode != mode or not self._equal(place, content):
            raise self._conflict(Entry(place, "file", mode), by)
        return place

    def open(self, path: str, by: str) -> tuple[IO[bytes], bool]:
        """Open a file that is there already. Returns its bytes and whether it is executable."""
        place = self._resolve(path, by)
        entry = self._entries.get(place)
        if entry is None or entry.kind != "file":
            raise InputError(f"{by} names a file that is not there", where=f"/{path}")
        return on_disk(self.root, place).open("rb"), entry.mode == 0o755

    def finish(self) -> None:
        """Give everything on disk the one modification time that the layers state."""
        for path in sorted(self._entries, key=len, reverse=True):
            os.utime(on_disk(self.root, path), (0, 0), follow_symlinks=False)
        os.utime(self.root, (0, 0))

    def _parents(self, path: str, by: str) -> str:
        """Make the folders above a path; return the one it lies in, after declared links."""
        parent = self._resolve(posixpath.dirname(_checked(path, by)), by)
        for folder in _ancestors(parent):
            there = self._entries.get(folder)
            if there is None:
                self._add(Entry(folder, "directory", DIRECTORY_MODE), by)
            elif there.kind != "directory":
                raise self._conflict(Entry(folder, "directory", DIRECTORY_MODE), by)
        return parent

    def _resolve(self, path: str, by: str) -> str:
        """Follow the declared links in a path."""
        left, done = [part for part in path.split("/") if part], ""
        followed = 0
        while left:
            step = posixpath.join(done, left.pop(0))
            if step in self._links:
                followed += 1
                target = posixpath.normpath(posixpath.join("/", done, self._links[step]))
                left, done = [*[part for part in target.split("/") if part], *left], ""
            else:
                done = step
            if followed > _MAXIMUM_LINKS:
                raise InputError("links of [links] run in a circle", found=by, where=f"/{path}")
        return done

    def _add(self, entry: Entry, by: str) -> None:
        if entry.kind == "directory":
            on_disk(self.root, entry.path).mkdir()
            on_disk(self.root, entry.path).chmod(entry.mode)  # whatever the umask
        elif entry.kind == "link":
            on_disk(self.root, entry.path).symlink_to(os.fsdecode(utf8(entry.target)))
        self._entries[entry.path] = entry
        self._owners[entry.path] = by
        self._layers[-1][1].append(entry.path)

    def _write(self, place: str, mode: int, content: IO[bytes]) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(on_disk(self.root, place), flags, 0o600), "wb") as stream:
            shutil.copyfileobj(content, stream, _COPY_BYTES)
            os.fchmod(stream.fileno(), mode)
            return stream.tell()

    def _equal(self, place: str, content: IO[bytes]) -> bool:
        with on_disk(self.root, place).open("rb") as there:
            while mine := there.read(_COPY_BYTES):
                if content.read(len(mine)) != mine:
                    return False
        return not content.read(1)

    def _conflict(self, entry: Entry, by: str) -> InputError:
        there = self._entries[entry.path]
        return InputError(
            f"two packages want different things at /{entry.path}",
            expected=f"{there.kind} {there.mode:04o} of {self._owners[entry.path]}",
            found=f"{entry.kind} {entry.mode:04o} of {by}",
            hint="leave one of them out (`without`), or drop the path (`drop`)",
        )


def utf8(path: str) -> bytes:
    """The bytes of a path or link target in an image: UTF-8, whatever this machine's locale."""
    return path.encode("utf-8", "surrogateescape")


def on_disk(root: Path, path: str) -> Path:
    """Where a path of an image lies on this machine, whose locale may name files otherwise."""
    return root / os.fsdecode(utf8(path))


def _ancestors(path: str) -> Iterator[str]:
    parts = path.split("/") if path else []
    for count in range(1, len(parts) + 1):
        yield "/".join(parts[:count])


def _relative(absolute: str) -> str:
    return _checked(absolute.removeprefix("/"), "[links]")


def _checked(path: str, by: str) -> str:
    if not is_clean_relative(path):
        raise InputError(
            f"{by} names a path that leaves its folder",
            expected="a relative path without '..'",
            found=repr(path),
        )
    parts = utf8(path).split(b"/")
    if len(utf8(path)) > LIMITS.path_bytes or max(map(len, parts)) > LIMITS.name_bytes:
        raise InputError(
            f"{by} names a path that is too long",
            expected=f"{LIMITS.path_bytes} bytes at most, {LIMITS.name_bytes} between two slashes",
            found=f"{len(utf8(path))} bytes: {path[:80]!r}…",
        )
    return path
