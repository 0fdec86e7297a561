"""The packages of an environment's lock: in how many places they can still be had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote, urlsplit

from d4cbuild.environment.debian_download import SUITE
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import stored_image
from d4cbuild.environment.registries import Archive, debian_archives
from d4cbuild.environment.simple_index import Listed, listed_files, page_name
from d4cbuild.environment.wheel_places import WheelPlace, wheel_places
from d4cbuild.errors import Unavailable
from d4cbuild.model.environment import LockedPackage
from d4cbuild.model.weather import LookHow, LookState
from d4cbuild.sources.answer import address_fault
from d4cbuild.sources.hosts import host_of
from d4cbuild.sources.http import HttpOrigin
from d4cbuild.sources.http_limits import HttpLimits
from d4cbuild.sources.local import LocalOrigin
from d4cbuild.sources.look import Looker
from d4cbuild.sources.peek import Settled
from d4cbuild.sources.sight import Sight, Wanted
from d4cbuild.weather.report import EnvironmentReport, PackagePlaceReport
from d4cbuild.weather.risk import (
    Buildable,
    Copy,
    Judgement,
    Risk,
    judge,
    worst_buildable,
    worst_risk,
)
from d4cbuild.weather.sources import THIS_MACHINE
from d4cbuild.weather.watch import Watch

_TRIES_ELSEWHERE: Final = 3
"""After so many packages that an archive of other suites does not have, it is asked no more."""

_PATIENCE = HttpLimits(attempts=2, read_s=15, slow_window_s=30, longest_retry_after_s=10)


class _Place(Protocol):
    """A place that packages are taken from."""

    @property
    def where(self) -> str:
        """Its address or path."""

    @property
    def kind(self) -> str:
        """What it is."""

    @property
    def is_foreign(self) -> bool:
        """Whether it may have nothing to do with these packages."""

    @property
    def host(self) -> str:
        """Who is asked; empty if nobody needs to be."""

    def wants(self, package: LockedPackage) -> bool:
        """Whether such packages are taken from here."""

    def look(self, package: LockedPackage, looker: Looker) -> Sight | None:
        """Look for a package; ``None`` if it is no use to look here."""


@dataclass
class _DebianArchive:
    archive: Archive
    watch: Watch
    missed: int = 0
    had: int = 0

    @property
    def kind(self) -> str:
        return "archive"

    @property
    def is_foreign(self) -> bool:
        # Archives of other software, which happen to be set up, are asked a few things only.
        return not self.had and not any(s.startswith(SUITE) for s in self.archive.suites)

    @property
    def where(self) -> str:
        return self.archive.base

    @property
    def host(self) -> str:
        return host_of(self.archive.base)

    def wants(self, package: LockedPackage) -> bool:
        return package.is_debian

    def look(self, package: LockedPackage, looker: Looker) -> Sight | None:
        if self.is_foreign and self.missed >= _TRIES_ELSEWHERE:
            return None
        address = f"{self.archive.base}/{quote(package.file, safe='/~+:')}"
        sight = _at_address(address, package, looker, self.watch)
        self.had += sight.state is LookState.OK
        self.missed += sight.state is not LookState.OK
        return sight


@dataclass
class _WheelPlace:
    place: WheelPlace
    watch: Watch
    pages: dict[str, dict[str, Listed]] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return self.place.address

    @property
    def kind(self) -> str:
        return "index" if self.place.is_index else "files"

    @property
    def is_foreign(self) -> bool:
        return False

    @property
    def host(self) -> str:
        return "" if self.place.folder is not None else host_of(self.place.address)

    def wants(self, package: LockedPackage) -> bool:
        return not package.is_debian

    def look(self, package: LockedPackage, looker: Looker) -> Sight | None:
        folder = self.place.folder
        try:
            if folder is not None:
                return self._in_folder(folder, package, looker)
            fault = address_fault(self.place.address)
            if fault is not None:
                return Sight(LookState.REFUSED, LookHow.NOTHING, f"not asked: {fault}")
            return self._on_web(package, looker)
        except Settled as settled:
            return settled.sight

    def _on_web(self, package: LockedPackage, looker: Looker) -> Sight:
        page = f"{self.place.address}/{page_name(package.name)}/"
        if not self.place.is_index:
            page = self.place.address
        if page not in self.pages:
            address, text = looker.page(page)
            self.pages[page] = listed_files(text, address)
        listed = self.pages[page].get(package.file)
        host = host_of(page)
        if listed is None:
            return Sight(LookState.GONE, LookHow.NOTHING, "not listed", host)
        if listed.sha256 is not None and listed.sha256 != package.sha256:
            return Sight(LookState.CHANGED, LookHow.LISTED, f"listed with {listed.sha256}", host)
        if listed.sha256 is not None and not looker.deep:
            return Sight(LookState.OK, LookHow.LISTED, "listed with the locked SHA-256", host)
        return _at_address(listed.address, package, looker, self.watch)

    def _in_folder(self, folder: Path, package: LockedPackage, looker: Looker) -> Sight:
        names = [folder / package.file]
        page = folder / page_name(package.name) / "index.html"
        if self.place.is_index:
            names = []
            if page.is_file():
                text = page.read_text(encoding="utf-8", errors="replace")
                listed = listed_files(text, page.as_uri()).get(package.file)
                if listed is not None and urlsplit(listed.address).scheme == "file":
                    names = [WheelPlace(listed.address, is_index=False).folder or page]
        for path in names:
            wanted = Wanted(package.size, package.sha256)
            return looker.look(LocalOrigin(path.parent, path.name), wanted)
        return Sight(LookState.GONE, LookHow.NOTHING, "not listed")


@dataclass
class _Nowhere:
    """Stands where this machine's settings name no place: what cannot be looked for is not gone."""

    where: str
    kind: str
    reason: str
    debian: bool
    host: str = ""
    is_foreign: bool = False

    def wants(self, package: LockedPackage) -> bool:
        return package.is_debian is self.debian

    def look(self, _package: LockedPackage, _looker: Looker) -> Sight | None:
        return Sight(LookState.UNREACHABLE, LookHow.NOTHING, self.reason)


