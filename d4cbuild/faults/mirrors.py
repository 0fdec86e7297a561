"""Whether copies are where a recipe says: in its folder, and, if asked to look, on the network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from d4cbuild.errors import InputError, Unavailable
from d4cbuild.faults.nearest import nearest
from d4cbuild.faults.reading import Reading
from d4cbuild.hazards.finding import Finding, Level
from d4cbuild.hazards.toml_places import TomlPlaces
from d4cbuild.model.recipe import Recipe, Source
from d4cbuild.sources.asking import PlainSession
from d4cbuild.sources.hosts import DownHosts
from d4cbuild.sources.peek import Peek, Settled
from d4cbuild.sources.rclone import RcloneLimits, RcloneOrigin
from d4cbuild.sources.sight import Deadline, LookLimits

_AT_ONCE = 8


def folder_findings(
    recipe: Recipe, places: TomlPlaces, folder: Path, shown: str
) -> Iterator[tuple[str, Finding]]:
    """Mirrors in the recipe's folder that are not there, each with its path in the recipe.

    They are warnings: a file that may not be passed on is left out of a repository on purpose.
    """
    for i, source in enumerate(recipe.sources):
        for j, mirror in enumerate(source.mirrors):
            if ":" in mirror or _is_file(folder / mirror):
                continue
            path = f"sources[{i}].mirrors[{j}]"
            message, remedy = _absent(folder, mirror)
            place = places.of(path)
            yield path, Finding(shown, *place, "mirror", f"{path}: {message}", remedy, "warning")


def _is_file(path: Path) -> bool:
    with suppress(OSError):  # a name may be too long for the disk
        return path.is_file()
    return False


def _absent(folder: Path, mirror: str) -> tuple[str, str]:
    message = f"there is no file {mirror}"
    names: list[str] = []
    with suppress(OSError):
        if (folder / mirror).is_dir():
            return f"{mirror} is a folder", "write the path of the file in it"
        names = sorted(entry.name for entry in os.scandir((folder / mirror).parent))
    close = nearest(PurePosixPath(mirror).name, names)
    if close is not None:
        return message, f"did you mean {(PurePosixPath(mirror).parent / close).as_posix()}?"
    remedy = f"put the file at {folder / mirror}, or take the path away;"
    return message, f"{remedy}\nif it may not be passed on, others give its folder with --mirror"


def reach_findings(
    recipe: Recipe, reading: Reading, shown: str, folder: Path, limits: LookLimits
) -> Iterator[Finding]:
    """Addresses and remotes that do not answer, or have no such file.

    It is an error where no place of a source has it, and else a warning. Only the head of each file
    is asked for.

    Args:
        recipe: What is wanted.
        reading: What the file says; examples in place of what is wrong are not asked.
        shown: How to name the file.
        folder: The recipe's folder.
        limits: How patient to be.
    """
    reach = _Reach(limits)
    addresses = {
        f"sources[{i}].{field}": address
        for i, source in enumerate(recipe.sources)
        for field, address in _addresses(source)
    }
    asked = {path: each for path, each in addresses.items() if not reading.is_guessed(path)}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(reach.silent_because, asked.values())
        reasons = dict(zip(asked, answers, strict=True))
    for i, source in enumerate(recipe.sources):
        mine = [path for path in addresses if path.startswith(f"sources[{i}].")]
        here = any(_is_file(folder / mirror) for mirror in source.mirrors if ":" not in mirror)
        lost = not here and all(reasons.get(path) is not None for path in mine)
        for path in mine:
            why = reasons.get(path)
            if why is not None:
                level: Level = "error" if lost else "warning"
                remedy, place = _LOST if lost else _SILENT, reading.places.of(path)
                yield Finding(shown, *place, "unreachable", f"{path}: {why}", remedy, level)


_SILENT = "open it in a browser; correct the address, or take it away"
_LOST = f"{_SILENT}\nno other place has this source, so nobody can build the recipe"


def _addresses(source: Source) -> Iterator[tuple[str, str]]:
    yield "url", source.url
    for j, mirror in enumerate(source.mirrors):
        if ":" in mirror:
            yield f"mirrors[{j}]", mirror


@dataclass
class _Reach:
    limits: LookLimits

    def __post_init__(self) -> None:
        self._hosts = DownHosts()
        self._deadline = Deadline(None)

    def silent_because(self, address: str) -> str | None:
        """Why a file cannot be had from an address; ``None`` if it can."""
        try:
            if "://" in address:
                self._ask(address)
            else:
                RcloneOrigin(address, self._patience).size()
        except Settled as settled:
            return settled.sight.reason
        except (Unavailable, InputError) as error:
            reason = f"{error.message}: {error.found}" if error.found else error.message
            return " ".join(reason.split())
        return None

    def _ask(self, address: str) -> None:
        with PlainSession() as session:
            peek = Peek(address, session, self.limits, self._hosts, self._deadline)
            if peek.size() is None:
                peek.piece(0, 0)  # HEAD is often answered wrongly; what GET says counts

    @property
    def _patience(self) -> RcloneLimits:
        limits = self.limits
        return RcloneLimits(int(limits.connect_s) or 1, int(limits.read_s) or 1, limits.attempts)
