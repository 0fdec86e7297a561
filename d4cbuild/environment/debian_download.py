"""Downloading one Debian package from the archives that this machine knows."""

from pathlib import Path
from typing import Final
from urllib.parse import quote

from d4cbuild.base.digest import FileDigests, digests_of_file
from d4cbuild.base.progress import Silence
from d4cbuild.environment.registries import debian_archives
from d4cbuild.errors import HashMismatch, Unavailable
from d4cbuild.model.environment import LockedPackage
from d4cbuild.sources.http import HttpOrigin

SUITE: Final = "bookworm"


def download_debian(package: LockedPackage, folder: Path) -> tuple[Path, FileDigests]:
    """Download a package into a folder, from the first archive that has the locked bytes.

    Args:
        package: What was locked.
        folder: Where to write.

    Returns:
        The file and its digests.

    Raises:
        Unavailable: if no archive has it.
        HashMismatch: if an archive has it and no archive has the locked bytes.
    """
    answers: list[str] = []
    other_bytes = ""
    for number, archive in enumerate(debian_archives(SUITE)):
        address = f"{archive.base}/{quote(package.file, safe='/~+:')}"
        path = folder / f"{number}.deb"
        try:
            # One bar shows all packages; a bar for each would only flicker.
            HttpOrigin(address).fetch(path, package.size, Silence(), package.name)
        except Unavailable as error:
            answers.append(f"{address}: {' '.join(str(error).split())}")
            continue
        found = digests_of_file(path)
        if found.sha256 == package.sha256:
            return path, found
        other_bytes = f"{found.sha256} at {address}"
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
