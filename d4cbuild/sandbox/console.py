"""A job with somebody before it: a terminal, or pipes, carried through to the sandbox.

The job never has the user's own terminal. It has one of its own, made for it, and every byte
passes through here: so nothing that it does to its terminal reaches the user's, and Ctrl-C, which
is a byte like any other then, reaches the job and not d4cbuild.
"""

from __future__ import annotations

import os
import select
import termios
import tty
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_READ_BYTES = 1 << 16
_TYPED_BYTES = 1 << 12
_LAST_WORDS_S = 0.5
_HEADER_BYTES = 8

# Process 1 of an attended job. It takes the terminal, gives it to the command as a job of its own,
# and waits: so the command is ended by Ctrl-C as usual, which process 1 would not be.
_ATTENDANT = """\
import fcntl, os, signal, sys, termios
at_terminal = os.isatty(0)
if at_terminal:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
child = os.fork()
if child == 0:
    os.setpgid(0, 0)
    if at_terminal:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpid())
    for name in ("SIGTTOU", "SIGINT", "SIGPIPE", "SIGXFSZ"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        print(f"{sys.argv[1]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)
while True:
    process, status = os.waitpid(-1, os.WUNTRACED)
    if process == child and os.WIFSTOPPED(status):
        os.killpg(child, signal.SIGCONT)  # nobody could bring it back
    elif process == child:
        code = os.waitstatus_to_exitcode(status)
        sys.exit(code if code >= 0 else 128 - code)
"""


@dataclass(frozen=True)
class Console:
    """Where the input of a job comes from, and where what it prints goes.

    Attributes:
        is_terminal: Whether standard input and output are a terminal; else they are passed through
            as they are.
        output: Descriptor that gets the job's standard output.
        meanwhile: Called now and then while the job runs.
    """

    is_terminal: bool
    output: int
    meanwhile: Callable[[], None]

    @classmethod
    def of_this_process(cls, output: int, meanwhile: Callable[[], None]) -> Console:
        """The standard streams of this process.

        Args:
            output: Descriptor that gets the job's standard output, if not 1; then no terminal.
            meanwhile: Called now and then while the job runs.
        """
        is_terminal = output == _STDOUT and os.isatty(_STDIN) and os.isatty(_STDOUT)
        return cls(is_terminal, output, meanwhile)

    @contextmanager
    def raw(self) -> Iterator[None]:
        """Take every key from the terminal as it is typed; afterwards all is as it was."""
        if not self.is_terminal:
            yield
            return
        before = termios.tcgetattr(_STDIN)
        try:
            tty.setraw(_STDIN)
            yield
        finally:
            with suppress(termios.error):  # the window may have been closed
                termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)


def attended(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command by which a command runs with somebody before it."""
    return ("python3", "-I", "-c", _ATTENDANT, *command)


@contextmanager
def new_terminal() -> Iterator[tuple[int, BinaryIO]]:
    """Give both ends of a new terminal: ours, and the job's, to be closed once the job has it."""
    ours, other = os.openpty()
    try:
        with open(other, "rb", buffering=0) as theirs:  # noqa: PTH123 - no path
            yield ours, theirs
    finally:
        os.close(ours)


def set_size(terminal: int, lines: int, columns: int) -> None:
    """Say how large a terminal is; whoever runs in it is told."""
    with suppress(termios.error):  # it is just being closed
        termios.tcsetwinsize(terminal, (lines, columns))


class Waiting:
    """Nothing is to be carried: the job has our own standard streams.

    Attributes:
        head: The first bytes that were printed, as far as they passed through here.
    """

    head = b""

    def __init__(self, console: Console) -> None:
        self._console = console

    def turn(self, end: int, wait_s: float) -> bool:
        """Wait a little; returns whether a descriptor became readable."""
        self._console.meanwhile()
        return bool(select.select([end], [], [], wait_s)[0])

    def finish(self) -> None:
        """Carry what is left."""


class Relay:
    """Carries bytes between the user and the other end of the job's terminal or pipe.

    Args:
        console: The user's side.
        other: A descriptor of the job's side, for both directions.
        resize: Tells the job's terminal its size, in lines and columns.
        decode: Makes of what was read what is to be printed, and to which descriptor.
        close_input: Tells the job that there is no more input.

    Attributes:
        head: Nothing: it is not kept what passes through.
    """

    head = b""

    def __init__(
        self,
        console: Console,
        other: int,
        resize: Callable[[int, int], None],
        decode: Callable[[bytes], Iterable[tuple[int, bytes]]] | None = None,
        close_input: Callable[[], None] = lambda: None,
    ) -> None:
        os.set_blocking(other, False)
        self._console = console
        self._other = other
        self._resize = resize
        self._decode = decode or (lambda data: [(console.output, data)])
        self._close_input = close_input
        self._size = (0, 0)
        self._typed = b""
        self._listens = True
        self._open = True

    def turn(self, end: int | None, wait_s: float) -> bool:
        """Carry what is there, or wait a little; returns whether a descriptor became readable.

        Raises:
            KeyboardInterrupt: if the terminal has gone.
        """
        self._console.meanwhile()
        self._follow_size()
        reads = [] if end is None else [end]
        reads += [self._other] if self._open else []
        reads += [_STDIN] if self._listens and not self._typed else []
        writes = [self._other] if self._typed else []
        readable, writable, _ = select.select(reads, writes, [], wait_s)
        if _STDIN in readable:
            self._hear()
        if writable:
            self._send()
        if self._other in readable:
            self._show()
        return end in readable

    def finish(self) -> None:
        """Carry what the job has printed last."""
        while self._open and select.select([self._other], [], [], _LAST_WORDS_S)[0]:
            self._show()

    def _follow_size(self) -> None:
        if not self._console.is_terminal:
            return
        with suppress(OSError):  # the window was closed: reading tells
            columns, lines = os.get_terminal_size(_STDIN)
            if (lines, columns) != self._size:
                self._size = (lines, columns)
                self._resize(lines, columns)

    def _hear(self) -> None:
        try:
            self._typed = os.read(_STDIN, _TYPED_BYTES)
        except OSError:
            self._typed = b""
        if self._typed:
            return
        if self._console.is_terminal:
            raise KeyboardInterrupt
        self._listens = False
        self._close_input()

    def _send(self) -> None:
        try:
            self._typed = self._typed[os.write(self._other, self._typed) :]
        except BlockingIOError:
            return
        except OSError:  # the job takes no more
            self._typed, self._listens = b"", False

    def _show(self) -> None:
        try:
            data = os.read(self._other, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:  # so a terminal says that nobody has its other end any more
            data = b""
        self._open = bool(data)
        try:
            for descriptor, text in self._decode(data):
                _write(descriptor, text)
        except OSError:
            if not self._console.is_terminal:
                raise
            self._open = False  # the window was closed: nobody looks any more


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


class Frames:
    """Takes apart what an engine sends of a job without a terminal: runs of two streams.

    Args:
        output: Descriptor for standard output.
    """

    def __init__(self, output: int) -> None:
        self._output = output
        self._waiting = b""

    def __call__(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield what is whole: descriptor and bytes."""
        self._waiting += data
        while len(self._waiting) >= _HEADER_BYTES:
            stop = _HEADER_BYTES + int.from_bytes(self._waiting[4:_HEADER_BYTES])
            if len(self._waiting) < stop:
                return
            to = _STDERR if self._waiting[0] == _STDERR else self._output
            yield to, self._waiting[_HEADER_BYTES:stop]
            self._waiting = self._waiting[stop:]
