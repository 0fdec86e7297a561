"""What is reported: places, sources, packages, datasets. Written as JSON, no format of files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from d4cbuild.errors import Exit
from d4cbuild.model.weather import LookHow, LookState
from d4cbuild.weather.change import Change
from d4cbuild.weather.risk import Buildable, Copy, Judgement, Risk, worst_buildable, worst_risk


@dataclass(frozen=True, slots=True)
class PlaceReport:
    """One place of one source.

    Attributes:
        where: The place, as a person would name it.
        kind: Why it was looked into: ``store``, ``mirror option``, ``mirror``, ``publisher``.
        spot: What it counts as; places of one spot are one copy.
        state: What it has.
        how: What that was told by.
        reason: The same in words.
        good: When the locked bytes were last seen there (UTC).
        age_days: Days since then.
        change: How its bytes differ, where they do and could be read.
        here: Whether it is on this machine only.
    """

    where: str
    kind: str
    spot: str
    state: LookState
    how: LookHow
    reason: str
    good: str | None
    age_days: float | None
    change: Change | None
    here: bool

    @property
    def copy(self) -> Copy:
        """The place as it counts."""
        return Copy(self.spot, self.state, self.how, self.age_days, self.here)

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "where": self.where,
            "kind": self.kind,
            "counts_as": self.spot,
            "state": str(self.state),
            "how": str(self.how),
            "reason": self.reason,
            "last_good": self.good,
            "age_days": _rounded(self.age_days),
            "change": None if self.change is None else self.change.as_json(),
        }


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One source of the lock.

    Attributes:
        name: Its name.
        size: Bytes that were locked.
        sha256: Their digest.
        places: Where was looked.
        judgement: What that comes to.
    """

    name: str
    size: int
    sha256: str
    places: tuple[PlaceReport, ...]
    judgement: Judgement

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "name": self.name,
            "size": self.size,
            "sha256": self.sha256,
            **_judged(self.judgement),
            "places": [each.as_json() for each in self.places],
        }


@dataclass(frozen=True, slots=True)
class PackagePlaceReport:
    """One place that packages are taken from.

    Attributes:
        where: The place.
        kind: ``store``, ``archive``, ``index``, ``files``.
        asked: How many packages were looked for.
        has: How many of them it has.
        changed: Packages it has other bytes of.
        unseen: Packages that could not be looked for.
        reason: Why, for the first of them; or what is to be said of the place.
        age_days: Days since the one seen longest ago was last seen there.
    """

    where: str
    kind: str
    asked: int
    has: int
    changed: tuple[str, ...]
    unseen: tuple[str, ...]
    reason: str
    age_days: float | None

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "where": self.where,
            "kind": self.kind,
            "asked": self.asked,
            "has": self.has,
            "changed": list(self.changed),
            "unseen": list(self.unseen),
            "reason": self.reason,
            "age_days": _rounded(self.age_days),
        }


@dataclass(frozen=True, slots=True)
class EnvironmentReport:
    """The packages of an environment.

    Attributes:
        name: Its name.
        packages: How many there are.
        image_here: Whether the assembled image is in the store.
        places: Where was looked.
        judgement: What that comes to: the worst package's.
        copies: Per number of independent copies, how many packages have that many.
        wanting: Packages that are not safe, each with why.
    """

    name: str
    packages: int
    image_here: bool
    places: tuple[PackagePlaceReport, ...]
    judgement: Judgement
    copies: dict[int, int]
    wanting: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "name": self.name,
            "packages": self.packages,
            "image_here": self.image_here,
            **_judged(self.judgement),
            "packages_by_copies": {str(n): count for n, count in sorted(self.copies.items())},
            "wanting": dict(sorted(self.wanting.items())),
            "places": [each.as_json() for each in self.places],
        }


@dataclass(frozen=True, slots=True)
class CodeReport:
    """The recipe's code.

    Attributes:
        found: Whether the locked code is here.
        reason: Where it was found, or why not.
    """

    found: bool
    reason: str

    @property
    def judgement(self) -> Judgement:
        """What that comes to."""
        if self.found:
            return Judgement(Risk.SAFE, Buildable.YES, 1, (self.reason,))
        return Judgement(Risk.LOST, Buildable.NO, 0, (self.reason,))


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """Whether one dataset can still be built.

    Attributes:
        recipe: The recipe's folder, as the user named it.
        dataset: The dataset.
        looked: When (UTC).
        sources: Its sources.
        code: Its code.
        environment: Its environment; ``None`` if packages were not looked for.
    """

    recipe: str
    dataset: str
    looked: str
    sources: tuple[SourceReport, ...]
    code: CodeReport
    environment: EnvironmentReport | None

    @property
    def judgements(self) -> list[Judgement]:
        """Of every part."""
        parts = [each.judgement for each in self.sources] + [self.code.judgement]
        return parts if self.environment is None else [*parts, self.environment.judgement]

    @property
    def risk(self) -> Risk:
        """The worst part's."""
        return worst_risk(each.risk for each in self.judgements)

    @property
    def buildable(self) -> Buildable:
        """The worst part's."""
        return worst_buildable(each.buildable for each in self.judgements)

    @property
    def reasons(self) -> list[str]:
        """Why the risk is not ``safe``, and what could not be looked at."""
        named = [(f"source {each.name}", each.judgement) for each in self.sources]
        named.append(("code", self.code.judgement))
        if self.environment is not None:
            named.append((f"environment {self.environment.name}", self.environment.judgement))
        return [
            f"{name}: {reason}"
            for name, judgement in named
            for reason in judgement.reasons
            if judgement.risk is not Risk.SAFE or reason != judgement.reasons[0]
        ]

    @property
    def exit_code(self) -> int:
        """1: it cannot be built. 2: other bytes somewhere. 16: something was not looked at."""
        packages = () if self.environment is None else self.environment.places
        states = {place.state for source in self.sources for place in source.places}
        code = 0
        if self.buildable is Buildable.NO:
            code |= Exit.BUILD_FAILED
        if LookState.CHANGED in states or any(each.changed for each in packages):
            code |= Exit.HASH_MISMATCH
        blind = not all(state.was_seen for state in states) or any(each.unseen for each in packages)
        if blind or self.buildable is Buildable.UNKNOWN:
            code |= Exit.UNKNOWN
        return code

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "recipe": self.recipe,
            "dataset": self.dataset,
            "looked_at": self.looked,
            "buildable": str(self.buildable),
            "risk": str(self.risk),
            "weather": self.risk.sky,
            "reasons": self.reasons,
            "sources": [each.as_json() for each in self.sources],
            "code": {"found": self.code.found, "reason": self.code.reason},
            "environment": None if self.environment is None else self.environment.as_json(),
        }


def _judged(judgement: Judgement) -> dict[str, Any]:
    return {
        "risk": str(judgement.risk),
        "buildable": str(judgement.buildable),
        "copies": judgement.copies,
        "reasons": list(judgement.reasons),
    }


def _rounded(days: float | None) -> float | None:
    return None if days is None else round(days, 2)
