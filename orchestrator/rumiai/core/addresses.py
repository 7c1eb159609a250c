"""Which network addresses a URL that came from outside may lead to: public ones, and those that the user has named."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from rumiai.errors import AddressError, ConfigurationError, DownloadError

# IPv6 addresses that carry an IPv4 address in their last 32 bits (RFC 6052); a gateway leads to that one.
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


@dataclass(frozen=True)
class AddressRules:
    """Addresses that may be connected to.

    Attributes:
        hosts: Names whose addresses are taken whatever they are; lower case.
        networks: Networks that are taken beside the public ones.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> AddressRules:
        """Read host names, addresses and networks such as ``10.1.0.0/16``.

        Raises:
            ConfigurationError: An entry is none of these.
        """
        hosts, networks = [], []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry.strip("[]")))
            except ValueError as exc:
                if not entry or "/" in entry or ":" in entry:
                    raise ConfigurationError(
                        f"got {entry!r}, expected a host name, an address or a network",
                        hint="such as minio.local, 10.1.2.3 or 10.1.0.0/16; without a scheme, port or path",
                    ) from exc
                hosts.append(_plain(entry))
        return cls(frozenset(hosts), tuple(networks))

    def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of a host, in the order of the resolver.

        Every one is checked: a name that leads to a public and to a private address is refused.

        Raises:
            AddressError: One of them may not be connected to.
            DownloadError: The host has none.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            raise DownloadError(f"{host} is not known: {exc}", hint="check the address and the network") from exc
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            if not self.allows(host, address):
                raise AddressError(
                    f"{host} leads to {address}, which is not a public address",
                    hint="RUMIAI_ALLOW_ADDRESSES names hosts and networks that are taken all the same",
                )
        return addresses

    def names(self, host: str) -> bool:
        """Whether the user has named this very host, or the network of an address that stands for one."""
        if _plain(host) in self.hosts:
            return True
        try:
            return self._in_networks(ipaddress.ip_address(host.strip("[]")))
        except ValueError:
            return False

    def allows(self, host: str, address: str) -> bool:
        """Whether a connection to this address of this host may be made."""
        if self.names(host):
            return True
        found = ipaddress.ip_address(address.partition("%")[0])
        forms = (found, *_embedded(found))
        if any(self._in_networks(form) for form in forms):
            return True
        return all(form.is_global and not form.is_multicast for form in forms)

    def _in_networks(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self.networks)


def literal_address(host: str) -> str | None:
    """The address that a host is by its text, in whatever form (``127.1``, ``localhost``); None for a name."""
    if _plain(host) == "localhost":
        return "127.0.0.1"
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    return str(found[0][4][0])


def _plain(host: str) -> str:
    return host.lower().rstrip(".")


def _embedded(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses to which an IPv6 address is translated on its way."""
    if isinstance(address, IPv4Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _NAT64):
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(form for form in found if form is not None)
