"""A place that may hold a copy of a file, and what all such places share."""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from d4cbuild.base.limits import LIMITS
from d4cbuild.base.progress import Progress
from d4cbuild.errors import Unavailable

LARGEST_BODY_BYTES = LIMITS.body_bytes
"""What is taken at most where no size is locked, in bytes."""

CHUNK_BYTES = 1 << 20


class Origin(Protocol):
    """A place that may hold a copy of one file."""

    @property
    def where(self) -> str:
        """The place, as a person would name it: an address or a path."""

    def fetch(self, into: Path, limit: int | None, progress: Progress, label: str) -> None:
        """Write the file's bytes.

        Args:
            into: A file that does not exist yet, in a folder that may be written to. When an
                error is raised it may hold part of the bytes; the caller removes it.
            limit: The most that is taken, in bytes; reading stops as soon as there is more.
            progress: Whom to tell.
            label: What the file is called there.

        Raises:
            Unavailable: if the bytes cannot be had from here, with what was tried.
            NotThere: if that is so because the file is not there.
            TooLarge: if there are more than ``limit`` bytes.
        """


class NotThere(Unavailable):
    """The place was looked into, and has no such file."""


class NotShown(Unavailable):
    """The place does not say whether it has the file: it is forbidden to us. Some storage services
    answer so of a missing file to whoever may not list the folder."""


class TooLarge(Unavailable):
    """There are more bytes than may be taken.

    Args:
        limit: What may be taken, in bytes.
        where: Who offers more.
        told: The size that was announced, in bytes, where one was.
    """

    def __init__(self, limit: int, where: str, told: int | None = None) -> None:
        found = f"more than {limit} bytes" if told is None else f"{told} bytes"
        super().__init__(
            f"larger than the {limit} bytes that may be taken",
            expected=f"at most {limit} bytes",
            found=found,
            where=where,
        )
        self.limit = limit
        self.got = found


def write_bounded(
    chunks: Iterable[bytes], into: Path, limit: int, where: str, progress: Progress, label: str
) -> None:
    """Write chunks into a new file, no more than allowed.

    Args:
        chunks: The bytes in order.
        into: A file that does not exist yet.
        limit: The most that is taken, in bytes.
        where: Where the bytes come from, for the error.
        progress: Whom to tell.
        label: What the file is called there.

    Raises:
        TooLarge: if there are more than ``limit`` bytes.
    """
    written = 0
    with into.open("xb") as stream, progress.task(label, None) as advance:
        for chunk in chunks:
            written += len(chunk)
            if written > limit:
                raise TooLarge(limit, where)
            stream.write(chunk)
            advance(len(chunk))
