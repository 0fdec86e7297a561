"""Downloading one Debian package from the archives that this machine knows."""

import hashlib
from pathlib import Path
from typing import Final
from urllib.parse import quote

import requests

from d4cbuild.base.digest import CHUNK_BYTES
from d4cbuild.environment.registries import debian_archives
from d4cbuild.errors import HashMismatch, Unavailable
from d4cbuild.model.environment import LockedPackage

SUITE: Final = "bookworm"
_ATTEMPTS: Final = 3
_TIMEOUT_S: Final = (15, 60)


def download_debian(package: LockedPackage, folder: Path) -> Path:
    """Download a package into a folder, from the first archive that has the locked bytes.

    Args:
        package: What was locked.
        folder: Where to write.

    Raises:
        Unavailable: if no archive has it.
        HashMismatch: if an archive has it and no archive has the locked bytes.
    """
    path = folder / "package.deb"
    answers: list[str] = []
    other_bytes = ""
    for archive in debian_archives(SUITE):
        address = f"{archive.base}/{quote(package.file, safe='/~+:')}"
        try:
            sha256 = _download(address, path, package.size)
        except (requests.RequestException, _TooLong) as error:
            answers.append(f"{address}: {_in_short(error)}")
            continue
        if sha256 == package.sha256.hex:
            return path
        other_bytes = f"sha256:{sha256} at {address}"
    if other_bytes:
        raise HashMismatch(
            f"package {package.purl} is no longer the file that was locked",
            expected=f"{package.sha256} ({package.size} bytes)",
            found=other_bytes,
            where=package.file,
            hint="export D4CBUILD_DEBIAN_MIRROR=<another mirror>, or d4cbuild env lock <name>",
        )
    raise Unavailable(
        f"package {package.purl} cannot be had",
        expected=str(package.sha256),
        found="\n".join(answers),
        where=package.file,
        hint=(
            "check the network, then export D4CBUILD_DEBIAN_MIRROR=<a mirror or snapshot that "
            "has it>; if it was withdrawn: d4cbuild env lock <name>"
        ),
    )


class _TooLong(Exception):
    """More bytes came than were locked: no need to read on."""


def _download(address: str, path: Path, size: int) -> str:
    """Write what lies at an address; return its SHA-256. Tries again when the line is cut."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _download_once(address, path, size)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ):
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("the loop returns or raises")


def _download_once(address: str, path: Path, size: int) -> str:
    hasher, left = hashlib.sha256(), size
    with requests.get(address, stream=True, timeout=_TIMEOUT_S) as answer, path.open("wb") as out:
        answer.raise_for_status()
        for chunk in answer.iter_content(CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise _TooLong(f"more than the locked {size} bytes")
            hasher.update(chunk)
            out.write(chunk)
    return hasher.hexdigest()


def _in_short(error: Exception) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    return f"{type(error).__name__}: {error!s:.300}"
