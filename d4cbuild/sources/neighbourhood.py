"""Whose network an address is in: a redirect from the web must not lead inside."""

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from d4cbuild.base.ambient import addresses_of
from d4cbuild.errors import Unavailable

PUBLIC = "the public network"
_LINK = "this network alone"
_MACHINE = "this machine"
_PRIVATE = "a private network"


def refuse_to_be_led_inside(address: str, target: str) -> None:
    """Refuse a redirect from one network into another that outsiders cannot reach.

    What a server inside would answer (a router's page, a cloud's secrets) must not end up in a
    dataset because somebody outside said so. Names are looked up here and once more by whoever
    connects, so a name server that lies differently each time is not found out.

    Args:
        address: Who redirects.
        target: Where to.

    Raises:
        Unavailable: if the target is in another network, and that is not the public one.
    """
    found = _networks_of(target) - {PUBLIC}
    if not found or found <= _networks_of(address):
        return
    raise Unavailable(
        "a redirect that is not followed: it leads into another network",
        expected=PUBLIC,
        found=f"{target}, in {', '.join(sorted(found))}",
        where=address,
    )


def _networks_of(address: str) -> set[str]:
    """The networks of a host's addresses; none where it cannot be looked up."""
    # Then a proxy may know it, or whoever connects says what is wrong.
    return {_network(each) for each in addresses_of(urlsplit(address).hostname or "")}


def _network(text: str) -> str:
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback or address.is_unspecified:
        return _MACHINE
    if address.is_link_local:
        return _LINK
    return PUBLIC if address.is_global else _PRIVATE
