"""A file while it is being downloaded."""

from contextlib import ExitStack
from types import TracebackType
from typing import BinaryIO

from d4cbuild.base.progress import Advance, Progress
from d4cbuild.sources.origin import TooLarge


class Part:
    """The file so far: its bytes, and what is known of the rest.

    Args:
        stream: Takes the bytes; can be truncated.
        limit: The most that is taken, in bytes.
        where: Where the bytes come from, for errors.
        progress: Whom to tell.
        label: What the file is called there.

    Attributes:
        written: Bytes there are.
        furthest: Bytes there have ever been, before a start from zero too.
        total: Size of the whole file in bytes, once known.
        validator: What proves that a rest belongs to these bytes, if there is such a thing.
        place: Host and path the bytes came from.
    """

    def __init__(
        self, stream: BinaryIO, limit: int, where: str, progress: Progress, label: str
    ) -> None:
        self._stream = stream
        self._limit = limit
        self._where = where
        self._progress = progress
        self._label = label
        self._tasks = ExitStack()
        self._advance: Advance | None = None
        self.written = 0
        self.furthest = 0
        self.total: int | None = None
        self.validator: str | None = None
        self.place: tuple[str, str] | None = None

    def __enter__(self) -> "Part":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tasks.close()

    def forget(self) -> None:
        """Start again from zero."""
        self._tasks.close()
        self._advance = None
        self._stream.seek(0)
        self._stream.truncate()
        self.written = 0
        self.total = self.validator = self.place = None

    def expect(self, total: int | None) -> None:
        """Note the file's size, as soon as it is known.

        Raises:
            TooLarge: if that is more than allowed.
        """
        if total is not None and total > self._limit:
            raise TooLarge(self._limit, self._where, told=total)
        self.total = total
        if self._advance is None:
            self._advance = self._tasks.enter_context(self._progress.task(self._label, total))

    def write(self, chunk: bytes) -> None:
        """Add bytes.

        Raises:
            TooLarge: if they are more than allowed.
        """
        if self.written + len(chunk) > self._limit:
            raise TooLarge(self._limit, self._where)
        self._stream.write(chunk)
        self.written += len(chunk)
        self.furthest = max(self.furthest, self.written)
        assert self._advance is not None  # noqa: S101 - expect() comes before the first byte
        self._advance(len(chunk))

    def say(self, line: str) -> None:
        """Tell something about this file."""
        self._progress.say(f"{self._label}: {line}")
