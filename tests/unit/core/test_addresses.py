"""Which addresses are refused, and which names the user may allow."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from rumiai.core.addresses import AddressRules
from rumiai.errors import AddressError, ConfigurationError, DownloadError

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1",
    # An IPv4 address inside an IPv6 one: mapped, 6to4, NAT64, Teredo.
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    assert not AddressRules().allows("example.org", address)


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_public_addresses_are_taken(address: str) -> None:
    assert AddressRules().allows("example.org", address)


def test_a_named_host_may_be_anywhere_and_no_other_one() -> None:
    rules = AddressRules.parse(["MinIO.local."])
    assert rules.allows("minio.LOCAL", "10.0.0.1")
    assert not rules.allows("evil.org", "10.0.0.1")


def test_a_named_network_holds_for_every_name() -> None:
    rules = AddressRules.parse(["10.1.0.0/16", "::1"])
    assert rules.allows("anything", "10.1.2.3")
    assert rules.allows("anything", "::1")
    assert rules.allows("anything", "::ffff:10.1.2.3")
    assert not rules.allows("anything", "10.2.0.1")
    assert rules.names("10.1.2.3")
    assert not rules.names("10.2.0.1")


@pytest.mark.parametrize("entry", ["http://host", "host:80", "10.0.0.1/8", "", "a/b"])
def test_what_is_no_host_and_no_network(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="expected a host name, an address or a network"):
        AddressRules.parse([entry])


@pytest.mark.parametrize("form", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost"])
def test_other_ways_to_write_an_address_lead_to_the_same_place(form: str) -> None:
    with pytest.raises(AddressError, match=r"leads to .*, which is not a public address"):
        AddressRules().resolve(form, 80)


def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("1.1.1.1", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with pytest.raises(AddressError, match=r"example.org leads to 10\.0\.0\.1"):
        AddressRules().resolve("example.org", 80)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 300])
def test_a_name_without_an_address(host: str) -> None:
    with pytest.raises(DownloadError, match="is not known"):
        AddressRules().resolve(host, 80)
