"""No network for this process: the kernel refuses every socket but those of the machine itself."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Final

from d4cbuild.errors import Unavailable
from d4cbuild.sandbox.seccomp import offline_program

_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP: Final = 317
_SET_MODE_FILTER: Final = 1
_ALL_THREADS: Final = 1
_INSTRUCTION_BYTES: Final = 8


def go_offline() -> None:
    """Forbid this process, and everything it starts from now on, to open a socket to anywhere.

    Sockets of the file system (a Docker engine's) and of the kernel remain. It cannot be undone,
    not even by root, and asking for such a socket fails with ``EACCES``: whatever a process does
    after this, it does without a network.

    Raises:
        Unavailable: if this kernel cannot do it.
    """
    library = ctypes.CDLL(None, use_errno=True)
    program = offline_program()
    buffer = ctypes.create_string_buffer(program, len(program))
    count = len(program) // _INSTRUCTION_BYTES
    record = struct.pack("=H6xQ", count, ctypes.addressof(buffer))
    if library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise _cannot(ctypes.get_errno())
    if library.syscall(_SECCOMP, _SET_MODE_FILTER, _ALL_THREADS, record) != 0:
        raise _cannot(ctypes.get_errno() or errno.EBUSY)


def _cannot(number: int) -> Unavailable:
    return Unavailable(
        "this kernel does not let a process forbid itself the network",
        expected="Linux 3.17 or newer, with seccomp",
        found=os.strerror(number),
        hint="use --online, and cut the network yourself",
    )
