"""``release``: the steps from an accepted build to a tagged version, in order.

Each step looks first whether it was done, so that a release that was interrupted anywhere is
finished by running it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from d4cbuild.base.progress import Progress
from d4cbuild.build.folder import MANIFEST_FILE, RecipeFolder
from d4cbuild.bundle.gather import Gathering
from d4cbuild.bundle.make import write_bundle
from d4cbuild.code.tags import Tagged, tag_head, tags_of
from d4cbuild.errors import InputError
from d4cbuild.model.manifest import Manifest
from d4cbuild.model.parse import record_from_json
from d4cbuild.release.changes import (
    Change,
    RowCounts,
    changes_between,
    is_toolchain_alone,
    size_of,
)
from d4cbuild.release.notes import as_message, from_message, render_notes
from d4cbuild.release.readiness import Lack, lacks_of
from d4cbuild.release.released import tag_name
from d4cbuild.release.versions import check_version, least_version, parse_version

CompareRows = Callable[[Manifest, Manifest], Mapping[str, RowCounts]]
"""Counts how the rows of outputs changed, as far as their files are on this machine."""


@dataclass(frozen=True)
class ReleaseOptions:
    """What the user chose.

    Attributes:
        policy: ``trust.toml``.
        attestations: The folder of attestations.
        output: Where the bundle's folder is made.
        split: Most bytes a file of the bundle may have.
        dry_run: Say what would be done, and write nothing.
    """

    policy: Path
    attestations: Path
    output: Path
    split: int | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class Release:
    """What was, or would be, released.

    Attributes:
        recipe: The dataset's id.
        version: Its version.
        before: The version before; none for the first.
        size: How much changed: ``nothing``, ``patch``, ``minor`` or ``major``.
        least: The smallest version that may follow; none for the first.
        changes: What changed.
        remark: What is to be said of the version.
        lacks: What keeps it from being released.
        notes: The release notes by language.
        tag: The tag's name.
        commit: The commit it marks; none where there is no tag yet.
        bundle: Where the bundle is; none where nothing was written.
        sums: SHA-256 of its ``SHA256SUMS``.
        status: ``released`` now, ``done`` before, or ``planned`` by a dry run.
    """

    recipe: str
    version: str
    before: str | None
    size: str
    least: str | None
    changes: tuple[Change, ...]
    remark: str | None
    lacks: tuple[Lack, ...]
    notes: dict[str, str]
    tag: str
    commit: str | None = None
    bundle: str | None = None
    sums: str | None = None
    status: str = "planned"

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        record = asdict(self)
        record["changes"] = [
            {"size": each.size.name.lower(), "en": each.en, "fr": each.fr} for each in self.changes
        ]
        return record


def release_recipe(
    folder: RecipeFolder,
    gathering: Gathering,
    compare: CompareRows,
    options: ReleaseOptions,
    progress: Progress,
) -> Release:
    """Release a build: find what changed, check version and readiness, bundle, tag.

    Args:
        folder: The recipe.
        gathering: Where the parts of the bundle are taken from.
        compare: Counts how rows changed.
        options: What the user chose.
        progress: Whom to tell.

    Raises:
        InputError: if the version is too small, or anything is missing; all of it is listed.
    """
    plan = plan_release(folder, compare, options, gathering.dist)
    if options.dry_run:
        return plan
    if plan.lacks:
        raise InputError(
            "not ready to be released",
            found="\n".join(lack.what for lack in plan.lacks),
            where=folder.where,
            hint="\n".join(lack.next for lack in plan.lacks),
        )
    contents = gathering.of_recipe(folder, lambda: plan.notes)
    place = options.output / contents.manifest.dataset.file_base
    bundle = write_bundle(contents, place, options.split, progress, replace=False)
    done = replace(plan, bundle=str(bundle.folder), sums=f"sha256:{bundle.sums}")
    if plan.commit is not None:
        return replace(done, status="done")
    commit = tag_head(folder.path, plan.tag, as_message(plan.notes))
    return replace(done, status="released", commit=commit)


def plan_release(
    folder: RecipeFolder, compare: CompareRows, options: ReleaseOptions, dist: Path
) -> Release:
    """Find out what would be released, and what is missing; writes nothing.

    Args:
        folder: The recipe.
        compare: Counts how rows changed.
        options: What the user chose.
        dist: Where data files may be.

    Raises:
        InputError: if the version is too small, or was released with another manifest.
    """
    manifest = folder.manifest()
    name = tag_name(manifest.dataset.id, manifest.dataset.version)
    tags = tags_of(folder.path, tag_name(manifest.dataset.id, ""), MANIFEST_FILE)
    made = _tag_of_this(tags, name, manifest, folder)
    last = last_release(tags, manifest)
    before = None if last is None else last.dataset.version
    changes, only_tools = _changes(last, manifest, compare)
    size = size_of(changes)
    version = manifest.dataset.version
    notes = None if made is None else from_message(made.message)
    return Release(
        recipe=manifest.dataset.id,
        version=version,
        before=before,
        size=size.name.lower(),
        least=None if before is None else least_version(before, size),
        changes=changes,
        remark=None if before is None else check_version(before, version, size, folder.where),
        lacks=lacks_of(folder, options.policy, options.attestations, dist),
        notes=notes or render_notes(last, manifest, changes, only_tools=only_tools),
        tag=name,
        commit=None if made is None else made.commit,
    )


def last_release(tags: list[Tagged], manifest: Manifest) -> Manifest | None:
    """The manifest of the highest version before this one that was released."""
    found: dict[tuple[int, int, int], Manifest] = {}
    for tag in tags:
        if tag.manifest is None:
            continue
        record = record_from_json(Manifest, tag.manifest, f"{tag.name}:{MANIFEST_FILE}")
        if tag.name == tag_name(manifest.dataset.id, record.dataset.version):
            found[parse_version(record.dataset.version)] = record
    earlier = [each for each in found if each < parse_version(manifest.dataset.version)]
    return found[max(earlier)] if earlier else None


def _tag_of_this(
    tags: list[Tagged], name: str, manifest: Manifest, folder: RecipeFolder
) -> Tagged | None:
    """The tag of this very release, if it was made; a version is released once."""
    for tag in tags:
        if tag.name != name:
            continue
        if tag.manifest != (folder.path / MANIFEST_FILE).read_bytes():
            raise InputError(
                f"version {manifest.dataset.version} was released with another manifest",
                expected=f"the manifest at {name}",
                found="another",
                where=folder.where,
                hint="set a higher version in recipe.toml, then lock, build and commit",
            )
        return tag
    return None


def _changes(
    last: Manifest | None, manifest: Manifest, compare: CompareRows
) -> tuple[tuple[Change, ...], bool]:
    if last is None:
        return (), False
    rows = compare(last, manifest)
    return changes_between(last, manifest, rows), is_toolchain_alone(last, manifest)
