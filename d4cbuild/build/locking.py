"""Locking: the only place that looks at the moving world to find out what a recipe means today."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.digest import FileDigests
from d4cbuild.base.files import remove_leftovers
from d4cbuild.base.progress import Progress
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.code.folder import Code
from d4cbuild.code.history import Provenance, has_commit, provenance, uncommitted, working_code
from d4cbuild.errors import InputError
from d4cbuild.model.lock import Lock, LockedCode, LockedImage, LockedSource
from d4cbuild.model.recipe import Recipe, Source
from d4cbuild.sources.fetch import fetch_source
from d4cbuild.sources.hosts import DownHosts
from d4cbuild.store import Store

# Zip archives cannot say anything earlier, so no tool stumbles over it.
EARLIEST_EPOCH_S = 315_532_800
NO_COMMIT = "0" * 40


@dataclass(frozen=True)
class Locked:
    """What locking did.

    Attributes:
        lock: The lock.
        changes: What is other than in the last lock, one line each.
        first: Whether there was no lock before.
    """

    lock: Lock
    changes: tuple[str, ...]
    first: bool


def lock_recipe(
    folder: RecipeFolder, store: Store, mirrors: Sequence[str], progress: Progress
) -> Locked:
    """Resolve a recipe and write ``recipe.lock``.

    Args:
        folder: The recipe.
        store: Where the sources are kept.
        mirrors: Further folders or addresses that hold copies of the sources.
        progress: Whom to tell.

    Raises:
        InputError: if the folder has uncommitted changes.
        Unavailable: if a source is nowhere to be had.
    """
    recipe = folder.recipe()
    code, found = _committed(folder)
    previous = folder.lock()
    lock = Lock(
        recipe=recipe.digest,
        sources=_sources(folder, recipe, store, mirrors, progress),
        code=LockedCode(commit=found.commit, tree=found.tree, blake3=code.digest),
        environment=_environment(folder, recipe),
        source_date_epoch=_epoch(previous, code, found),
    )
    lock = _keep_provenance(folder.path, lock, previous)
    changes = lock_changes(previous, lock)
    if changes:
        folder.write_lock(lock)
    store.database.add_root(str(folder.path.absolute()))
    return Locked(lock, tuple(changes), previous is None)


def check_lock(folder: RecipeFolder) -> list[str]:
    """Why a lock is stale; empty if it is not. Reads only what is on this machine."""
    recipe = folder.recipe()
    lock = folder.lock()
    if lock is None:
        return ["the recipe was never locked"]
    reasons = folder.stale_because(recipe, lock)
    remove_leftovers(folder.path)
    code = working_code(folder.path)
    if code.digest != lock.code.blake3:
        reasons.append("the recipe's code has changed since it was locked")
    return reasons


def provisional_lock(
    folder: RecipeFolder,
    store: Store,
    mirrors: Sequence[str],
    progress: Progress,
    seen: dict[str, LockedSource] | None = None,
) -> tuple[Lock, Code]:
    """Lock the files as they lie in the folder, for a build that may not be released.

    Sources that an existing lock names keep their locked bytes.

    Args:
        folder: The recipe.
        store: Where the sources are kept.
        mirrors: Further folders or addresses that hold copies of the sources.
        progress: Whom to tell.
        seen: What earlier calls found of sources that no lock names; they are not fetched again
            unless they are declared otherwise or a copy beside the recipe has changed.
    """
    recipe = folder.recipe()
    remove_leftovers(folder.path)
    code = working_code(folder.path)
    previous = folder.lock()
    known = {} if previous is None else {source.name: source for source in previous.sources}
    fetch = _fetching(folder, store, mirrors, progress)
    found = {} if seen is None else seen

    def have(source: Source) -> LockedSource:
        if source.name in known:
            return known[source.name]
        mark = _mark(folder.path, source)
        if mark not in found:
            found[mark] = fetch(source)
        return found[mark]

    sources = tuple(have(source) for source in recipe.sources)
    lock = Lock(
        recipe=recipe.digest,
        sources=sources,
        code=LockedCode(commit=NO_COMMIT, tree=NO_COMMIT, blake3=code.digest),
        environment=_environment(folder, recipe),
        source_date_epoch=EARLIEST_EPOCH_S if previous is None else previous.source_date_epoch,
    )
    return lock, code


def _mark(folder: Path, source: Source) -> str:
    """Changes with a source's declaration, and with its copies beside the recipe."""
    copies = [folder / mirror for mirror in source.mirrors if (folder / mirror).is_file()]
    states = [(path.stat().st_size, path.stat().st_mtime_ns) for path in copies]
    return f"{source!r} {states}"


