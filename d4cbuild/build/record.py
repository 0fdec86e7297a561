"""From a plan and what was made of it to the manifest."""

from __future__ import annotations

import json
from typing import Any

from d4cbuild.base.digest import Digest, FileDigests
from d4cbuild.build.make import Made
from d4cbuild.build.plan import Plan
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


def remember(store: Store, plan: Plan, outputs: tuple[Made, ...]) -> None:
    """Record the realisation: which outputs a derivation has."""
    record = [
        {"name": made.output.name, "blake3": str(made.digests.blake3), "facts": made.facts}
        for made in outputs
    ]
    store.database.put("realisation", str(plan.key), json.dumps(record, sort_keys=True))


def recall(store: Store, plan: Plan) -> tuple[Made, ...] | None:
    """Find the outputs of a derivation that was built before, if all are still in the store."""
    text = store.database.get("realisation", str(plan.key))
    if text is None:
        return None
    known: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in json.loads(text)}
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
