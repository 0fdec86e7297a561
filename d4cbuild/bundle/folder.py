"""A bundle's folder as it was received: flat, every file named in SHA256SUMS, every sum right."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.digest import sha256_of_stream
from d4cbuild.base.limits import LIMITS
from d4cbuild.bundle.archive import chunks_of
from d4cbuild.bundle.layout import IMAGE, PART, SUMS
from d4cbuild.errors import HashMismatch, InputError

MAXIMUM_FILES = LIMITS.bundle_files
MAXIMUM_SUMS_BYTES = LIMITS.sums_bytes
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._-]{0,254})")
_PART = re.compile(rf"(.+){re.escape(PART)}([0-9]{{3}})")
_ELSEWHERE = "take the bundle from another place"


def is_bundle(path: Path) -> bool:
    """Whether a path is a bundle's folder, rather than a recipe's."""
    return (path / SUMS).is_file()


def is_fat(path: Path) -> bool:
    """Whether a bundle brings its environment, so that nothing else should be needed."""
    return any(path.glob(f"*{IMAGE}")) or any(path.glob(f"*{IMAGE}{PART}001"))


@dataclass(frozen=True)
class ReceivedFile:
    """A file of a bundle, whole or in parts.

    Attributes:
        name: Its name.
        paths: Where it is, or its parts in order.
    """

    name: str
    paths: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(path.stat().st_size for path in self.paths)

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes."""
        for path in self.paths:
            yield from chunks_of(path)

    def whole(self, scratch: Path) -> Path:
        """A path to all of it; what is in parts is put together.

        Args:
            scratch: A folder for that.
        """
        if len(self.paths) == 1:
            return self.paths[0]
        path = scratch / self.name
        with path.open("xb") as stream:
            for chunk in self.chunks():
                stream.write(chunk)
        return path


def received_files(folder: Path) -> dict[str, ReceivedFile]:
    """Read a bundle's folder, and check every file against ``SHA256SUMS``.

    Returns:
        Its files by name, without ``SHA256SUMS``.

    Raises:
        InputError: if it is no flat folder of plain files, or names are not as they should be.
        HashMismatch: naming every file that is missing, is not listed, or has other bytes.
    """
    present = _plain_files(folder)
    sums = _read_sums(folder / SUMS)
    faults = [f"{name}: missing" for name in sorted(sums.keys() - present)]
    faults += [f"{name}: not listed in {SUMS}" for name in sorted(present - sums.keys() - {SUMS})]
    for name, expected in sums.items():
        if name in present and sha256_of_stream(chunks_of(folder / name)).hex != expected:
            faults.append(f"{name}: other bytes")
    if faults:
        raise HashMismatch(
            "the bundle is not whole",
            expected=f"the files that {SUMS} lists, with their sums",
            found="\n".join(faults[:20] + [f"and {len(faults) - 20} more"] * (len(faults) > 20)),
            where=str(folder),
            hint=_ELSEWHERE,
        )
    return _put_together(folder, sorted(sums))


def _plain_files(folder: Path) -> set[str]:
    names = set()
    for entry in folder.iterdir():
        if not stat.S_ISREG(entry.lstat().st_mode) or not _NAME.fullmatch(entry.name):
            raise InputError(
                "a bundle holds plain files with plain names",
                found=repr(entry.name),
                where=str(folder),
                hint=_ELSEWHERE,
            )
        names.add(entry.name)
        if len(names) > MAXIMUM_FILES:
            raise InputError(
                "too many files for a bundle",
                expected=f"at most {MAXIMUM_FILES}",
                where=str(folder),
                hint=_ELSEWHERE,
            )
    if len({name.casefold() for name in names}) < len(names):
        raise InputError(
            "names in the bundle differ in case only", where=str(folder), hint=_ELSEWHERE
        )
    return names


def _read_sums(path: Path) -> dict[str, str]:
    if path.stat().st_size > MAXIMUM_SUMS_BYTES:
        raise InputError(f"{SUMS} is too large", where=str(path), hint=_ELSEWHERE)
    sums: dict[str, str] = {}
    lines = path.read_bytes().decode("utf-8", "replace").split("\n")
    if lines.pop() != "" or not lines:
        raise InputError(
            f"{SUMS} is empty, or its last line is cut", where=str(path), hint=_ELSEWHERE
        )
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in sums or match[2] == SUMS:
            raise InputError(
                f"{SUMS} cannot be read",
                expected="lines of a SHA-256, two spaces and a file name, each name once",
                found=repr(line[:300]),
                where=f"{path}:{number}",
                hint=_ELSEWHERE,
            )
        sums[match[2]] = match[1]
    return sums


def _put_together(folder: Path, names: list[str]) -> dict[str, ReceivedFile]:
    found: dict[str, list[Path]] = {}
    for name in names:
        match = _PART.fullmatch(name)
        whole, number = (name, 1) if match is None else (match[1], int(match[2]))
        paths = found.setdefault(whole, [])
        paths.append(folder / name)
        if len(paths) != number:
            raise InputError(
                f"the parts of {whole} are not all here",
                expected=f"part {len(paths)}",
                found=f"part {number}" if match else "the file both whole and in parts",
                where=str(folder),
                hint=_ELSEWHERE,
            )
    return {name: ReceivedFile(name, tuple(paths)) for name, paths in found.items()}
