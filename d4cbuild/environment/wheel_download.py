"""Downloading one wheel by pip, which refuses other bytes than the locked ones."""

import re
from pathlib import Path
from typing import Final

from d4cbuild.base.digest import Digest, FileDigests, digests_of_file
from d4cbuild.environment.pip_client import TARGET, last_lines, run_pip
from d4cbuild.errors import HashMismatch, Unavailable
from d4cbuild.model.environment import LockedPackage

_OPTIONS: Final = (
    "download",
    "--no-deps",
    "--no-cache-dir",  # the store is the cache
    "--require-hashes",
    "--progress-bar=off",
)
_GOT: Final = re.compile(r"Got\s+([0-9a-f]{64})")


def download_wheel(package: LockedPackage, folder: Path) -> tuple[Path, FileDigests]:
    """Download a locked wheel into a folder; see :func:`download_by_hash`.

    Returns:
        The file and its digests.
    """
    path = download_by_hash(package.purl, package.file, package.sha256, folder)
    return path, digests_of_file(path)


def download_by_hash(purl: str, file: str, sha256: Digest, folder: Path) -> Path:
    """Download a wheel into a folder.

    Args:
        purl: Package URL: name and version.
        file: The wheel's file name, for errors.
        sha256: The bytes that are wanted.
        folder: Where to write.

    Raises:
        Unavailable: if the index does not have it.
        HashMismatch: if the index has other bytes under its name and version.
    """
    requirement = purl.removeprefix("pkg:pypi/").replace("@", "==")
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{requirement} --hash={sha256}\n")
    target = folder / "wheels"
    answer = run_pip([*_OPTIONS, f"--dest={target}", f"--requirement={wanted}", *TARGET])
    found = sorted(target.glob("*.whl"))
    if answer.returncode == 0 and len(found) == 1:
        return found[0]
    other = _GOT.search(answer.stderr + answer.stdout)
    if other is not None:
        raise HashMismatch(
            f"package {purl} is no longer the file that was locked",
            expected=str(sha256),
            found=f"sha256:{other[1]}",
            where=file,
            hint="export D4CBUILD_PYPI_INDEX=<another index>, or d4cbuild env lock <name>",
        )
    raise Unavailable(
        f"package {purl} cannot be had",
        expected=f"{file} with {sha256}",
        found=last_lines(answer.stderr),
        hint=(
            "check the network and pip's configuration (pip config list), or export "
            "D4CBUILD_PYPI_INDEX=<an index that has it>; if it was withdrawn: d4cbuild env lock "
            "<name>"
        ),
    )