def _at_address(address: str, package: LockedPackage, looker: Looker, watch: Watch) -> Sight:
    fault = address_fault(address)
    if fault is not None:
        return Sight(LookState.REFUSED, LookHow.NOTHING, f"not asked: {fault}")
    origin = HttpOrigin(address, _PATIENCE, package.size, watch.hosts)
    return looker.look(origin, Wanted(package.size, package.sha256))


@dataclass
class _Tally:
    """What was seen at one place."""

    place: _Place
    seen: dict[str, Sight] = field(default_factory=dict)
    age_days: dict[str, float | None] = field(default_factory=dict)


def look_for_packages(
    folder: EnvironmentFolder, watch: Watch, workspace: Path
) -> EnvironmentReport:
    """Look for every package of an environment's lock, in every place this machine knows.

    Args:
        folder: The environment.
        watch: The run.
        workspace: A folder for files that are read whole.

    Raises:
        StaleLock: if the environment changed since it was locked.
    """
    lock, name = folder.lock(), folder.environment().name
    stored = {each.purl for each in lock.packages if watch.store.find(each.sha256) is not None}
    image_here = stored_image(name, lock, watch.store) is not None
    tallies = [_Tally(place) for place in _places(watch, lock.packages)]
    watch.at_once(
        [
            (tally.place.host, _errand(tally, [p for p in lock.packages if tally.place.wants(p)]))
            for tally in tallies
        ],
        workspace,
    )
    for tally in tallies:
        if tally.place.is_foreign:
            tally.seen.clear()
        _recall(tally, lock.packages, watch)
    judged = {
        each.purl: judge(_copies(each, each.purl in stored, tallies), watch.options.fresh_days)
        for each in lock.packages
    }
    return EnvironmentReport(
        name=name,
        packages=len(lock.packages),
        image_here=image_here,
        places=(_store_report(lock.packages, stored), *(_report(each) for each in tallies)),
        judgement=_judgement(judged, tallies, image_here=image_here),
        copies=dict(Counter(each.copies for each in judged.values())),
        wanting={
            purl: f"{each.risk}: {each.reasons[0]}"
            for purl, each in judged.items()
            if each.risk is not Risk.SAFE
        },
    )


