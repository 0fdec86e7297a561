"""The filter of system calls: one list of what is allowed, in the two forms that runners take.

*bubblewrap* and :mod:`~d4cbuild.sandbox.offline` take a program of classic BPF over
``struct seccomp_data`` (``linux/seccomp.h``): number at 0, architecture at 4, arguments of eight
bytes each from 16. Only the low half of an argument is looked at: the kernel takes no more of the
flags, families and kinds asked about here. A Docker engine takes a profile in JSON.
"""

from __future__ import annotations

import errno
import json
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any, BinaryIO, Final

from d4cbuild.sandbox.system_calls import (
    ALLOWED,
    CLONE,
    CLONE3,
    IO_URING_SETUP,
    IOCTL,
    NEWEST,
    SOCKET,
    SOCKETPAIR,
)

_LOAD, _EQUAL, _MORE, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x54, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_X86_64: Final = 0xC000003E
_X32_BIT: Final = 0x40000000
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000

_NEW_NAMESPACE: Final = 0x7E020000  # CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # pushing input into a terminal
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_KIND: Final = 0xF  # above it are flags
_STREAM, _DATAGRAM = 1, 2
_ROUTE: Final = 0  # the protocol of netlink by which libc lists interfaces

# Sockets by family, kind and protocol, None where any will do. Others can make the kernel load a
# module that nobody has looked at for years, or lead to a virtual machine's host (AF_VSOCK).
SOCKETS: Final = (
    (_AF_UNIX, None, None),
    (_AF_NETLINK, None, _ROUTE),
    *product((_AF_INET, _AF_INET6), (_STREAM, _DATAGRAM), (0, 6, 17)),  # whichever, TCP, UDP
)


def filter_program() -> bytes:
    """The filter as ``bwrap --seccomp`` reads it."""
    steps = [
        *_of_this_architecture(),
        # Its flags are in memory, where no filter can look; libc falls back to clone.
        *_when(_EQUAL, CLONE3, then=_error(errno.ENOSYS)),
        *_when(_MORE, NEWEST, then=_error(errno.ENOSYS)),
        *_of_call(CLONE, _unless(0, _ANY_BIT, _NEW_NAMESPACE)),
        *_of_call(SOCKET, _sockets()),
        *_of_call(SOCKETPAIR, [_argument(0), *_when(_EQUAL, _AF_UNIX, then=_ALLOWED), _REFUSED]),
        *_of_call(IOCTL, _unless(1, _EQUAL, _TIOCSTI, _TIOCLINUX)),
    ]
    for first, last in _ranges(ALLOWED.values()):
        steps += [_step(_AT_LEAST, first, 0, 2), _step(_MORE, last, 1, 0), _ALLOWED]
    return b"".join([*steps, _REFUSED])


def offline_program() -> bytes:
    """A program that allows everything but sockets that lead out of the machine."""
    local = [_argument(0)]
    for family in (_AF_UNIX, _AF_NETLINK):
        local += _when(_EQUAL, family, then=_ALLOWED)
    refuse = _error(errno.EACCES)
    steps = [
        *_of_this_architecture(),
        # Rings of requests open sockets without a system call of their own.
        *_when(_EQUAL, IO_URING_SETUP, then=refuse),
        *_of_call(SOCKET, [*local, refuse]),
    ]
    return b"".join([*steps, _ALLOWED])


def engine_profile() -> str:
    """The filter as a Docker engine reads it.

    It has no rule for ``ioctl``: an engine gives a job no terminal that others use.
    """
    names = [*ALLOWED, "ioctl"]
    sockets = [_allow("socket", *_compared(*each)) for each in SOCKETS]
    no_namespace = {"index": 0, "value": _NEW_NAMESPACE, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
    profile = {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": errno.EPERM,
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}],
        "syscalls": [
            {"names": names, "action": "SCMP_ACT_ALLOW"},
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
            _allow("clone", no_namespace),
            *sockets,
            _allow("socketpair", *_compared(_AF_UNIX, None, None)),
        ],
    }
    return json.dumps(profile)


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


_ALLOWED, _KILLED, _REFUSED = _step(_RETURN, _ALLOW), _step(_RETURN, _KILL), _error(errno.EPERM)


def _of_this_architecture() -> list[bytes]:
    """Load the number of the call; calls by another architecture's numbers end the process."""
    return [
        _step(_LOAD, _ARCHITECTURE_AT),
        *_unless_equal(_X86_64, _KILLED),
        _step(_LOAD, _NUMBER_AT),
        *_when(_AT_LEAST, _X32_BIT, then=_KILLED),
    ]


def _when(test: int, value: int, then: bytes) -> list[bytes]:
    """Do one step if a test of the loaded value holds."""
    return [_step(test, value, 0, 1), then]


def _unless_equal(value: int, then: bytes) -> list[bytes]:
    return [_step(_EQUAL, value, 1, 0), then]


def _argument(index: int) -> bytes:
    return _step(_LOAD, _ARGUMENTS_AT + 8 * index)


def _of_call(number: int, steps: list[bytes]) -> list[bytes]:
    """Steps for one call, the last of which must decide; other calls jump over all of them."""
    return [_step(_EQUAL, number, 0, len(steps)), *steps]


def _unless(argument: int, test: int, *values: int) -> list[bytes]:
    """Allow a call unless a test of one argument holds."""
    steps = [_argument(argument)]
    for value in values:
        steps += _when(test, value, _REFUSED)
    return [*steps, _ALLOWED]


def _sockets() -> list[bytes]:
    steps: list[bytes] = []
    for wanted in SOCKETS:
        tests: list[bytes] = []
        for index, value in reversed(list(enumerate(wanted))):
            if value is not None:
                masked = [_step(_AND, _KIND)] if index == 1 else []
                # On to the next test, or over all that are left and over the answer.
                test = _step(_EQUAL, value, 0, len(tests) + 1)
                tests = [_argument(index), *masked, test, *tests]
        steps += [*tests, _ALLOWED]
    return [*steps, _REFUSED]


def _ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Numbers as runs without a gap: the first and the last of each."""
    first, *others = sorted(numbers)
    last = first
    for number in others:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def _allow(name: str, *compared: dict[str, Any]) -> dict[str, Any]:
    return {"names": [name], "action": "SCMP_ACT_ALLOW", "args": list(compared)}


def _compared(family: int, kind: int | None, protocol: int | None) -> Iterator[dict[str, Any]]:
    yield {"index": 0, "value": family, "op": "SCMP_CMP_EQ"}
    if kind is not None:
        yield {"index": 1, "value": _KIND, "valueTwo": kind, "op": "SCMP_CMP_MASKED_EQ"}
    if protocol is not None:
        yield {"index": 2, "value": protocol, "op": "SCMP_CMP_EQ"}
