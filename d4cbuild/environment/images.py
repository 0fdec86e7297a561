"""Finished images in the store: assembled once, recognised by their stamp afterwards.

Layout of ``images/<config>/``::

    root/          the unpacked root filesystem
    index.json     per layer its digest and entries, so that the tar can be streamed again
    config.json    the OCI configuration, whose SHA-256 names the folder
    manifest.json  the OCI manifest
    complete       the stamp
    state          the state of all files when they were last read; see ``wholeness``
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from d4cbuild.base.digest import Digest
from d4cbuild.base.files import sync_directory
from d4cbuild.base.progress import Progress
from d4cbuild.environment import oci
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.fetch import fetch_packages
from d4cbuild.environment.wholeness import (
    fault_of,
    is_as_left,
    note_state,
    read_layers,
    render_layers,
)
from d4cbuild.errors import HashMismatch
from d4cbuild.model.environment import Environment, EnvironmentLock, LockedLayer, LockedPackage
from d4cbuild.sandbox.image import Image
from d4cbuild.store.store import Store

STAMP: Final = "complete"


@dataclass(frozen=True, slots=True)
class Assembled:
    """An image that was put together in a temporary folder.

    Attributes:
        folder: The folder, as it will lie in the store.
        layers: Name, digest and size of each layer.
        config: SHA-256 of the configuration.
        manifest: SHA-256 of the manifest.
    """

    folder: Path
    layers: tuple[LockedLayer, ...]
    config: Digest
    manifest: Digest


def ensure_image(folder: EnvironmentFolder, store: Store, progress: Progress) -> Image:
    """Return the locked image of an environment, assembling it if it is not in the store.

    Args:
        folder: The environment.
        store: Where packages and images are kept.
        progress: Told what is being done.

    Raises:
        StaleLock: if the environment changed since it was locked.
        Unavailable: naming a package that cannot be had.
        HashMismatch: naming a package with other bytes, or if the image came out otherwise.
    """
    lock, name = folder.lock(), folder.environment().name
    found = _sound_image(name, lock, store, progress)
    if found is not None:
        return found
    progress.say(f"assembling environment {name} ({lock.config.short})")
    files = fetch_packages(lock.packages, store, progress)
    with store.workspace() as workspace:
        made = assemble_image(
            folder.environment(), lock.packages, files, workspace / "image", progress
        )
        _check_same(lock, made, folder)
        return keep_image(name, made, store)


def stored_image(name: str, lock: EnvironmentLock, store: Store) -> Image | None:
    """Return the locked image if it is finished in the store."""
    folder = store.images / lock.config.hex
    return _image(name, folder, lock.config, lock.manifest) if _is_finished(folder) else None


def _sound_image(
    name: str, lock: EnvironmentLock, store: Store, progress: Progress
) -> Image | None:
    """The locked image, if it is finished in the store and still what it was."""
    found = stored_image(name, lock, store)
    if found is None or is_as_left(found.root.parent):
        return found
    fault = fault_of(found.root.parent)
    if fault is None:
        note_state(found.root.parent)
        return found
    progress.warn(f"environment {name} was changed on this machine ({fault}): removed")
    remove_image(lock.config, store)
    return None


def assemble_image(
    environment: Environment,
    packages: tuple[LockedPackage, ...],
    files: Mapping[str, Path],
    folder: Path,
    progress: Progress,
) -> Assembled:
    """Put an image together.

    Args:
        environment: What is wanted.
        packages: What was found.
        files: Per purl, the package's checked bytes.
        folder: Where to write; must not exist, its parent must.
        progress: Told how far it is.
    """
    # Imported late: most commands find the image assembled.
    from d4cbuild.environment.assemble import assemble

    root = folder / "root"
    root.mkdir(parents=True)
    tree = assemble(environment, packages, files, root, progress)
    progress.say("computing the image's digest")
    with ThreadPoolExecutor(2) as pool:  # hashing leaves Python's lock, so the layers overlap
        layers = tuple(
            pool.map(lambda layer: oci.make_layer(layer[0], root, layer[1]), tree.layers())
        )
    locked = tuple(layer.locked for layer in layers)
    config = oci.image_config(locked)
    manifest = oci.image_manifest(locked, config)
    (folder / "index.json").write_bytes(render_layers(layers))
    (folder / "config.json").write_bytes(config)
    (folder / "manifest.json").write_bytes(manifest)
    return Assembled(folder, locked, oci.sha256_of(config), oci.sha256_of(manifest))


def keep_image(name: str, made: Assembled, store: Store) -> Image:
    """Move an assembled image into the store; if another process was faster, take its."""
    final = store.images / made.config.hex
    # Everything must be on the disk before the stamp can be, or a power cut could leave a
    # stamped image of empty files.
    os.sync()
    (made.folder / STAMP).write_text(f"{made.config}\n")
    for path in (made.folder, *made.folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)  # any user may run in it
    for path in (store.root, store.images):
        with suppress(PermissionError):  # another user's store is as its owner wants it
            path.chmod(path.stat().st_mode | 0o111)
    with _one_at_a_time(store.images):
        if not _is_finished(final):
            with store.workspace() as trash, suppress(FileNotFoundError):
                final.rename(trash / "unfinished")
            made.folder.rename(final)
            note_state(final)
    sync_directory(store.images)
    return _image(name, final, made.config, made.manifest)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def remove_image(config: Digest, store: Store) -> None:
    """Remove an image; at no moment is a half of it to be seen."""
    with store.workspace() as trash, suppress(FileNotFoundError):
        (store.images / config.hex).rename(trash / "image")


def check_images(store: Store, progress: Progress) -> list[str]:
    """Read every image again, and remove those that are not what their name says.

    Returns:
        One line for each that was removed.
    """
    found = []
    folders = sorted(path for path in store.images.iterdir() if _is_finished(path))
    with progress.task("checking images", len(folders)) as advance:
        for folder in folders:
            fault = fault_of(folder)
            if fault is None:
                note_state(folder)
            elif _is_finished(folder):  # else another process has removed it meanwhile
                remove_image(Digest("sha256", folder.name), store)
                found.append(f"image sha256:{folder.name}: {fault}; removed, to be assembled anew")
            advance(1)
    return found


def _is_finished(folder: Path) -> bool:
    return (folder / STAMP).is_file()


def _image(name: str, folder: Path, config: Digest, manifest: Digest) -> Image:
    def archive() -> Iterator[bytes]:
        return oci.archive_chunks(
            name,
            image.root,
            read_layers(folder),
            (folder / "config.json").read_bytes(),
            (folder / "manifest.json").read_bytes(),
        )

    image = Image(name, config, manifest, folder / "root", archive)
    return image


def _check_same(lock: EnvironmentLock, made: Assembled, folder: EnvironmentFolder) -> None:
    if (made.layers, made.config, made.manifest) == (lock.layers, lock.config, lock.manifest):
        return
    differing = [
        layer.name
        for layer, locked in zip(made.layers, lock.layers, strict=False)
        if layer != locked
    ]
    raise HashMismatch(
        f"environment {folder.path.name!r} came out as another image than the locked one",
        expected=str(lock.config),
        found=f"{made.config}; layers that differ: {', '.join(differing) or 'none'}",
        where=str(folder.lock_path),
        hint=f"d4cbuild env lock {folder.path.name}, and see with git diff what changed",
    )
