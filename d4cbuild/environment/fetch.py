"""Locked packages into the store, checked: Debian's over HTTP, wheels by pip. Needs no apt."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from d4cbuild.base.digest import FileDigests
from d4cbuild.base.progress import Progress
from d4cbuild.environment.debian_download import download_debian
from d4cbuild.environment.wheel_download import download_wheel
from d4cbuild.errors import HashMismatch
from d4cbuild.model.environment import LockedPackage
from d4cbuild.store.store import Store

PARALLEL_DOWNLOADS: Final = 2

Downloader = Callable[[LockedPackage, Path], tuple[Path, FileDigests]]
"""Downloads a package into a folder; returns the file and its digests, not yet trusted."""


def fetch_packages(
    packages: Iterable[LockedPackage], store: Store, progress: Progress
) -> dict[str, Path]:
    """Return the checked file of every package, downloading what the store does not have.

    Args:
        packages: What was locked.
        store: Where the files are kept.
        progress: Told how far it is, in bytes.

    Returns:
        Per purl, the file in the store.

    Raises:
        Unavailable: naming the first package that cannot be had.
        HashMismatch: naming a package that no longer has the locked bytes.
    """
    kept = list(packages)
    files = {each.purl: path for each in kept if (path := store.find(each.sha256)) is not None}
    missing = [each for each in kept if each.purl not in files]
    if not missing:
        return files
    total = sum(each.size for each in missing)
    with (
        store.workspace() as workspace,
        progress.task(f"fetching {len(missing)} packages", total) as advance,
    ):
        pool = ThreadPoolExecutor(PARALLEL_DOWNLOADS)
        try:
            futures = [
                pool.submit(_download, each, workspace / str(number))
                for number, each in enumerate(missing)
            ]
            # The store's database belongs to this thread, so what was downloaded is kept here.
            for each, future in zip(missing, futures, strict=True):
                files[each.purl] = store.path_of(store.adopt(*future.result()).blake3)
                advance(each.size)
        finally:
            pool.shutdown(cancel_futures=True)  # after a failure, start no further download
    return files


def _download(package: LockedPackage, folder: Path) -> tuple[Path, FileDigests]:
    """Download a package and check it against its lock."""
    folder.mkdir()
    download: Downloader = download_debian if package.is_debian else download_wheel
    path, found = download(package, folder)
    if (found.sha256, found.size) != (package.sha256, package.size):
        raise HashMismatch(
            f"package {package.purl} is no longer the file that was locked",
            expected=f"{package.sha256} ({package.size} bytes)",
            found=f"{found.sha256} ({found.size} bytes)",
            where=package.file,
            hint="d4cbuild env lock <name>, and see with git diff what changed",
        )
    return path, found
