"""Hosts of addresses, and which of them are known to be down."""

from urllib.parse import urlsplit

from d4cbuild.errors import Unavailable


class DownHosts:
    """The hosts that could not be reached, within one run of one command.

    A host that is down is tried as patiently as any other, but once, and not once per file.
    """

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def note(self, address: str, reason: str) -> None:
        """Remember that the host of an address cannot be reached."""
        self._reasons.setdefault(host_of(address), reason)

    def check(self, address: str) -> None:
        """Raise if the host of an address is known to be down.

        Raises:
            Unavailable: with the reason found when it was last tried.
        """
        reason = self._reasons.get(host_of(address))
        if reason is not None:
            raise HostDown(
                f"{host_of(address)} was not reached a moment ago: {reason}", where=address
            )


class HostDown(Unavailable):
    """A host that was not reached before is not asked again."""


def host_of(address: str) -> str:
    """Host and port of an address, in lower case; what connections are made to."""
    return urlsplit(address).netloc.lower()
