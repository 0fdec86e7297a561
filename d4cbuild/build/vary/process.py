"""What a process does to itself so that it stands in other surroundings."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from d4cbuild.base.ambient import user_id

_NEW_UTS, _NEW_USER = 0x04000000, 0x10000000


def enter(host_name: str | None, user: int | None, umask: int | None) -> None:
    """Change this process; for one that has no threads yet, and ends soon.

    The user is another only to whoever asks: the kernel goes on checking the old one, so that
    every file stays within reach.

    Args:
        host_name: Name of the host from now on.
        user: Number of user and group from now on.
        umask: Umask from now on.

    Raises:
        OSError: if this machine does not allow it.
    """
    if umask is not None:
        os.umask(umask)
    if user_id() == 0:
        # In this order: in a user namespace of its own it may not name what is outside.
        if host_name is not None:
            _unshare(_NEW_UTS)
            _set_host_name(host_name)
        if user is not None:
            _become(user)
    elif host_name is not None or user is not None:
        _become(user if user is not None else user_id())
        if host_name is not None:
            _unshare(_NEW_UTS)
            _set_host_name(host_name)


def _become(user: int) -> None:
    old_user, old_group = user_id(), os.getegid()
    group = user if user != old_user else old_group
    _unshare(_NEW_USER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {old_user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {old_group} 1")


def _unshare(what: int) -> None:
    _call("unshare", what)


def _set_host_name(name: str) -> None:
    data = name.encode()
    _call("sethostname", data, len(data))


def _call(function: str, *arguments: int | bytes) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


if __name__ == "__main__":
    # Asked whether this machine allows it: the answer is the error, or nothing.
    try:
        enter("d4c-elsewhere", 4242, None)
    except OSError as error:
        sys.exit(error.strerror)