def _committed(folder: RecipeFolder) -> tuple[Code, Provenance]:
    remove_leftovers(folder.path)  # else they would be changes that were not committed
    changed = uncommitted(folder.path)
    code = working_code(folder.path)
    found = None if changed else provenance(folder.path, code.digest)
    if found is None:
        raise InputError(
            "the recipe's folder has uncommitted changes, so no commit could be locked",
            found="\n".join(changed) or "the folder differs from HEAD",
            where=folder.where,
            hint=(
                f"git add {folder.where} && git commit, then d4cbuild lock {folder.where}\n"
                f"or, to try it out: d4cbuild build --dirty {folder.where}"
            ),
        )
    return code, found


def _sources(
    folder: RecipeFolder,
    recipe: Recipe,
    store: Store,
    mirrors: Sequence[str],
    progress: Progress,
) -> tuple[LockedSource, ...]:
    fetch = _fetching(folder, store, mirrors, progress)
    return tuple(fetch(source) for source in recipe.sources)


def _fetching(
    folder: RecipeFolder, store: Store, mirrors: Sequence[str], progress: Progress
) -> Callable[[Source], LockedSource]:
    hosts = DownHosts()

    def fetch(source: Source) -> LockedSource:
        digests = fetch_source(source, folder.path, mirrors, store, progress, None, hosts=hosts)
        return _locked(source.name, digests)

    return fetch


def _locked(name: str, digests: FileDigests) -> LockedSource:
    return LockedSource(name=name, size=digests.size, blake3=digests.blake3, sha256=digests.sha256)


def _environment(folder: RecipeFolder, recipe: Recipe) -> LockedImage:
    lock = folder.environment(recipe).lock()
    return LockedImage(name=recipe.build.environment, config=lock.config, manifest=lock.manifest)


def _epoch(previous: Lock | None, code: Code, found: Provenance) -> int:
    # The epoch is part of the build key. As long as the code stays the same it stays too, so that
    # a rebase or a squash-merge, which change commit times, cause no rebuild.
    if previous is not None and previous.code.blake3 == code.digest:
        return previous.source_date_epoch
    return max(found.time_s, EARLIEST_EPOCH_S)


def _keep_provenance(path: Path, lock: Lock, previous: Lock | None) -> Lock:
    """Keep naming the commit that was locked before, while it is there and has the same code."""
    if previous is None or previous.code.blake3 != lock.code.blake3:
        return lock
    if not has_commit(path, previous.code.commit):
        return lock
    return lock.model_copy(update={"code": previous.code})


def lock_changes(before: Lock | None, after: Lock) -> list[str]:
    """Say what is other in a new lock, one line each."""
    if before is None:
        lines = [f"source {s.name}: {s.size} bytes, {s.blake3}" for s in after.sources]
        lines.append(f"code: {after.code.blake3} at commit {after.code.commit[:12]}")
        lines.append(f"environment {after.environment.name}: {after.environment.config}")
        lines.append(f"source_date_epoch: {after.source_date_epoch}")
        return lines
    lines = []
    old = {source.name: source for source in before.sources}
    for source in after.sources:
        known = old.pop(source.name, None)
        if known is None:
            lines.append(f"source {source.name}: added, {source.size} bytes, {source.blake3}")
        elif known != source:
            lines.append(
                f"source {source.name}: {known.size} bytes, {known.blake3}"
                f" -> {source.size} bytes, {source.blake3}"
            )
    lines += [f"source {name}: removed" for name in old]
    pairs = (
        ("recipe", before.recipe, after.recipe),
        ("code", before.code.blake3, after.code.blake3),
        ("commit", before.code.commit, after.code.commit),
        ("environment", before.environment.config, after.environment.config),
        ("source_date_epoch", before.source_date_epoch, after.source_date_epoch),
    )
    lines += [f"{name}: {old_value} -> {new}" for name, old_value, new in pairs if old_value != new]
    if not lines and before != after:
        lines.append("order or details of the entries")
    return lines
