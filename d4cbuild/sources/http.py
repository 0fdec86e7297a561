"""Files on web servers."""

from pathlib import Path

from d4cbuild.base.progress import Progress
from d4cbuild.errors import InputError
from d4cbuild.sources import answer
from d4cbuild.sources.hosts import DownHosts
from d4cbuild.sources.http_limits import HttpLimits
from d4cbuild.sources.part import Part


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
