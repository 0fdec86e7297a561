"""Verdicts: what a rebuild showed. Never a boolean; "could not check" is never "identical"."""

from enum import StrEnum

from d4cbuild.errors import Exit


class Verdict(StrEnum):
    """What can be said of a rebuilt output, from best to worst. Neither true nor false."""

    IDENTICAL = "identical"
    """The same bytes."""

    EQUIVALENT = "equivalent"
    """Other bytes, provably the same table."""

    UNKNOWN = "unknown"
    """It could not be checked."""

    DIFFERENT = "different"
    """Another table."""

    FAILED = "failed"
    """The rebuild did not finish."""

    def __bool__(self) -> bool:
        raise TypeError("a verdict is no yes or no: compare it with Verdict.IDENTICAL")

    @property
    def exit_code(self) -> int:
        """Exit code of the command line."""
        return int(_EXIT_CODES[self])


_EXIT_CODES = {
    Verdict.IDENTICAL: Exit.OK,
    Verdict.EQUIVALENT: Exit.NOT_IDENTICAL,
    Verdict.UNKNOWN: Exit.UNKNOWN,
    Verdict.DIFFERENT: Exit.NOT_IDENTICAL | Exit.NOT_EQUIVALENT,
    Verdict.FAILED: Exit.BUILD_FAILED,
}


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict of a whole: its worst part's; of nothing, ``unknown``."""
    order = list(Verdict)
    return max(verdicts, key=order.index) if verdicts else Verdict.UNKNOWN
