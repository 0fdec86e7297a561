"""Where a shared store lies: on a web server, in a folder, or on an rclone remote.

Layout::

    objects/ab/cdef…                          as in the store of a machine
    realisations/<build key>/<key id>.json    what its outputs are, signed with that key
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from d4cbuild.base.digest import CHUNK_BYTES, Digest
from d4cbuild.base.files import keep_as, remove_leftovers, temporary_file
from d4cbuild.base.progress import Progress
from d4cbuild.errors import InputError, Unavailable
from d4cbuild.sources.answer import address_fault
from d4cbuild.sources.http import HttpOrigin
from d4cbuild.sources.http_limits import HttpLimits
from d4cbuild.sources.local import LocalOrigin
from d4cbuild.sources.origin import Origin
from d4cbuild.sources.rclone import RcloneLimits, RcloneOrigin
from d4cbuild.store.store import OBJECT_MODE

CONNECT_S = 10
ATTEMPTS = 2
BACKOFF_S = 0.5
SLOW_BYTES_PER_S = 10_000
"""What is slower is given up: a substituter is there to save time."""


def object_name(digest: Digest) -> str:
    """Path of an object in a shared store."""
    if digest.algorithm != "blake3":
        raise ValueError(f"objects are named by BLAKE3, not {digest.algorithm}")
    return f"objects/{digest.hex[:2]}/{digest.hex[2:]}"


def realisation_name(build_key: Digest, key_id: str) -> str:
    """Path of a signed realisation in a shared store."""
    return f"realisations/{build_key.hex}/{key_id}.json"


class Place(Protocol):
    """A shared store."""

    @property
    def where(self) -> str:
        """The place, as the user named it."""

    def origin(self, name: str, size: int | None = None) -> Origin:
        """A file of the store, to be fetched.

        Args:
            name: Its path in the store.
            size: Its size in bytes, where it is known.

        Raises:
            Unavailable: if there is no such place at all.
        """

    def prepare(self) -> None:
        """Make ready to be written to.

        Raises:
            InputError: if nothing can be written to such a place.
        """

    def put(self, name: str, file: Path, progress: Progress, label: str) -> bool:
        """Have a file in the store, whole or not at all.

        Args:
            name: Its path in the store.
            file: The file.
            progress: Whom to tell.
            label: What it is called there.

        Returns:
            Whether it had to be written; not if it was there with the same bytes.

        Raises:
            Unavailable: if it cannot be written now.
        """


def place_of(address: str, stall_s: int) -> Place:
    """Read the address of a shared store. Nothing is opened or asked.

    Args:
        address: ``https://…``, ``remote:path``, or a folder.
        stall_s: Silence after which the place is given up, in seconds.

    Raises:
        InputError: if it is none of these.
    """
    if "://" in address:
        fault = address_fault(address)
        if fault is None and ("?" in address or "#" in address):
            fault = "an address that goes on after the path"
        if fault is not None:
            raise InputError(fault, expected="https://…", where=address)
        return WebPlace(address, stall_s)
    if ":" in address and not address.startswith(("/", ".")):
        place = RclonePlace(address, stall_s)
        place.origin("objects")  # refuses what is not to be handed to rclone
        return place
    return FolderPlace(Path(address))


@dataclass(frozen=True)
class WebPlace:
    """A folder that a web server serves.

    Attributes:
        where: Its address.
        stall_s: Silence after which it is given up, in seconds.
    """

    where: str
    stall_s: int

    def origin(self, name: str, size: int | None = None) -> Origin:
        """A file below the address."""
        limits = HttpLimits(
            connect_s=min(CONNECT_S, self.stall_s),
            read_s=self.stall_s,
            answer_s=2 * self.stall_s,
            attempts=ATTEMPTS,
            backoff_s=BACKOFF_S,
            longest_retry_after_s=self.stall_s,
            slow_bytes_per_s=SLOW_BYTES_PER_S,
            slow_window_s=self.stall_s,
        )
        return HttpOrigin(f"{self.where.rstrip('/')}/{name}", limits, size)

    def prepare(self) -> None:
        """Refuse: web servers are only read from."""
        raise InputError(
            "nothing can be pushed over http",
            expected="a folder, or remote:path of rclone",
            found=self.where,
            hint="push to the folder that the web server serves, or to the storage service "
            "behind it: --to remote:path",
        )

    def put(self, name: str, file: Path, progress: Progress, label: str) -> bool:  # noqa: ARG002
        """Refuse as well."""
        self.prepare()
        return False


@dataclass(frozen=True)
class RclonePlace:
    """A folder on an rclone remote.

    Attributes:
        where: ``remote:path``.
        stall_s: Silence after which it is given up, in seconds.
    """

    where: str
    stall_s: int

    def origin(self, name: str, size: int | None = None) -> Origin:  # noqa: ARG002
        """A file on the remote."""
        return self._file(name)

    def prepare(self) -> None:
        """Nothing: folders of a remote are made with the files."""

    def put(self, name: str, file: Path, progress: Progress, label: str) -> bool:
        """Copy a file to the remote. That it is never seen half is up to the remote."""
        return self._file(name).put(file, progress, label)

    def _file(self, name: str) -> RcloneOrigin:
        between = "" if self.where.endswith((":", "/")) else "/"
        limits = RcloneLimits(
            connect_s=min(CONNECT_S, self.stall_s),
            read_s=self.stall_s,
            attempts=ATTEMPTS,
            slow_bytes_per_s=SLOW_BYTES_PER_S,
        )
        return RcloneOrigin(f"{self.where}{between}{name}", limits)


@dataclass(frozen=True)
class FolderPlace:
    """A folder on this machine, or mounted on it.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def where(self) -> str:
        """The folder's path."""
        return str(self.path)

    def origin(self, name: str, size: int | None = None) -> Origin:  # noqa: ARG002
        """A file in the folder."""
        if not self.path.is_dir():
            raise Unavailable("there is no such folder", where=self.where)
        return LocalOrigin(self.path, name)

    def prepare(self) -> None:
        """Make the folder, and remove what a killed process left half-written."""
        folder = self.path / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)

    def put(self, name: str, file: Path, progress: Progress, label: str) -> bool:
        """Write a file under a temporary name and rename it; see :meth:`Place.put`."""
        target = self.path / name
        if _same_bytes(target, file):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(self.path / "tmp") as (temporary, stream), file.open("rb") as source:
            with progress.task(label, file.stat().st_size) as advance:
                while chunk := source.read(CHUNK_BYTES):
                    stream.write(chunk)
                    advance(len(chunk))
            os.fchmod(stream.fileno(), OBJECT_MODE)
            keep_as(target, temporary, stream)
        return True


def _same_bytes(one: Path, other: Path) -> bool:
    if not one.is_file() or one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while chunk := first.read(CHUNK_BYTES):
            if chunk != second.read(len(chunk)):
                return False
    return True
