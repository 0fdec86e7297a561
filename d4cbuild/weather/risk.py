"""What the state of all copies means for what needs them. Decisions only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from d4cbuild.model.weather import LookHow, LookState

SAFE_COPIES = 2
"""Independent copies that make something safe."""


class Risk(StrEnum):
    """How likely it is that something cannot be had one day, from best to worst."""

    SAFE = "safe"
    """At least two independent copies, not all on this machine, and bytes of one compared."""

    AT_RISK = "at risk"
    """There are copies, but fewer than that."""

    UNKNOWN = "unknown"
    """No copy was seen, and not everywhere could be looked."""

    LOST = "lost"
    """Everywhere was looked, and nobody has it."""

    @property
    def sky(self) -> str:
        """The same as weather."""
        return _SKIES[self]


_SKIES = {
    Risk.SAFE: "fair",
    Risk.AT_RISK: "cloudy",
    Risk.UNKNOWN: "fog",
    Risk.LOST: "storm",
}


class Buildable(StrEnum):
    """Whether it can be built now, from best to worst."""

    YES = "yes"
    """Everything needed was seen."""

    UNKNOWN = "unknown"
    """Something was not seen, and not everywhere could be looked."""

    NO = "no"
    """Something that is needed is nowhere."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One place as it counts.

    Attributes:
        spot: What places share that fail together: a host, a repository, this machine.
        state: What was seen.
        how: What that was told by.
        age_days: Days since it was last seen good; 0 if it is now, ``None`` if it never was.
        here: Whether it is on this machine only.
    """

    spot: str
    state: LookState
    how: LookHow
    age_days: float | None
    here: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """What copies come to.

    Attributes:
        risk: How likely it is to be lost.
        buildable: Whether it can be had now.
        copies: Independent copies, now or lately seen.
        reasons: Why, for people.
    """

    risk: Risk
    buildable: Buildable
    copies: int
    reasons: tuple[str, ...]


def judge(copies: Sequence[Copy], fresh_days: float) -> Judgement:
    """Say what the copies of one thing come to.

    Args:
        copies: All places that were looked into.
        fresh_days: For how long a copy that cannot be looked at counts as it was last seen.
    """
    good = [each for each in copies if each.state is LookState.OK]
    spots = {each.spot for each in good}
    lately = [
        each
        for each in copies
        if not each.state.was_seen
        and each.spot not in spots
        and each.age_days is not None
        and each.age_days <= fresh_days
    ]
    unseen = {each.spot for each in copies if not each.state.was_seen} - spots
    counted = [*good, *lately]
    count = len({each.spot for each in counted})
    risk, reasons = _risk(counted, count, blind=bool(unseen))
    if lately:
        reasons.append(f"{len({each.spot for each in lately})} of them seen lately, but not now")
    if unseen:
        reasons.append(f"could not be looked at now: {', '.join(sorted(unseen))}")
    changed = sorted({each.spot for each in copies if each.state is LookState.CHANGED})
    if changed:
        reasons.append(f"other bytes are served by: {', '.join(changed)}")
    buildable = (
        Buildable.YES if good else Buildable.UNKNOWN if unseen else Buildable.NO
    )  # what was seen lately may be there still, or not
    return Judgement(risk, buildable, count, tuple(reasons))


def _risk(counted: Sequence[Copy], count: int, *, blind: bool) -> tuple[Risk, list[str]]:
    if not counted:
        if blind:
            return Risk.UNKNOWN, ["no copy was seen, and not everywhere could be looked"]
        return Risk.LOST, ["everywhere was looked, and no copy is left"]
    faults = []
    if count < SAFE_COPIES:
        faults.append("only one independent copy is known")
    if all(each.here for each in counted):
        faults.append("it is on this machine only")
    if not any(each.how.is_strong for each in counted):
        faults.append("only sizes were compared, which is weak")
    if faults:
        return Risk.AT_RISK, faults
    return Risk.SAFE, [f"{count} independent copies"]


def worst_risk(risks: Iterable[Risk]) -> Risk:
    """The risk of a whole: its worst part's; of nothing, ``safe``."""
    order = list(Risk)
    return max(risks, key=order.index, default=Risk.SAFE)


def worst_buildable(answers: Iterable[Buildable]) -> Buildable:
    """Whether a whole can be built; of nothing, ``yes``."""
    order = list(Buildable)
    return max(answers, key=order.index, default=Buildable.YES)
