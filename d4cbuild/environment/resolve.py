"""Locking an environment: find packages, fetch them, assemble them once, write what came out."""

from collections.abc import Callable, Mapping
from pathlib import Path

from d4cbuild.base.digest import digests_of_file
from d4cbuild.base.files import write_atomically
from d4cbuild.base.progress import Progress
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.dockerfile import render_dockerfile
from d4cbuild.environment.fetch import fetch_packages
from d4cbuild.environment.images import assemble_image, keep_image
from d4cbuild.environment.resolve_debian import resolve_debian
from d4cbuild.environment.resolve_wheels import FoundWheel, resolve_wheels
from d4cbuild.environment.wheel_download import download_by_hash
from d4cbuild.model.environment import Environment, EnvironmentLock, LockedPackage
from d4cbuild.model.parse import record_to_json
from d4cbuild.sandbox.image import Image
from d4cbuild.store.store import Store

Probe = Callable[[Image], Mapping[str, str]]
"""Runs the environment's probes in a finished image and returns what they answered."""


def lock_environment(
    folder: EnvironmentFolder, store: Store, progress: Progress, probe: Probe | None = None
) -> EnvironmentLock:
    """Resolve an environment and write ``environment.lock`` and ``Dockerfile``.

    Args:
        folder: The environment.
        store: Where packages and the finished image are kept.
        progress: Told what is being done.
        probe: Asks programs of the image for their versions; without, none are recorded.

    Raises:
        InputError: if the definition is wrong or cannot be satisfied.
        Unavailable: if a registry cannot be read, or apt is missing.
    """
    environment = folder.environment()
    packages = _resolve(environment, store, progress)
    files = fetch_packages(packages, store, progress)
    with store.workspace() as workspace:
        made = assemble_image(environment, packages, files, workspace / "image", progress)
        image = keep_image(environment.name, made, store)
    versions = dict(probe(image)) if probe is not None else {}
    lock = EnvironmentLock(
        environment=environment.digest,
        packages=packages,
        layers=made.layers,
        config=made.config,
        manifest=made.manifest,
        versions=versions,
    )
    write_atomically(folder.dockerfile_path, render_dockerfile(environment, lock))
    write_atomically(folder.lock_path, record_to_json(lock))
    return lock


def _resolve(
    environment: Environment, store: Store, progress: Progress
) -> tuple[LockedPackage, ...]:
    with store.workspace() as workspace:
        progress.say(f"asking apt for {len(environment.debian.packages)} Debian packages")
        (workspace / "apt").mkdir()
        found = resolve_debian(environment.debian, workspace / "apt")
        progress.say(f"asking pip for {len(environment.python.requirements)} wheels")
        wheels = resolve_wheels(environment.python, workspace)
    found += [_locked_wheel(wheel, store, progress) for wheel in wheels]
    return tuple(sorted(found, key=lambda package: package.purl.encode()))


def _locked_wheel(wheel: FoundWheel, store: Store, progress: Progress) -> LockedPackage:
    """Learn a wheel's size, which pip does not report, by having it in the store."""
    path = store.find(wheel.sha256)
    if path is None:
        progress.say(f"fetching {wheel.file}")
        path = _keep(wheel, store)
    return LockedPackage(
        purl=wheel.purl, file=wheel.file, size=path.stat().st_size, sha256=wheel.sha256
    )


def _keep(wheel: FoundWheel, store: Store) -> Path:
    with store.workspace() as folder:
        path = download_by_hash(wheel.purl, wheel.file, wheel.sha256, folder)
        return store.path_of(store.adopt(path, digests_of_file(path)).blake3)
