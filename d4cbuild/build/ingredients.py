"""The locked sources of a plan, brought into the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from d4cbuild.base.progress import Progress
from d4cbuild.build.plan import Plan
from d4cbuild.sharing.substituters import Substituters
from d4cbuild.sources.fetch import fetch_source
from d4cbuild.sources.hosts import DownHosts
from d4cbuild.store import Store


def locked_sources(
    plan: Plan,
    store: Store,
    mirrors: Sequence[str],
    substituters: Substituters,
    progress: Progress,
) -> tuple[tuple[str, Path], ...]:
    """Make sure that every source is in the store; returns name and path of each.

    Args:
        plan: What is to be built.
        store: Where they go.
        mirrors: Further places that hold copies of sources.
        substituters: Shared stores, where they are looked for before the publisher is asked.
        progress: Whom to tell.

    Raises:
        HashMismatch: if one no longer has its locked bytes.
        Unavailable: if one cannot be had.
    """
    found = []
    hosts = DownHosts()
    declared = {source.name: source for source in plan.recipe.sources}
    for locked in plan.lock.sources:
        fetch_source(
            declared[locked.name],
            plan.folder.path,
            mirrors,
            store,
            progress,
            locked,
            hosts=hosts,
            further=lambda each: substituters.origins(each.blake3, each.size),
        )
        path = store.require(
            locked.blake3, f"source {locked.name}", f"d4cbuild build {plan.folder.where}"
        )
        found.append((locked.name, path))
    return tuple(found)
