"""Which of many suspects make a difference: halving, as in QuickXplain (Junker, 2004)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Flips = Callable[[frozenset[str]], bool]


def causes(suspects: Sequence[str], flips: Flips) -> list[tuple[str, ...]]:
    """Find the smallest sets that make a difference, one after the other, until none is left.

    Args:
        suspects: Names. Of two that hide each other, only the earlier may be found.
        flips: Whether a set makes a difference. It must say no of none at all. For the sets to be
            smallest, a set must make a difference if a part of it does. It is asked the same
            question more than once.

    Returns:
        Disjoint sets, each in the order of the suspects. A set of several makes a difference only
        together.
    """
    found: list[tuple[str, ...]] = []
    left = list(suspects)
    while left and flips(frozenset(left)):
        cause = set(_smallest((), (), tuple(left), flips))
        found.append(tuple(name for name in left if name in cause))
        left = [name for name in left if name not in cause]
    return found


def _smallest(
    taken: tuple[str, ...], new: tuple[str, ...], suspects: tuple[str, ...], flips: Flips
) -> tuple[str, ...]:
    """What of the suspects is needed, besides what is taken, for a difference.

    Args:
        taken: What is taken already.
        new: What of it was taken last; if nothing, nothing new is to be learned from asking.
        suspects: What the needed ones are among.
        flips: As above.
    """
    if new and flips(frozenset(taken)):
        return ()
    if len(suspects) == 1:
        return suspects
    middle = len(suspects) // 2
    first, second = suspects[:middle], suspects[middle:]
    of_second = _smallest(taken + first, first, second, flips)
    of_first = _smallest(taken + of_second, of_second, first, flips)
    return of_first + of_second
