"""Which variation flips which output."""

from __future__ import annotations

from dataclasses import dataclass

from d4cbuild.build.make import Making
from d4cbuild.build.result import ComparedOutput, Flip
from d4cbuild.build.vary.bisect import causes
from d4cbuild.build.vary.compare import compared
from d4cbuild.build.vary.draw import Draw
from d4cbuild.build.vary.rebuilder import Answer, Rebuilder
from d4cbuild.build.vary.variation import BY_NAME
from d4cbuild.model.manifest import OutputRecord
from d4cbuild.model.verdict import Verdict

_ADDRESSES = "address-space"
_FAILED = ""


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
        plain = self.rebuilder.rebuild(self.draw, frozenset())
        if same(record, plain):
            return self._causes(record, names, plain)
        verdict = compared(record, plain).verdict
        if not isinstance(plain, Making):
            return [self._flip(record, (), verdict, "fails with nothing varied")]
        again = self.rebuilder.rebuild_again(self.draw, frozenset())
        if _bytes(record, again) != _bytes(record, plain):
            return [self._unsteady(record, verdict)]
        reason = "is other than the manifest's with nothing varied, and the same every time"
        return [
            self._flip(record, (), verdict, reason),
            *self._causes(record, names, plain),
        ]

    def _causes(self, record: OutputRecord, names: tuple[str, ...], plain: Answer) -> list[Flip]:
        usual = _bytes(record, plain)

        def flips(some: frozenset[str]) -> bool:
            return _bytes(record, self.rebuilder.rebuild(self.draw, some)) != usual

        found = []
        for cause in causes(names, flips):
            seen = compared(record, self.rebuilder.rebuild(self.draw, frozenset(cause)))
            found.append(self._flip(record, cause, seen.verdict, _why(seen)))
        return found

    def _unsteady(self, record: OutputRecord, verdict: str) -> Flip:
        reason = "comes out otherwise every time, with nothing varied"
        if _ADDRESSES not in self.draw.said:
            return self._flip(record, (), verdict, reason)
        fixed = [self.rebuilder.rebuild_again(self.draw, frozenset({_ADDRESSES})) for _ in range(2)]
        first, second = (_bytes(record, answer) for answer in fixed)
        if first != second or first == _FAILED:
            return self._flip(record, (), verdict, reason)
        steady = f"{reason}; the same every time once addresses are not random"
        return self._flip(record, (_ADDRESSES,), verdict, steady)

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


def _why(seen: ComparedOutput) -> str | None:
    return seen.reason if seen.verdict == Verdict.FAILED else None


def _bytes(record: OutputRecord, answer: Answer) -> str:
    """A name for what came out; the same for any failure."""
    if not isinstance(answer, Making):
        return _FAILED
    (made,) = (made for made in answer.outputs if made.output.name == record.name)
    return str(made.digests.sha256)
