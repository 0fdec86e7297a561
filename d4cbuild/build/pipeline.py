"""``build``: the steps from a locked recipe to its manifest, in order."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.files import replacing, write_atomically
from d4cbuild.base.progress import Progress
from d4cbuild.build.explain import changed_ingredients
from d4cbuild.build.folder import MANIFEST_FILE, RecipeFolder
from d4cbuild.build.fresh import fingerprint, remember_result
from d4cbuild.build.make import Made, Maker
from d4cbuild.build.plan import Plan, plan_dirty, plan_locked
from d4cbuild.build.record import make_manifest, recall, refuse_other_outputs, remember
from d4cbuild.build.result import BuildResult, BuiltOutput, TakenFrom, shown_path
from d4cbuild.build.substituting import take_outputs
from d4cbuild.errors import InputError
from d4cbuild.model.lock import LockedSource
from d4cbuild.model.manifest import Manifest, OutputRecord
from d4cbuild.model.parse import record_to_json
from d4cbuild.sandbox.job import Runner
from d4cbuild.sharing.substituters import NO_SUBSTITUTERS, Substituters, Taken
from d4cbuild.store import Store


@dataclass(frozen=True)
class BuildOptions:
    """What the user chose.

    Attributes:
        dist: Where data files go.
        mirrors: Further places that hold copies of sources.
        dirty: Build uncommitted files.
        explain: Say why it must be built.
        force: Build also what the store already knows.
        cpus: CPUs to use instead of the recipe's.
        substituters: Shared stores, from which outputs may be taken, and sources.
        seen: What earlier builds of uncommitted files found of sources that no lock names.
    """

    dist: Path
    mirrors: Sequence[str] = ()
    dirty: bool = False
    explain: bool = False
    force: bool = False
    cpus: int | None = None
    substituters: Substituters = NO_SUBSTITUTERS
    seen: dict[str, LockedSource] | None = None


def build_recipe(
    folder: RecipeFolder,
    store: Store,
    runner: Callable[[], Runner],
    options: BuildOptions,
    progress: Progress,
) -> BuildResult:
    """Build a recipe, or take what a store has of it, and write data files and manifest.

    Args:
        folder: The recipe.
        store: The store.
        runner: Gives a runner; asked only if something has to be run.
        options: What the user chose.
        progress: Whom to tell.

    Raises:
        D4CError: saying what is wrong and what to do.
    """
    plan = (
        plan_dirty(folder, store, options.mirrors, progress, options.seen)
        if options.dirty
        else plan_locked(folder)
    )
    for warning in plan.warnings:
        progress.warn(warning)
    store.database.add_root(str(folder.path.absolute()))
    obtained = _obtain(plan, store, runner, options, progress)
    explanation = explain(plan, obtained.status) if options.explain else ()
    manifest = make_manifest(plan, obtained.outputs)
    result = _publish(plan, manifest, obtained, store, options, explanation)
    if not options.dirty:
        remember_result(store, fingerprint(folder.path, options.dist), result)
    return result


@dataclass(frozen=True)
class _Obtained:
    """The outputs of a plan, and how they were come by."""

    outputs: tuple[Made, ...]
    status: str
    log: Path | None = None
    taken: Taken | None = None


def _obtain(
    plan: Plan,
    store: Store,
    runner: Callable[[], Runner],
    options: BuildOptions,
    progress: Progress,
) -> _Obtained:
    """From our own store, else from a shared one, else by building."""
    if not options.force:
        known = recall(store, plan)
        if known is not None:
            return _Obtained(known, "known")
        found = None if options.dirty else take_outputs(plan, store, options.substituters, progress)
        if found is not None:
            outputs, taken = found
            remember(store, plan, outputs, taken.envelope.decode())
            return _Obtained(outputs, "substituted", taken=taken)
    maker = Maker(
        store,
        runner(),
        options.mirrors,
        progress,
        options.cpus,
        substituters=options.substituters,
    )
    making = maker.make(plan)
    remember(store, plan, making.outputs)
    return _Obtained(making.outputs, "built", log=making.log)


_ENDS = {
    "known": "the outputs of these ingredients are in the store: nothing is run",
    "substituted": "the outputs of these ingredients were taken from a substituter: nothing is run",
    "built": "the outputs of these ingredients are not in this store: they must be built",
}


def explain(plan: Plan, status: str) -> tuple[str, ...]:
    """Why a plan must be built, or why not, ingredient by ingredient."""
    try:
        before = plan.folder.manifest().derivation
    except InputError:
        lines = ["there is no manifest of an earlier build to compare with"]
    else:
        lines = changed_ingredients(before, plan.derivation)
        if not lines:
            lines = ["every ingredient is as in manifest.json"]
    return (*lines, _ENDS[status])


def _publish(
    plan: Plan,
    manifest: Manifest,
    obtained: _Obtained,
    store: Store,
    options: BuildOptions,
    explanation: tuple[str, ...],
) -> BuildResult:
    """Put the data files under their convention names, and the manifest where it belongs."""
    options.dist.mkdir(parents=True, exist_ok=True)
    built = []
    for made, record in zip(obtained.outputs, manifest.outputs, strict=True):
        target = options.dist / record.file
        if not _is_already(target, store.path_of(made.digests.blake3)):
            _copy(store.path_of(made.digests.blake3), target)
        built.append(_built(record, target))
    kept = {output.name: shown_path(output.path) for output in built}
    refuse_other_outputs(plan, manifest.outputs, kept)
    path, changed = _write_manifest(plan, manifest, options)
    return BuildResult(
        recipe=plan.recipe.dataset.id,
        status=obtained.status,
        build_key=plan.key,
        releasable=manifest.releasable,
        outputs=tuple(built),
        manifest=path.absolute(),
        manifest_changed=changed,
        warnings=plan.warnings,
        log=obtained.log,
        explanation=explanation,
        taken_from=_taken_from(obtained.taken),
    )


def _taken_from(taken: Taken | None) -> TakenFrom | None:
    return None if taken is None else TakenFrom(taken.where, taken.builder, taken.key_id)


def _built(record: OutputRecord, target: Path) -> BuiltOutput:
    return BuiltOutput(
        name=record.name,
        path=target.absolute(),
        size=record.size,
        rows=record.rows,
        blake3=record.blake3,
        sha256=record.sha256,
        content=record.content,
        rewritten=record.rewritten or (),
        kept=record.kept,
    )


def _write_manifest(plan: Plan, manifest: Manifest, options: BuildOptions) -> tuple[Path, bool]:
    if plan.dirty:
        # A manifest that may not be released never takes the place of an accepted one.
        path = options.dist / f"{plan.recipe.dataset.id}.dirty.manifest.json"
        write_atomically(path, record_to_json(manifest))
        return path, True
    path = plan.folder.path / MANIFEST_FILE
    before = path.read_bytes() if path.exists() else None
    changed = before != record_to_json(manifest)
    if changed:
        plan.folder.write_manifest(manifest)
    return path, changed


def _is_already(target: Path, original: Path) -> bool:
    if not target.exists() or target.stat().st_size != original.stat().st_size:
        return False
    with target.open("rb") as one, original.open("rb") as other:
        while chunk := one.read(1 << 20):
            if chunk != other.read(len(chunk)):
                return False
    return True


def _copy(original: Path, target: Path) -> None:
    with replacing(target) as temporary:
        shutil.copyfile(original, temporary)
