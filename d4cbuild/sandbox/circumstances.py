"""What may be other in a sandbox though the contract says nothing of it: for varied rebuilds.

An ordinary job runs in :data:`USUAL` circumstances, which add nothing to what a runner does.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from d4cbuild.errors import Unavailable

# linux/personality.h
UNAME26: Final = 0x0020000
ADDR_NO_RANDOMIZE: Final = 0x0040000

Order = Literal["usual", "backwards", "shifted"]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds a job besides its ingredients.

    Attributes:
        variables: Environment variables, instead of the contract's or besides them.
        files: What other files of the sandbox hold instead, by path; each must be there already.
        order: In which order ``/d4c/sources`` and ``/d4c/code`` list their files (*bubblewrap*).
        temporary_in_memory: Whether ``/tmp`` is a file system in memory, which lists its files in
            another order than a disk (*bubblewrap*).
        personality: What the kernel pretends, as ``personality(2)`` takes it (*bubblewrap*).
    """

    variables: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    order: Order = "usual"
    temporary_in_memory: bool = False
    personality: int = 0


USUAL: Final = Circumstances()


def lay_out_files(circumstances: Circumstances, folder: Path) -> list[tuple[Path, str]]:
    """Write the files that are shown instead of others.

    Args:
        circumstances: What is wanted.
        folder: A new folder to write into; not made where there is nothing to write.

    Returns:
        Where each lies on the host, and its path in the sandbox.
    """
    placed = []
    for number, (target, data) in enumerate(circumstances.files):
        folder.mkdir(exist_ok=True)
        path = folder / str(number)
        path.write_bytes(data)
        path.chmod(0o444)
        placed.append((path, target))
    return placed


def relisted(usual: list[str], order: Order) -> list[str]:
    """Names in the order in which a folder is to list them; never as usual where there are two.

    Args:
        usual: As the folder lists them otherwise.
        order: What is wanted.
    """
    if order == "usual":
        return usual
    return usual[::-1] if order == "backwards" else usual[1:] + usual[:1]


def folders_and_files(folder: Path, order: Order) -> Iterator[tuple[Path, bool]]:
    """Everything below a folder, as it is to be made in a tmpfs: what is listed last comes first.

    Returns:
        Relative paths, each folder before what is in it, and whether it is a folder.
    """
    entries = {entry.name: entry for entry in os.scandir(folder)}
    for name in reversed(relisted(list(entries), order)):
        path = Path(entries[name].path)
        is_folder = entries[name].is_dir(follow_symlinks=False)
        yield path.relative_to(folder), is_folder
        if is_folder:
            for below, inner in folders_and_files(path, order):
                yield Path(name) / below, inner


def set_personality(value: int) -> None:
    """Change what the kernel pretends to this process and its children.

    Raises:
        OSError: if the kernel refuses.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if library.personality(ctypes.c_ulong(value)) < 0:
        raise OSError(ctypes.get_errno(), "the kernel refuses this personality")


def refuse_what_an_engine_cannot(circumstances: Circumstances, runner: str) -> None:
    """Make sure that nothing is silently left out by a runner that cannot do it.

    Raises:
        Unavailable: if something is asked for that only bubblewrap can do.
    """
    wanted = (circumstances.order, circumstances.temporary_in_memory, circumstances.personality)
    if wanted != (USUAL.order, USUAL.temporary_in_memory, USUAL.personality):
        raise Unavailable(
            f"{runner} cannot vary the order of folders or what the kernel pretends",
            hint="use --runner bubblewrap",
        )
