"""What is looked for in a place, what was seen there, and how patient a look is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.ambient import monotonic_s
from d4cbuild.base.digest import Digest
from d4cbuild.base.progress import Advance
from d4cbuild.errors import Unavailable
from d4cbuild.model.weather import LookHow, LookState


@dataclass(frozen=True, slots=True)
class Wanted:
    """The bytes that a place should have.

    Attributes:
        size: Bytes.
        sha256: Their digest.
        file: A file with them on this machine, to compare parts with, where there is one.
    """

    size: int
    sha256: Digest
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look showed.

    Attributes:
        state: What the place has.
        how: What that was told by.
        reason: The same in words, for people.
        host: Who answered in the end, after redirects; empty for places on this machine.
        etag: The validator given, if one was.
    """

    state: LookState
    how: LookHow
    reason: str
    host: str = ""
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class LookLimits:
    """How patient a look is. Times are in seconds, sizes in bytes."""

    connect_s: float = 10
    """Until a connection stands."""

    read_s: float = 15
    """Silence that ends a look. A host that is silent from the beginning counts as down."""

    look_s: float = 60
    """Longest look at one file, where not all of it is read."""

    attempts: int = 2
    """Attempts where a connection cannot be made, is cut, or the server is in trouble."""

    pause_s: float = 1
    """Pause between them."""

    redirects: int = 5
    """Redirects followed."""

    whole_bytes: int = 256 << 10
    """Files up to this size are read whole when they can be compared."""

    sample_bytes: int = 16 << 10
    """Size of a sample."""

    inner_samples: int = 2
    """Samples at chance places, besides the beginning and the end."""

    beginning_bytes: int = 4 << 20
    """What is read of a file whose server sends no parts."""

    listing_bytes: int = 16 << 20
    """What is read at most of a zip's directory, or of an index."""

    small_zip_bytes: int = 64 << 20
    """Zips up to this size are fetched where their server sends no parts."""


class Deadline:
    """The end of the time there is.

    Args:
        seconds: How long from now; ``None`` for ever.
    """

    def __init__(self, seconds: float | None) -> None:
        self._end_s = None if seconds is None else monotonic_s() + seconds

    @property
    def left_s(self) -> float:
        """Seconds that are left; not below 0."""
        return float("inf") if self._end_s is None else max(0.0, self._end_s - monotonic_s())

    def end(self) -> None:
        """Let it be over now: what is under way ends at its next byte or silence."""
        self._end_s = monotonic_s()

    def check(self, where: str) -> None:
        """Raise if it has passed.

        Raises:
            Unavailable: naming the place.
        """
        if self.left_s <= 0:
            raise Unavailable("the time for looking is over", where=where)


class UntilDeadline:
    """A progress that tells nobody, and ends a download when the time is over.

    Args:
        deadline: The end of the time.
        where: The place, for the error.
    """

    def __init__(self, deadline: Deadline, where: str) -> None:
        self._deadline = deadline
        self._where = where

    def say(self, line: str) -> None:
        """Tell nobody."""
        del line
        self._deadline.check(self._where)

    def warn(self, line: str) -> None:
        """Tell nobody."""
        self.say(line)

    @contextmanager
    def task(self, label: str, total: int | None) -> Iterator[Advance]:
        """Tell nobody; raise in between when the time is over."""
        del label, total
        yield lambda _amount: self._deadline.check(self._where)