def _places(watch: Watch, packages: Sequence[LockedPackage]) -> list[_Place]:
    found: list[_Place] = []
    if any(each.is_debian for each in packages):
        try:
            found += [_DebianArchive(each, watch) for each in debian_archives(SUITE)]
        except Unavailable as error:
            found.append(_Nowhere("Debian archives", "archive", error.message, debian=True))
    if not all(each.is_debian for each in packages):
        wheels = wheel_places()
        found += [_WheelPlace(each, watch) for each in wheels]
        if not wheels:
            reason = "pip's settings on this machine name no place (pip config list)"
            found.append(_Nowhere("wheel indexes", "index", reason, debian=False))
    return found


def _errand(tally: _Tally, packages: Sequence[LockedPackage]) -> Callable[[Looker], None]:
    def errand(looker: Looker) -> None:
        for package in packages:
            sight = tally.place.look(package, looker)
            if sight is not None:
                tally.seen[package.purl] = sight

    return errand


def _recall(tally: _Tally, packages: Sequence[LockedPackage], watch: Watch) -> None:
    for package in packages:
        sight = tally.seen.get(package.purl)
        if sight is not None:
            look, _sight = watch.recall(str(package.sha256), tally.place.where, sight)
            tally.age_days[package.purl] = watch.age_days(look)


def _copies(package: LockedPackage, stored: bool, tallies: Sequence[_Tally]) -> list[Copy]:
    found = []
    if stored:
        found.append(Copy(THIS_MACHINE, LookState.OK, LookHow.HASHED, 0, here=True))
    for tally in tallies:
        sight = tally.seen.get(package.purl)
        if sight is not None:
            host = tally.place.host
            spot = urlsplit(f"//{host}").hostname or THIS_MACHINE
            age_days = tally.age_days[package.purl]
            found.append(Copy(spot, sight.state, sight.how, age_days, here=not host))
    return found


def _store_report(packages: Sequence[LockedPackage], stored: set[str]) -> PackagePlaceReport:
    return PackagePlaceReport(
        "the store", "store", len(packages), len(stored), (), (), "", 0 if stored else None
    )


def _report(tally: _Tally) -> PackagePlaceReport:
    by_state: dict[LookState, list[str]] = {state: [] for state in LookState}
    for purl, sight in tally.seen.items():
        by_state[sight.state].append(purl)
    unseen = by_state[LookState.UNREACHABLE] + by_state[LookState.REFUSED]
    good = by_state[LookState.OK]
    reason = tally.seen[unseen[0]].reason if unseen else ""
    if tally.place.is_foreign:
        reason = f"has none of them, as an archive without {SUITE}"
    elif not unseen and good and not any(tally.seen[purl].how.is_strong for purl in good):
        reason = "only sizes were compared"
    ages = [tally.age_days[purl] for purl in tally.seen]
    known = [age for age in ages if age is not None]
    return PackagePlaceReport(
        where=tally.place.where,
        kind=tally.place.kind,
        asked=len(tally.seen),
        has=len(good),
        changed=tuple(sorted(by_state[LookState.CHANGED])),
        unseen=tuple(sorted(unseen)),
        reason=reason,
        age_days=max(known, default=None),
    )


def _judgement(
    judged: dict[str, Judgement], tallies: Sequence[_Tally], *, image_here: bool
) -> Judgement:
    risk = worst_risk(each.risk for each in judged.values())
    buildable = worst_buildable(each.buildable for each in judged.values())
    reasons = []
    for kind in (Risk.LOST, Risk.UNKNOWN, Risk.AT_RISK):
        count = sum(each.risk is kind for each in judged.values())
        if count:
            reasons.append(f"{count} of {len(judged)} packages are {kind}")
    if image_here and buildable is not Buildable.YES:
        # Who has the image needs no package; who has not cannot build.
        buildable = Buildable.YES
        reasons.append("the assembled image is in this machine's store, so it can be built here")
    unseen = [
        tally.place.where
        for tally in tallies
        if not all(sight.state.was_seen for sight in tally.seen.values())
    ]
    if unseen:
        reasons = reasons or ["every package is safe"]
        reasons.append(f"could not be looked at now: {', '.join(unseen)}")
    copies = min((each.copies for each in judged.values()), default=0)
    return Judgement(risk, buildable, copies, tuple(reasons or ["every package is safe"]))
