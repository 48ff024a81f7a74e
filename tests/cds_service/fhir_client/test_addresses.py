"""Which addresses may be dialled, block by block."""

from __future__ import annotations

import pytest

from cds_service.fhir_client.addresses import may_dial

NEVER = [
    "0.0.0.0", "169.254.169.254", "100.100.100.200", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "255.255.255.255", "::", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::7f00:1",
    "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:808:808::1", "fe80::1",
    "fec0::1", "ff02::1", "fd00:ec2::254", "fe80::1%eth0", "not an address", "",
]  # fmt: skip
INSIDE = [
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "127.0.0.1", "::1", "fd12::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2606:4700::1111", "2a00:1450::1"]


@pytest.mark.parametrize("address", NEVER)
def test_never(address: str) -> None:
    assert not may_dial(address, allow_private=True)
    assert not may_dial(address, allow_private=False)


@pytest.mark.parametrize("address", INSIDE)
def test_where_private_addresses_are_allowed(address: str) -> None:
    assert may_dial(address, allow_private=True)
    assert not may_dial(address, allow_private=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_always(address: str) -> None:
    assert may_dial(address, allow_private=False)
