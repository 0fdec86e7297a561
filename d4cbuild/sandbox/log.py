"""What a job prints, copied to its log up to a limit."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import BinaryIO

from d4cbuild.base.limits import LIMITS

LOG_BYTES = LIMITS.log_bytes
HEAD_BYTES = 4096


class LogCopier:
    """Copies a job's output to the log in a thread of its own.

    Args:
        chunks: What the job prints.
        log: Where it goes.
        limit: Bytes after which the rest is dropped, and said to be.

    Attributes:
        head: The first bytes that were printed.
    """

    def __init__(self, chunks: Iterable[bytes], log: BinaryIO, limit: int = LOG_BYTES) -> None:
        self._chunks = chunks
        self._log = log
        self._room = limit
        self.head = b""
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._copy, daemon=True)
        self._thread.start()

    def _copy(self) -> None:
        try:
            for chunk in self._chunks:
                self.head += chunk[: HEAD_BYTES - len(self.head)]
                if self._room > 0 and self._failure is None:
                    self._keep(chunk)
        except Exception as failure:  # noqa: BLE001 - handed to the caller by finish()
            self._failure = failure

    def _keep(self, chunk: bytes) -> None:
        try:
            self._log.write(chunk[: self._room])
            self._room -= len(chunk)
            if self._room <= 0:
                self._log.write(b"\n[the rest of the output was dropped: log is full]\n")
        except OSError as failure:  # reading goes on, or the job would wait until its time is over
            self._failure = failure

    def finish(self) -> None:
        """Wait until everything has been copied.

        Raises:
            Exception: whatever kept the output from being copied.
        """
        self._thread.join()
        if self._failure is not None:
            raise self._failure
