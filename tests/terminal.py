"""A program on a real terminal: a pty with somebody who reads and types."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType

PATIENCE_S = 60.0
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """Starts a program as the leader of a session whose terminal is ours.

    Args:
        command: The program and its arguments.
        cwd: Where it runs.
        env: All its environment variables.
        size: Lines and columns.
    """

    def __init__(
        self, command: list[str], cwd: Path, env: dict[str, str], size: tuple[int, int] = (40, 100)
    ) -> None:
        self.master, slave = os.openpty()
        self.resize(*size)
        self._seen = b""
        self._read_to = 0
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        if self.master >= 0:
            os.close(self.master)

    def resize(self, lines: int, columns: int) -> None:
        """Make the window another size."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self.master, text.encode())

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self.master)
        self.master = -1

    @property
    def text(self) -> str:
        """All that was shown so far, without colours."""
        return _CONTROL.sub("", self._seen.decode(errors="replace"))

    def expect(self, wanted: str) -> str:
        """Wait until something more is shown; returns what came before it."""
        end = time.monotonic() + PATIENCE_S
        while wanted not in self.text[self._read_to :]:
            assert time.monotonic() < end, f"{wanted!r} was not shown:\n{self.text}"
            if not self._read() and wanted not in self.text[self._read_to :]:
                raise AssertionError(f"it ended without {wanted!r}:\n{self.text}")
        at = self.text.index(wanted, self._read_to)
        before = self.text[self._read_to : at]
        self._read_to = at + len(wanted)
        return before

    def ended(self) -> int:
        """Wait for its end; returns its exit status."""
        end = time.monotonic() + PATIENCE_S
        while self._read():
            assert time.monotonic() < end, f"it goes on:\n{self.text}"
        return self.process.wait(PATIENCE_S)

    def _read(self) -> bool:
        if not select.select([self.master], [], [], 0.2)[0]:
            return self.process.poll() is None
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:  # nobody has the other end any more
            return False
        self._seen += data
        return bool(data)
