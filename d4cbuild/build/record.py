"""From a plan and what was made of it to the manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from d4cbuild.base.digest import Digest, FileDigests
from d4cbuild.build.folder import MANIFEST_FILE
from d4cbuild.build.make import Made
from d4cbuild.build.plan import Plan
from d4cbuild.errors import NotIdentical
from d4cbuild.model.environment import EnvironmentLock
from d4cbuild.model.manifest import (
    CodeRecord,
    ColumnRecord,
    EnvironmentRecord,
    Manifest,
    OutputRecord,
    SourceRecord,
)
from d4cbuild.model.recipe import Output
from d4cbuild.store import Store
from d4cbuild.store.realisations import KnownBuild, known_build, remember_build

NOT_RELEASABLE = "built from files that were not committed"


def make_manifest(plan: Plan, outputs: tuple[Made, ...]) -> Manifest:
    """Write down every ingredient and every output of a build."""
    environment = plan.folder.environment(plan.recipe).lock()
    return Manifest(
        dataset=plan.recipe.dataset,
        build_key=plan.key,
        derivation=plan.derivation,
        sources=_sources(plan),
        code=_code(plan),
        environment=_environment(plan, environment),
        outputs=tuple(_output(plan, made) for made in outputs),
        releasable=not plan.dirty,
        not_releasable_because=NOT_RELEASABLE if plan.dirty else None,
    )


def accepted_outputs(plan: Plan) -> dict[str, OutputRecord]:
    """What the manifest beside the recipe records for the very derivation of a plan, by name.

    Empty where there is no manifest, or it is of other ingredients.
    """
    if not (plan.folder.path / MANIFEST_FILE).exists():
        return {}
    accepted = plan.folder.manifest()
    if accepted.build_key != plan.key:
        return {}
    return {output.name: output for output in accepted.outputs}


def refuse_other_outputs(
    plan: Plan, outputs: Sequence[OutputRecord], kept: Mapping[str, str] | None = None
) -> None:
    """Never let a build that is not the same take the place of the accepted one unseen.

    Args:
        plan: What was built.
        outputs: What was made.
        kept: Where its files are, by name, where they are anywhere.

    Raises:
        NotIdentical: if the manifest beside the recipe records other bytes for this derivation.
    """
    before = accepted_outputs(plan)
    for output in outputs:
        known = before.get(output.name)
        if known is not None and known.sha256 != output.sha256:
            place = (kept or {}).get(output.name)
            raise NotIdentical(
                f"output {output.name} is not what manifest.json records for these ingredients",
                expected=f"{known.sha256}, {known.size} bytes",
                found=f"{output.sha256}, {output.size} bytes" + (f": {place}" if place else ""),
                where=plan.folder.where,
                hint=f"d4cbuild verify {plan.folder.where}\n"
                "if the new bytes are right, remove manifest.json and build again",
            )


def _sources(plan: Plan) -> tuple[SourceRecord, ...]:
    locked = {source.name: source for source in plan.lock.sources}
    return tuple(
        SourceRecord(
            name=source.name,
            url=source.url,
            member=source.member,
            mirrors=source.mirrors,
            licence=source.licence,
            attribution=source.attribution,
            size=locked[source.name].size,
            blake3=locked[source.name].blake3,
            sha256=locked[source.name].sha256,
        )
        for source in plan.recipe.sources
    )


def _code(plan: Plan) -> CodeRecord:
    locked = plan.lock.code
    if plan.dirty:
        return CodeRecord(commit=None, tree=None, swhid=None, blake3=locked.blake3)
    # Software Heritage names a folder by the same hash git gives its tree.
    return CodeRecord(
        commit=locked.commit,
        tree=locked.tree,
        swhid=f"swh:1:dir:{locked.tree}",
        blake3=locked.blake3,
    )


def _environment(plan: Plan, lock: EnvironmentLock) -> EnvironmentRecord:
    return EnvironmentRecord(
        name=plan.recipe.build.environment,
        config=lock.config,
        manifest=lock.manifest,
        packages=tuple(package.purl for package in lock.packages),
    )


def _output(plan: Plan, made: Made) -> OutputRecord:
    output, facts = made.output, made.facts
    found = {column["name"]: column for column in facts.get("columns", ())}
    return OutputRecord(
        name=output.name,
        file=plan.recipe.file_name(output),
        format=output.format,
        kind=output.kind,
        size=made.digests.size,
        blake3=made.digests.blake3,
        sha256=made.digests.sha256,
        md5=made.digests.md5,
        content=made.content,
        rows=facts.get("rows"),
        columns=tuple(
            ColumnRecord(
                name=column.name,
                type=column.type,
                nullable=column.nullable,
                description=column.description,
                nulls=found[column.name]["nulls"],
            )
            for column in output.columns
        ),
        geometry=facts.get("geometry"),
        repaired=facts.get("repaired"),
        rewritten=tuple(facts.get("rewritten", ())) or None,
        kept=facts.get("kept"),
    )


def remember(
    store: Store, plan: Plan, outputs: tuple[Made, ...], envelope: str | None = None
) -> None:
    """Record the realisation: which outputs a derivation has.

    Args:
        store: Where it is kept.
        plan: The build.
        outputs: What was made.
        envelope: The signed realisation they were taken from; none for what was built here.
    """
    record = tuple(
        {"name": made.output.name, "blake3": str(made.digests.blake3), "facts": made.facts}
        for made in outputs
    )
    remember_build(store.database, plan.key, KnownBuild(record, envelope))


def recall(store: Store, plan: Plan) -> tuple[Made, ...] | None:
    """Find the outputs of a derivation that was built before, if all are still in the store."""
    build = known_build(store.database, plan.key)
    if build is None:
        return None
    known = {entry["name"]: entry for entry in build.outputs}
    found = []
    for output in plan.recipe.outputs:
        made = _recall_one(store, output, known.get(output.name))
        if made is None:
            return None
        found.append(made)
    return tuple(found)


def _recall_one(store: Store, output: Output, entry: dict[str, Any] | None) -> Made | None:
    if entry is None:
        return None
    digests: FileDigests | None = store.known_digests(Digest.parse(entry["blake3"]))
    return None if digests is None else Made(output, digests, entry["facts"])
