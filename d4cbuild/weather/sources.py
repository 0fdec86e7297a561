"""The sources of a lock: who still has their bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from d4cbuild.base.digest import blake3_of_file
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.code.repository import is_committed
from d4cbuild.errors import Unavailable
from d4cbuild.model.lock import LockedSource
from d4cbuild.model.recipe import Source
from d4cbuild.model.weather import LookHow, LookState
from d4cbuild.sources.candidates import Place, PlaceKind, places_of
from d4cbuild.sources.hosts import host_of
from d4cbuild.sources.http_limits import HttpLimits
from d4cbuild.sources.local import LocalOrigin
from d4cbuild.sources.look import Looker, largest_change
from d4cbuild.sources.member import MemberOrigin
from d4cbuild.sources.origin import Origin
from d4cbuild.sources.rclone import RcloneOrigin
from d4cbuild.sources.sight import Sight, Wanted
from d4cbuild.weather.change import Change, ChangeKind, classify
from d4cbuild.weather.report import PlaceReport, SourceReport
from d4cbuild.weather.risk import judge
from d4cbuild.weather.watch import Watch

THIS_MACHINE = "this machine"
_REPOSITORY = "the recipe's repository"
_PATIENCE = HttpLimits(attempts=2, read_s=15, slow_window_s=30, longest_retry_after_s=10)
"""For reading whole files: looking is no reason to insist."""


@dataclass
class _Seen:
    """What was seen at a place: as it is named, which it is remembered by, and where exactly."""

    place: str
    where: str
    sight: Sight
    change: Change | None = None


@dataclass
class _Quest:
    """One source, while it is looked for."""

    locked: LockedSource
    places: list[Place]
    wanted: Wanted
    stored: bool
    seen: dict[int, _Seen]


def look_for_sources(folder: RecipeFolder, watch: Watch, workspace: Path) -> list[SourceReport]:
    """Look into every place of every source of a lock.

    Args:
        folder: The recipe's folder.
        watch: The run.
        workspace: A folder for files that are read whole.

    Raises:
        StaleLock: if the lock does not belong to the recipe.
        InputError: if a mirror is written in a way that is not understood.
    """
    recipe = folder.recipe()
    lock = folder.sealed_lock(recipe)
    declared = {source.name: source for source in recipe.sources}
    quests = [_quest(each, declared[each.name], folder, watch) for each in lock.sources]
    with watch.looker(workspace).session:
        for quest in quests:
            _look_here(quest, watch.looker(workspace))
    errands = [
        (_queue(place), _errand(quest, number))
        for quest in quests
        for number, place in enumerate(quest.places)
        if number not in quest.seen
    ]
    watch.at_once(errands, workspace)
    return [_reported(quest, folder, watch) for quest in quests]


def _quest(locked: LockedSource, source: Source, folder: RecipeFolder, watch: Watch) -> _Quest:
    places = places_of(source, folder.path, watch.options.mirrors, locked, _PATIENCE, watch.hosts)
    stored = _stored(locked, watch)
    wanted = Wanted(locked.size, locked.sha256, stored)
    return _Quest(locked, places, wanted, stored is not None, {})


def _stored(locked: LockedSource, watch: Watch) -> Path | None:
    path = watch.store.get(locked.blake3)
    # What was checked before is trusted while its file has the same state; a disk may rot, though.
    if path is not None and watch.options.deep and blake3_of_file(path) != locked.blake3:
        watch.store.set_aside(locked.blake3)
        return None
    return path


def _look_here(quest: _Quest, looker: Looker) -> None:
    """Look into folders first: a good copy in one is what others can be compared with."""
    for number, place in enumerate(quest.places):
        if not all(isinstance(_archive(each), LocalOrigin) for each in place.origins):
            continue
        seen = _look(quest, place, looker)
        quest.seen[number] = seen
        for origin in place.origins:
            good = seen.sight.state is LookState.OK and origin.where == seen.where
            if quest.wanted.file is None and good and isinstance(origin, LocalOrigin):
                quest.wanted = Wanted(quest.locked.size, quest.locked.sha256, origin.path)


def _errand(quest: _Quest, number: int) -> Callable[[Looker], None]:
    def errand(looker: Looker) -> None:
        quest.seen[number] = _look(quest, quest.places[number], looker)

    return errand


def _look(quest: _Quest, place: Place, looker: Looker) -> _Seen:
    """Look into a place, under one name after the other until one has the bytes."""
    order = list(LookState)
    best: _Seen | None = None
    chosen: Origin | None = None
    for origin in place.origins:
        sight = looker.look(origin, quest.wanted)
        if best is None or order.index(sight.state) < order.index(best.sight.state):
            best, chosen = _Seen(place.text, origin.where, sight), origin
        if sight.state is LookState.OK:
            break
    if best is None or chosen is None:
        nothing = Sight(LookState.GONE, LookHow.NOTHING, "no name to look for")
        return _Seen(place.text, place.text, nothing)
    if best.sight.state is LookState.GONE and len(place.origins) > 1:
        best.where = place.text  # under none of the names
    if best.sight.state is LookState.CHANGED:
        best.change = _change(quest, chosen, looker)
    return best


def _change(quest: _Quest, origin: Origin, looker: Looker) -> Change:
    """Fetch what is there now, and say how it differs."""
    archive = _archive(origin)
    try:
        now = looker.bring(archive, largest_change(quest.locked.size))
    except Unavailable as error:
        return Change(ChangeKind.UNKNOWN, f"it could not be fetched to compare: {error.message}")
    try:
        return classify(now, quest.locked, quest.wanted.file)
    finally:
        now.unlink()


def _archive(origin: Origin) -> Origin:
    return origin.archive if isinstance(origin, MemberOrigin) else origin


def _queue(place: Place) -> str:
    """What is asked one thing at a time: a host, or a remote."""
    inner = _archive(place.origins[0])
    return inner.where.split(":")[0] if isinstance(inner, RcloneOrigin) else host_of(inner.where)


def _reported(quest: _Quest, folder: RecipeFolder, watch: Watch) -> SourceReport:
    places = [_store_report(quest, watch)]
    for number, place in enumerate(quest.places):
        seen = quest.seen[number]
        spot, here = _spot(place, seen, folder)
        places.append(_place_report(quest, seen, str(place.kind), spot, here, watch))
    judgement = judge([each.copy for each in places], watch.options.fresh_days)
    locked = quest.locked
    return SourceReport(locked.name, locked.size, str(locked.sha256), tuple(places), judgement)


def _store_report(quest: _Quest, watch: Watch) -> PlaceReport:
    if quest.stored:
        when = "now" if watch.options.deep else "when they were kept"
        sight = Sight(LookState.OK, LookHow.HASHED, f"all bytes were checked {when}")
    else:
        sight = Sight(LookState.GONE, LookHow.NOTHING, "not in it")
    seen = _Seen("the store", "the store", sight)
    return _place_report(quest, seen, "store", THIS_MACHINE, True, watch)


def _place_report(
    quest: _Quest, seen: _Seen, kind: str, spot: str, here: bool, watch: Watch
) -> PlaceReport:
    look, sight = watch.recall(str(quest.locked.sha256), seen.place, seen.sight)
    return PlaceReport(
        where=seen.where,
        kind=kind,
        spot=spot,
        state=sight.state,
        how=sight.how,
        reason=sight.reason,
        good=look.good,
        age_days=watch.age_days(look),
        change=seen.change,
        here=here,
    )


def _spot(place: Place, seen: _Seen, folder: RecipeFolder) -> tuple[str, bool]:
    """What a place counts as, and whether that is this machine only."""
    inner = _archive(place.origins[0]) if place.origins else None
    if isinstance(inner, RcloneOrigin):
        return inner.where.split(":")[0], False
    if inner is None or isinstance(inner, LocalOrigin):
        if (
            place.kind is PlaceKind.MIRROR
            and isinstance(inner, LocalOrigin)
            and is_committed(folder.path, inner.path)
        ):
            return _REPOSITORY, False
        return THIS_MACHINE, True
    # Ports are no other machine, and neither is another name in front of a redirect.
    return urlsplit(f"//{seen.sight.host or host_of(inner.where)}").hostname or inner.where, False
