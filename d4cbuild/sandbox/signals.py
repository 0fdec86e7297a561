"""Signals as a new program expects them, whatever the caller ignores.

A program that is started inherits which signals its caller ignores: those of ``nohup``, say, or
the two that glibc keeps to itself and that its ``posix_spawn`` leaves ignored. Python's own
``signal`` module cannot touch the latter, so the kernel is asked directly.
"""

import ctypes
import signal
from collections.abc import Callable
from typing import Final

_RT_SIGACTION: Final = 13  # of Linux on x86-64
_SET_BYTES: Final = 8
_LAST: Final = 64
_UNCHANGEABLE: Final = frozenset({int(signal.SIGKILL), int(signal.SIGSTOP)})


def default_signals() -> Callable[[], None]:
    """Prepare a function for a child process to call before it becomes another program.

    All is loaded beforehand: between fork and exec a process should do as little as possible.
    """
    system_call = ctypes.CDLL(None).syscall
    # A kernel_sigaction of zeros: the default action, no flags, an empty mask.
    default = ctypes.create_string_buffer(32)
    numbers = [number for number in range(1, _LAST + 1) if number not in _UNCHANGEABLE]

    def in_child() -> None:
        for number in numbers:
            system_call(_RT_SIGACTION, number, default, None, _SET_BYTES)

    return in_child
