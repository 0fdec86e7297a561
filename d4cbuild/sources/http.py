"""Files on web servers: where they are, and how patiently they are asked for."""

from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.progress import Progress
from d4cbuild.errors import InputError
from d4cbuild.sources import answer
from d4cbuild.sources.hosts import DownHosts
from d4cbuild.sources.origin import LARGEST_BODY_BYTES
from d4cbuild.sources.part import Part


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """How long and how often a server is tried. Times are in seconds, sizes in bytes."""

    connect_s: float = 10
    """Until a connection stands."""

    read_s: float = 30
    """Silence that counts as a cut connection."""

    answer_s: float = 60
    """Until the head of an answer is whole."""

    attempts: int = 5
    """Attempts in a row that bring less than ``headway_bytes``."""

    headway_bytes: int = 1 << 20
    """New bytes that make an attempt a success, also if the connection was cut after them."""

    backoff_s: float = 1
    """Pause after the first failure; doubled after each further one."""

    longest_backoff_s: float = 30
    """Longest pause of our own choice."""

    longest_retry_after_s: float = 60
    """Longest pause taken because the server asks for it. Asked for more, we give up."""

    redirects: int = 5
    """Redirects followed in one attempt."""

    body_bytes: int = LARGEST_BODY_BYTES
    """What is taken at most where no smaller limit is given."""

    slow_bytes_per_s: float = 100
    """A connection slower than this over ``slow_window_s`` counts as cut."""

    slow_window_s: float = 60
    """How long a connection may be slow."""


class HttpOrigin:
    """A file at an http or https address.

    Args:
        address: The address.
        limits: How long and how often to try.
        size: Size of the file in bytes where it is known beforehand: then a body that ends early
            is known to be cut, also if the server announces no length.
        hosts: Hosts known to be down, which are not asked; one found down is added.

    Raises:
        InputError: if the address is not one to fetch from.
    """

    def __init__(
        self,
        address: str,
        limits: HttpLimits | None = None,
        size: int | None = None,
        hosts: DownHosts | None = None,
    ) -> None:
        fault = answer.address_fault(address)
        if fault is not None:
            raise InputError(fault, expected="http://… or https://…", where=address)
        self._address = address
        self._limits = limits or HttpLimits()
        self._size = size
        self._hosts = hosts or DownHosts()

    @property
    def where(self) -> str:
        """The address."""
        return self._address

    def fetch(self, into: Path, limit: int | None, progress: Progress, label: str) -> None:
        """Download the file; see :meth:`d4cbuild.sources.origin.Origin.fetch`."""
        # Imported late: most commands find everything in the store, and open no connection.
        from d4cbuild.sources.download import Download

        largest = self._limits.body_bytes
        bound = largest if limit is None else min(limit, largest)
        with (
            into.open("xb") as stream,
            Part(stream, bound, self._address, progress, label) as part,
        ):
            Download(self._address, self._limits, self._size, part, self._hosts).run()
