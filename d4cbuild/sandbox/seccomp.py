"""The filter of system calls for bubblewrap, about as strict as Docker's default one.

A program of classic BPF over ``struct seccomp_data`` (``linux/seccomp.h``): number at 0,
architecture at 4, arguments of eight bytes each from 16. Only the low half of an argument is
looked at: the flags and families asked about here are all in it.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_X86_64: Final = 0xC000003E
_X32_BIT: Final = 0x40000000
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000

_CLONE, _CLONE3, _SOCKET, _IOCTL = 56, 435, 41, 16
_NEW_NAMESPACE: Final = 0x7E020000  # CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET
_AF_UNIX, _AF_NETLINK = 1, 16
_AF_VSOCK, _AF_ALG = 40, 38  # the first leads to a virtual machine's host past every namespace
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C

# By their numbers on x86-64, since no name of them is known to Python.
REFUSED: Final = {
    "acct": 163,
    "add_key": 248,
    "adjtimex": 159,
    "bpf": 321,
    "chroot": 161,
    "clock_adjtime": 305,
    "clock_settime": 227,
    "delete_module": 176,
    "fanotify_init": 300,
    "finit_module": 313,
    "fsconfig": 431,
    "fsmount": 432,
    "fsopen": 430,
    "fspick": 433,
    "init_module": 175,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "io_uring_setup": 425,
    "ioperm": 173,
    "iopl": 172,
    "kexec_file_load": 320,
    "kexec_load": 246,
    "keyctl": 250,
    "lookup_dcookie": 212,
    "mount": 165,
    "mount_setattr": 442,
    "move_mount": 429,
    "move_pages": 279,
    "name_to_handle_at": 303,
    "open_by_handle_at": 304,
    "open_tree": 428,
    "perf_event_open": 298,
    "personality": 135,
    "pivot_root": 155,
    "quotactl": 179,
    "quotactl_fd": 443,
    "reboot": 169,
    "request_key": 249,
    "setdomainname": 171,
    "sethostname": 170,
    "setns": 308,
    "settimeofday": 164,
    "swapoff": 168,
    "swapon": 167,
    "syslog": 103,
    "umount2": 166,
    "unshare": 272,
    "userfaultfd": 323,
    "uselib": 134,
    "vhangup": 153,
}


def filter_program() -> bytes:
    """The program, as ``bwrap --seccomp`` reads it."""
    refuse = _error(errno.EPERM)
    steps = [
        _step(_LOAD, _ARCHITECTURE_AT),
        *_when(_EQUAL, _X86_64, then=b"", otherwise=_step(_RETURN, _KILL)),
        _step(_LOAD, _NUMBER_AT),
        *_when(_AT_LEAST, _X32_BIT, then=refuse),
        # Its flags are in memory, where no filter can look; libc falls back to clone.
        *_when(_EQUAL, _CLONE3, then=_error(errno.ENOSYS)),
    ]
    for number in sorted(REFUSED.values()):
        steps += _when(_EQUAL, number, then=refuse)
    steps += _of_argument(_CLONE, 0, _ANY_BIT, (_NEW_NAMESPACE,), refuse)
    steps += _of_argument(_SOCKET, 0, _EQUAL, (_AF_VSOCK, _AF_ALG), refuse)
    steps += _of_argument(_IOCTL, 1, _EQUAL, (_TIOCSTI, _TIOCLINUX), refuse)
    steps.append(_step(_RETURN, _ALLOW))
    return b"".join(steps)


def offline_program() -> bytes:
    """A program that allows everything but sockets that lead out of the machine."""
    refuse = _error(errno.EACCES)
    local = [_step(_LOAD, _ARGUMENTS_AT)]
    for family in (_AF_UNIX, _AF_NETLINK):
        local += _when(_EQUAL, family, then=_step(_RETURN, _ALLOW))
    steps = [
        _step(_LOAD, _ARCHITECTURE_AT),
        *_when(_EQUAL, _X86_64, then=b"", otherwise=_step(_RETURN, _KILL)),
        _step(_LOAD, _NUMBER_AT),
        *_when(_AT_LEAST, _X32_BIT, then=refuse),
        # Rings of requests open sockets without a system call of their own.
        *_when(_EQUAL, REFUSED["io_uring_setup"], then=refuse),
        _step(_EQUAL, _SOCKET, 0, len(local) + 1),
        *local,
        refuse,
        _step(_RETURN, _ALLOW),
    ]
    return b"".join(steps)


@contextmanager
def open_filter() -> Iterator[BinaryIO]:
    """Give the program as an open file that only this process and its children have."""
    with os.fdopen(os.memfd_create("seccomp"), "w+b") as stream:
        stream.write(filter_program())
        stream.flush()
        stream.seek(0)
        yield stream


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _error(number: int) -> bytes:
    return _step(_RETURN, _ERROR | number)


def _when(test: int, value: int, then: bytes, otherwise: bytes = b"") -> list[bytes]:
    """Do one step if a test of the loaded value holds, or one if not."""
    if then:
        return [_step(test, value, 0, 1), then]
    return [_step(test, value, 1, 0), otherwise]


def _of_argument(
    call: int, argument: int, test: int, values: tuple[int, ...], then: bytes
) -> list[bytes]:
    """Test an argument of one system call; other calls jump over all of it."""
    tests = [_step(_LOAD, _ARGUMENTS_AT + 8 * argument)]
    for value in values:
        tests += _when(test, value, then)
    tests.append(_step(_LOAD, _NUMBER_AT))
    return [_step(_EQUAL, call, 0, len(tests)), *tests]
