"""What a runner needs to know of an assembled environment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.digest import Digest


@dataclass(frozen=True, slots=True)
class Image:
    """An assembled root filesystem.

    Attributes:
        name: The environment's name.
        config: SHA-256 of the OCI image configuration: Docker's image ID.
        manifest: SHA-256 of the OCI image manifest: the ID with containerd's image store.
        root: The unpacked root filesystem.
        archive: Yields the bytes of an archive that ``docker load`` and OCI tools both read.
    """

    name: str
    config: Digest
    manifest: Digest
    root: Path
    archive: Callable[[], Iterator[bytes]]
