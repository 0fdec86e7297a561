"""From a recipe that was built to everything its bundle is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from d4cbuild.attest.folder import attestations_about
from d4cbuild.attest.statement import SealedManifest
from d4cbuild.base.archive import TarEntry, read_canonical_tar
from d4cbuild.base.limits import LIMITS
from d4cbuild.base.progress import Progress
from d4cbuild.build.explain import changed_ingredients
from d4cbuild.build.folder import LOCK_FILE, MANIFEST_FILE, RecipeFolder
from d4cbuild.build.plan import Plan, plan_locked
from d4cbuild.build.project import RECIPE_FILE
from d4cbuild.bundle.archive import Member, of_file
from d4cbuild.bundle.contents import Contents, Heavy, Tools, history_member, redistributable
from d4cbuild.bundle.layout import README
from d4cbuild.bundle.own import formats, own_source
from d4cbuild.code.gitbundle import history_of
from d4cbuild.environment.definition import DEFINITION_FILE, DOCKERFILE, EnvironmentFolder
from d4cbuild.environment.definition import LOCK_FILE as ENVIRONMENT_LOCK
from d4cbuild.environment.dockerfile import render_dockerfile
from d4cbuild.environment.fetch import fetch_packages
from d4cbuild.environment.images import ensure_image
from d4cbuild.errors import HashMismatch, InputError
from d4cbuild.model.manifest import Manifest, OutputRecord
from d4cbuild.sources.fetch import fetch_source
from d4cbuild.store import Store

MAXIMUM_HISTORY_BYTES = LIMITS.history_bytes
Notes = Callable[[], Mapping[str, str] | None]


@dataclass(frozen=True)
class Gathering:
    """Where the parts of a bundle are taken from.

    Attributes:
        store: Holds outputs, sources and packages.
        dist: Where data files may be that the store no longer has.
        attestations: The folder of attestations.
        mirrors: Further places that hold copies of sources.
        fat: Whether raw files, packages and image are wanted too.
        progress: Whom to tell.
    """

    store: Store
    dist: Path
    attestations: Path
    mirrors: Sequence[str]
    fat: bool
    progress: Progress

    def of_recipe(self, folder: RecipeFolder, notes: Notes) -> Contents:
        """Gather what the bundle of a recipe is made from.

        Args:
            folder: The recipe.
            notes: Gives the notes of the recipe's release, if it was released.

        Raises:
            InputError: if there is no manifest, or it is of a build that may not be released.
            StaleLock: if recipe and lock do not belong together.
            HashMismatch: if manifest and lock, or a data file, do not belong together.
            Unavailable: if a source or package cannot be had.
        """
        plan = plan_locked(folder)
        manifest = folder.manifest()
        _refuse_other(plan, manifest)
        text = (folder.path / MANIFEST_FILE).read_bytes()
        sealed = SealedManifest.read(text, str(folder.path / MANIFEST_FILE))
        environment = folder.environment(plan.recipe)
        return Contents(
            manifest=manifest,
            manifest_text=text,
            recipe=plan.recipe,
            lock=plan.lock,
            environment=environment.lock(),
            recipe_files=_files(folder.path, (RECIPE_FILE, LOCK_FILE), README),
            code=tuple(read_canonical_tar(plan.code.tar)),
            gather_tools=partial(self._tools, plan, environment),
            data={output.file: self._data(output, folder) for output in manifest.outputs},
            attestations=attestations_about(self.attestations, sealed),
            heavy=self.heavy(plan) if self.fat else None,
            gather_notes=notes,
        )

    def _tools(self, plan: Plan, environment: EnvironmentFolder) -> Tools:
        _refuse_other_dockerfile(environment)
        return Tools(
            environment_files=_files(
                environment.path, (DEFINITION_FILE, ENVIRONMENT_LOCK, DOCKERFILE)
            ),
            normal_form=plan.normal_form.entries,
            formats=formats(),
            own_source=own_source(),
            history=self._history(plan.folder, plan),
        )

    def _history(self, folder: RecipeFolder, plan: Plan) -> Member | None:
        found = history_of(folder.path, plan.lock.code.commit)
        if found is None:
            self.progress.warn(
                f"commit {plan.lock.code.commit[:12]} is not in this repository:"
                " the bundle has the code, but not its history"
            )
            return None
        if found.size > MAXIMUM_HISTORY_BYTES or not found.is_bounded:
            self.progress.warn(
                f"the history has {found.size >> 20} MiB in {len(found.objects)} objects, more"
                " than a bundle may hold: it has the code alone"
            )
            return None
        return history_member(found.bundle_size, found.chunks)

    def _data(self, output: OutputRecord, folder: RecipeFolder) -> Path:
        """A data file, from the store or else from ``dist``; its bytes are the manifest's."""
        path = self.store.get(output.blake3) or self.dist / output.file
        if not path.exists():
            raise HashMismatch(
                f"the data file of output {output.name} is not on this machine",
                expected=f"{output.sha256}, {output.size} bytes",
                where=str(path),
                hint=f"d4cbuild build --force {folder.where}",
            )
        return path

    def heavy(self, plan: Plan) -> Heavy:
        """Gather what makes a bundle fat.

        Raises:
            Unavailable: if a source or package cannot be had.
            HashMismatch: if one has other bytes than were locked.
        """
        environment = plan.folder.environment(plan.recipe)
        allowed = redistributable(plan.recipe)
        locked = {source.name: source for source in plan.lock.sources}
        sources = {}
        for source in plan.recipe.sources:
            if source.name in allowed:
                digests = fetch_source(
                    source,
                    plan.folder.path,
                    self.mirrors,
                    self.store,
                    self.progress,
                    locked[source.name],
                )
                sources[source.name] = of_file(source.name, self.store.path_of(digests.blake3))
        packages = environment.lock().packages
        files = fetch_packages(packages, self.store, self.progress)
        image = ensure_image(environment, self.store, self.progress)
        return Heavy(
            sources=sources,
            packages={each.file: of_file(each.file, files[each.purl]) for each in packages},
            image=image.archive,
        )


