"""Which variation flips which output."""

from __future__ import annotations

from dataclasses import dataclass, replace

from d4cbuild.build.make import Making
from d4cbuild.build.result import Flip
from d4cbuild.build.vary.bisect import causes
from d4cbuild.build.vary.compare import compared
from d4cbuild.build.vary.draw import Draw
from d4cbuild.build.vary.rebuilder import Answer, Rebuilder
from d4cbuild.build.vary.variation import BY_NAME, steadying
from d4cbuild.model.manifest import OutputRecord
from d4cbuild.model.verdict import Verdict

_FAILED = ""
# Rebuilds that must agree before chance is ruled out. Threads that take turns by chance may well
# take them alike twice, where one of two CPUs is busy with something else.
_AGREEING = 4


def same(record: OutputRecord, answer: Answer) -> bool:
    """Whether an output came out as the manifest says, as far as can be said."""
    # What nobody can rebuild is never called flipped.
    return record.kind == "attested" or compared(record, answer).verdict == Verdict.IDENTICAL


@dataclass(frozen=True)
class Explainer:
    """Looks for causes, by rebuilding.

    Attributes:
        rebuilder: What rebuilds.
        draw: The round.
    """

    rebuilder: Rebuilder
    draw: Draw

    def explain(self, record: OutputRecord, names: tuple[str, ...]) -> list[Flip]:
        """Say why an output came out otherwise when some variations were on.

        Args:
            record: The output, as the manifest has it.
            names: The variations that were on.
        """
        plain = self._answer(frozenset())
        verdict = compared(record, plain).verdict
        if not isinstance(plain, Making):
            return [self._flip(record, (), verdict, "fails with nothing varied")]
        if not self._is_steady(record, frozenset()):
            return [self._unsteady(record)]
        found = []
        if not same(record, plain):
            reason = "is other than the manifest's with nothing varied, and the same every time"
            found.append(self._flip(record, (), verdict, reason))
        usual = _bytes(record, plain)

        def flips(some: frozenset[str]) -> bool:
            return _bytes(record, self._answer(some)) != usual

        for cause in causes(names, flips):
            if not self._is_steady(record, frozenset(cause)):
                # Chance has played a part in the search: no one is to be blamed for it.
                return [*found, self._unsteady(record)]
            seen = compared(record, self._answer(frozenset(cause)))
            why = seen.reason if seen.verdict == Verdict.FAILED else None
            found.append(self._flip(record, cause, seen.verdict, why))
        return found

    def _answer(self, names: frozenset[str], time: int = 1) -> Answer:
        return self.rebuilder.rebuild(self.draw, names, time)

    def _is_steady(self, record: OutputRecord, names: frozenset[str]) -> bool:
        first = _bytes(record, self._answer(names))
        others = (_bytes(record, self._answer(names, time)) for time in range(2, _AGREEING + 1))
        return all(other == first for other in others)

    def _unsteady(self, record: OutputRecord) -> Flip:
        reason = "comes out otherwise from time to time, with nothing varied"
        verdict = Verdict.DIFFERENT
        for name, choice, how in steadying(self.rebuilder.here):
            if name not in self.draw.said:
                continue
            draw = replace(self.draw, choices={**self.draw.choices, name: choice})
            trial = Explainer(self.rebuilder, draw)
            names = frozenset({name})
            steady = trial._is_steady(record, names)
            if steady and _bytes(record, trial._answer(names)) != _FAILED:
                return trial._flip(record, (name,), verdict, f"{reason}; the same {how}")
        return self._flip(record, (), verdict, reason)

    def _flip(
        self, record: OutputRecord, names: tuple[str, ...], verdict: str, reason: str | None
    ) -> Flip:
        warnings = {BY_NAME[name].warning for name in names} - {None}
        return Flip(
            output=record.name,
            variations=names,
            choices=tuple(self.draw.said[name] for name in names),
            verdict=verdict,
            round=self.draw.number,
            reason=reason,
            warning=next(iter(warnings), None),
        )


def _bytes(record: OutputRecord, answer: Answer) -> str:
    """A name for what came out; the same for any failure."""
    if not isinstance(answer, Making):
        return _FAILED
    (made,) = (made for made in answer.outputs if made.output.name == record.name)
    return str(made.digests.sha256)
