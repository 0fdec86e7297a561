"""What every root filesystem has, whatever the environment: the places of the sandbox contract.

No maintainer script runs, so the few files that a system cannot do without are stated here.
"""

from typing import Final

from d4cbuild.base.sameness import SANDBOX_GID, SANDBOX_HOSTNAME, SANDBOX_UID

DIRECTORIES: Final = {
    "d4c": 0o755,
    "d4c/code": 0o755,
    "d4c/lib": 0o755,
    "d4c/out": 0o755,
    "d4c/sources": 0o755,
    "dev": 0o755,
    "etc": 0o755,
    "proc": 0o755,
    "sys": 0o755,
    "tmp": 0o1777,
    "var": 0o755,
    "var/tmp": 0o1777,
}
"""Folders and their modes: mount points of a sandbox, and what programs take for granted."""

FILES: Final = {
    # Empty files are mount points too: a runner or an engine binds its own over them.
    "d4c/parameters.json": "",
    "etc/group": f"root:x:0:\nd4c:x:{SANDBOX_GID}:\n",
    "etc/hostname": f"{SANDBOX_HOSTNAME}\n",
    "etc/hosts": f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {SANDBOX_HOSTNAME}\n",
    "etc/passwd": (
        f"root:x:0:0:root:/tmp:/bin/sh\nd4c:x:{SANDBOX_UID}:{SANDBOX_GID}:d4cbuild:/tmp:/bin/sh\n"
    ),
    "etc/resolv.conf": "",
}
"""Files and their text."""

IMAGE_VARIABLES: Final = (
    "HOME=/tmp",
    "LC_ALL=C.UTF-8",
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "PROJ_NETWORK=OFF",
    "PYTHONDONTWRITEBYTECODE=1",
    "PYTHONHASHSEED=0",
    "TZ=UTC",
)
"""Environment variables of the image, sorted. A runner adds its own."""

USER: Final = f"{SANDBOX_UID}:{SANDBOX_GID}"
WORKING_DIRECTORY: Final = "/d4c/code"
COMMAND: Final = ("/bin/sh",)
BASE: Final = "base"
"""The layer of Debian's packages."""
WHEELS: Final = "wheels"
"""The layer of Python's packages."""
