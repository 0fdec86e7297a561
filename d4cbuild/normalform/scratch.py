"""Temporary space for what does not fit into memory."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ScratchTooSmall(OSError):
    """The temporary space is full.

    Attributes:
        needed: How many bytes are needed in all, about.
    """

    def __init__(self, needed: int) -> None:
        size = f"{-(-needed // 1_000_000):,} MB"
        message = f"the temporary space is full: sorting this table takes about {size} of it"
        super().__init__(errno.ENOSPC, message)
        self.needed = needed


class Scratch:
    """A folder made when it is first needed, and removed at the end.

    Args:
        parent: Where to make it; the system's place for temporary files unless given.
    """

    def __init__(self, parent: Path | None = None) -> None:
        self._parent = parent
        self._made: tempfile.TemporaryDirectory[str] | None = None

    @property
    def parent(self) -> Path | None:
        """The folder it is or will be in; the system's place for temporary files if none."""
        return self._parent

    @property
    def folder(self) -> Path:
        """The folder."""
        if self._made is None:
            self._made = tempfile.TemporaryDirectory(prefix="d4c-sort-", dir=self._parent)
        return Path(self._made.name)

    def new_folder(self) -> Path:
        """Make a folder of its own in it."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._made is not None:
            self._made.cleanup()

    @contextmanager
    def filling(self, needed: int) -> Iterator[None]:
        """Say how much it takes, should the space run out.

        Args:
            needed: Bytes that are needed in all.

        Raises:
            ScratchTooSmall: if the space is full.
        """
        try:
            yield
        except ScratchTooSmall as error:
            raise ScratchTooSmall(max(needed, error.needed)) from error
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise ScratchTooSmall(needed) from error
