"""Work beside ours in a copy of this process: one process runs Python in one thread at a time."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
from collections.abc import Callable
from typing import Generic, NoReturn, Self, TypeVar

from d4cbuild.base.ambient import parent_process_id, process_id
from d4cbuild.base.interruption import uninterrupted
from d4cbuild.errors import Unavailable

_PR_SET_PDEATHSIG = 1  # of Linux
_CHUNK_BYTES = 1 << 16
T = TypeVar("T")


class Beside(Generic[T]):
    """A function that runs in a copy of this process, which ends with the ``with`` at the latest.

    To be made while no other thread holds anything that the function needs: the copy has none of
    them. Requests to stop are left to this process; the copy is ended with the block, and by the
    system if this process dies.

    Args:
        work: What is to be done. What it returns, or raises, must be such that it can be pickled.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._copy = 0

    def __enter__(self) -> Self:
        parent = process_id()
        reader, writer = os.pipe()
        self._answers = open(reader, "rb")  # noqa: PTH123 - no path
        try:
            # The copy, too, is never interrupted: it would go on as if it were this process.
            with uninterrupted():
                self._copy = os.fork()
                if self._copy == 0:
                    _work_and_leave(self._work, writer, parent)
        except BaseException:
            self.__exit__()
            raise
        finally:
            os.close(writer)
        return self

    def __exit__(self, *error: object) -> None:
        if self._copy:
            os.kill(self._copy, signal.SIGKILL)
            os.waitpid(self._copy, 0)
        self._answers.close()

    def result(self) -> T:
        """Wait for the result. To be asked for once.

        Raises:
            Unavailable: if the copy was ended by somebody else.
            Exception: whatever the function raised.
        """
        answer = self._answers.read()
        with uninterrupted():  # the number of what was waited for may soon be another's
            _, status = os.waitpid(self._copy, 0)
            self._copy = 0
        if not answer:
            raise Unavailable(
                "a process that worked for this one was ended",
                found=f"status {os.waitstatus_to_exitcode(status)}",
                hint="see whether the machine has memory enough, then try again",
            )
        done, outcome = pickle.loads(answer)  # noqa: S301 - what our own copy wrote
        if not done:
            raise outcome
        result: T = outcome
        return result


def _work_and_leave(work: Callable[[], object], writer: int, parent: int) -> NoReturn:
    """All that the copy does. It never goes back to whom it was copied from."""
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent_process_id() == parent:  # it has not died before that
            _write(writer, _answer(work))
            status = 0
    finally:
        os._exit(status)


def _answer(work: Callable[[], object]) -> bytes:
    try:
        return pickle.dumps((True, work()))
    except Exception as error:  # noqa: BLE001 - raised again where the result is asked for
        return pickle.dumps((False, error))


def _write(writer: int, answer: bytes) -> None:
    rest = memoryview(answer)
    while rest:
        rest = rest[os.write(writer, rest[:_CHUNK_BYTES]) :]