def _files(folder: Path, names: Sequence[str], optional: str | None = None) -> tuple[TarEntry, ...]:
    wanted = [*names]
    if optional is not None and (folder / optional).is_file():
        wanted.append(optional)
    return tuple(TarEntry(name, (folder / name).read_bytes()) for name in wanted)


def _refuse_other_dockerfile(folder: EnvironmentFolder) -> None:
    """What people read must say what the lock says."""
    path = folder.dockerfile_path
    found = path.read_bytes() if path.is_file() else None
    if found != render_dockerfile(folder.environment(), folder.lock()):
        raise InputError(
            "the Dockerfile is not the one that the environment's lock makes",
            expected="the file that d4cbuild env lock writes",
            found="another" if found is not None else "none",
            where=str(path),
            hint=f"git checkout {path}, or d4cbuild env lock {folder.path.name}",
        )


def _refuse_other(plan: Plan, manifest: Manifest) -> None:
    """Nothing is bundled but what the manifest, the lock and this version agree on."""
    where = str(plan.folder.path / MANIFEST_FILE)
    build = f"d4cbuild build {plan.folder.where}"
    if not manifest.releasable:
        raise InputError(
            "a build that may not be released is not bundled",
            found=manifest.not_releasable_because,
            where=where,
            hint=f"commit, then {build}",
        )
    other = changed_ingredients(manifest.derivation, plan.derivation)
    if other or manifest.dataset != plan.recipe.dataset:
        raise HashMismatch(
            "manifest.json was made from another recipe than is locked now",
            found="\n".join(other or ["dataset: other names, texts or version"]),
            where=where,
            hint=build,
        )
