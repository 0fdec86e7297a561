"""How long work tells what it is doing, without knowing to whom."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, runtime_checkable

Advance = Callable[[int], None]
"""Called with how much more has been done, in the task's unit (bytes unless its label says so)."""


@runtime_checkable
class Progress(Protocol):
    """Somebody to tell."""

    def say(self, line: str) -> None:
        """Tell one line: a step begun, something noticed."""

    def warn(self, line: str) -> None:
        """Tell one line that the user should not miss."""

    def task(self, label: str, total: int | None) -> AbstractContextManager[Advance]:
        """Begin a piece of long work.

        Args:
            label: What is being done.
            total: How much there is to do, in bytes, if known.
        """


class Silence:
    """Nobody to tell."""

    def say(self, line: str) -> None:
        """Tell nobody."""

    def warn(self, line: str) -> None:
        """Tell nobody."""

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:  # noqa: ARG002
        """Tell nobody."""
        yield lambda amount: None  # noqa: ARG005


class Told:
    """Somebody who is told lines, and no more.

    Args:
        tell: Called with each line.
    """

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell

    def say(self, line: str) -> None:
        """Tell one line."""
        self._tell(line)

    def warn(self, line: str) -> None:
        """Tell one line that the user should not miss."""
        self._tell(f"warning: {line}")

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:  # noqa: ARG002
        """Tell the beginning."""
        self._tell(label)
        yield lambda amount: None  # noqa: ARG005
