"""What the store holds, what of it is whole, and what nothing needs any more."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from d4cbuild.base.canonical import parse_json
from d4cbuild.base.digest import digests_of_file
from d4cbuild.base.files import remove_tree
from d4cbuild.base.progress import Progress
from d4cbuild.errors import StoreError
from d4cbuild.store.realisations import forget_build, known_builds
from d4cbuild.store.store import Store

_DIGEST_FIELDS = ("blake3", "content", "build_key", "config", "sha256")


@dataclass(frozen=True)
class Inventory:
    """What lies in the store.

    Attributes:
        objects: How many objects.
        bytes: Their size together.
        images: How many assembled environments.
        realisations: How many builds are remembered.
        roots: Folders whose locks and manifests keep objects alive.
        quarantined: How many objects were set aside as corrupt.
    """

    objects: int
    bytes: int
    images: int
    realisations: int
    roots: tuple[str, ...]
    quarantined: int

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Collection:
    """What garbage collection did, or would do.

    Attributes:
        removed: How many objects, images and realisations.
        freed: Bytes of the objects.
        kept: How many objects are reached from roots.
        lost_roots: Roots that are gone and no longer keep anything.
    """

    removed: int
    freed: int
    kept: int
    lost_roots: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)


def inventory(store: Store) -> Inventory:
    """Count what lies in the store."""
    sizes = [path.stat().st_size for _, path in store.object_files()]
    return Inventory(
        objects=len(sizes),
        bytes=sum(sizes),
        images=sum(1 for _ in store.images.iterdir()),
        realisations=len(known_builds(store.database)),
        roots=tuple(store.database.roots()),
        quarantined=sum(1 for _ in store.quarantine.iterdir()),
    )


def check_objects(store: Store, progress: Progress) -> list[str]:
    """Read every object and set aside those whose bytes do not have their name.

    What the database does not know, as after its loss, it knows afterwards.

    Returns:
        One line for each that was set aside.
    """
    found = []
    sizes = [(digest, path, path.stat().st_size) for digest, path in store.object_files()]
    with progress.task("checking objects", sum(size for _, _, size in sizes)) as advance:
        for digest, path, size in sizes:
            actual = digests_of_file(path)
            if actual.blake3 != digest:
                store.set_aside(digest)
                found.append(f"{digest}: its bytes are {actual.blake3}; moved to quarantine/")
            else:
                store.remember(actual, path)
            advance(size)
    return found


def collect_garbage(store: Store, *, dry_run: bool) -> Collection:
    """Remove every object, image and realisation that no root reaches.

    A root is a recipe's folder: what its lock and manifest and its environment's lock name is
    kept. The caller holds the store alone.

    Args:
        store: The store.
        dry_run: Only say what would be removed.

    Raises:
        StoreError: if it is not known what is needed.
    """
    if not store.database.roots() and any(store.object_files()):
        # After the loss of the database, or before the first lock: everything would go.
        raise StoreError(
            "the store does not know of any recipe, so it cannot tell what is needed",
            where=str(store.root),
            hint="d4cbuild lock --all in each project you keep, or remove the whole folder",
        )
    lost = [root for root in store.database.roots() if not Path(root, "recipe.toml").exists()]
    reached: set[str] = set()
    for root in store.database.roots():
        if root not in lost:
            reached |= _named_by(Path(root))
    removed = freed = kept = 0
    for digest, path in list(store.object_files()):
        row = store.database.object_row("blake3", digest.hex)
        if digest.hex in reached or (row is not None and row.sha256 in reached):
            kept += 1
            continue
        removed += 1
        freed += path.stat().st_size
        if not dry_run:
            path.unlink()
            store.database.forget_object(digest.hex)
    removed += _collect_images(store, reached, dry_run=dry_run)
    removed += _collect_realisations(store, reached, dry_run=dry_run)
    if not dry_run:
        for root in lost:
            store.database.drop_root(root)
        for mark, _ in store.database.rows("fresh"):
            store.database.delete("fresh", mark)
        for path in store.quarantine.iterdir():
            path.unlink()
        store.sweep()
    return Collection(removed, freed, kept, tuple(lost))


def _collect_images(store: Store, reached: set[str], *, dry_run: bool) -> int:
    gone = [path for path in store.images.iterdir() if path.name not in reached]
    if not dry_run:
        for path in gone:
            with store.workspace() as workspace:
                # By a rename first, so that no half-removed image is ever seen under its name.
                path.rename(workspace / path.name)
    return len(gone)


def _collect_realisations(store: Store, reached: set[str], *, dry_run: bool) -> int:
    gone = [
        key
        for key, build in known_builds(store.database).items()
        if not {digest.hex for digest in build.digests} <= reached
    ]
    if not dry_run:
        for key in gone:
            forget_build(store.database, key)
            remove_tree(store.logs / key.hex)
    return len(gone)


def _named_by(root: Path) -> set[str]:
    """Hex digests named anywhere in a recipe's lock and manifest and in the environments' locks."""
    found: set[str] = set()
    paths = [root / "recipe.lock", root / "manifest.json"]
    for folder in root.parents:
        paths += folder.glob("environments/*/environment.lock")
    for path in paths:
        if path.exists():
            try:
                found |= _digests_in(parse_json(path.read_bytes()))
            except (ValueError, RecursionError) as error:
                raise StoreError(
                    "what a recipe needs cannot be read, so nothing was removed",
                    found=str(error),
                    where=str(path),
                    hint=f"git checkout {path}",
                ) from error
    return found


def _digests_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        found: set[str] = set()
        for name, inner in value.items():
            if name in _DIGEST_FIELDS and isinstance(inner, str):
                found.add(inner.partition(":")[2])
            else:
                found |= _digests_in(inner)
        return found
    if isinstance(value, list):
        return set().union(*(_digests_in(inner) for inner in value))
    return set()
