"""MAC and IP addresses as devices report them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmm_extension.domain.addresses import lan_ipv4, normal_mac, usable_macs


@pytest.mark.parametrize(
    "typed", ["AA-BB-CC-DD-EE-0F", "aabb.ccdd.ee0f", "aa:bb:cc:dd:ee:0f", "AABBCCDDEE0F"]
)
def test_every_notation_of_a_mac_is_one(typed: str) -> None:
    assert normal_mac(typed) == "aa:bb:cc:dd:ee:0f"


@pytest.mark.parametrize(
    "typed",
    ["", None, "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "00:50:56:C0:00:08", "aa:bb", "zz:bb:cc:dd:ee:ff"],
)
def test_useless_macs_are_dropped(typed: str | None) -> None:
    assert normal_mac(typed) is None


def test_virtual_adapters_and_repeats_are_skipped() -> None:
    adapters = [
        ("00:11:22:33:44:55", "Intel(R) Ethernet Connection"),
        ("00:11:22:33:44:55", "the same again"),
        ("0A:00:27:00:00:0A", "VirtualBox Host-Only Ethernet Adapter"),
        ("66:11:22:33:44:55", "WAN Miniport (IP)"),
        ("00:0C:29:00:00:01", "vmxnet3 Ethernet Adapter"),
        (None, "Intel(R) Wi-Fi 6"),
    ]
    assert usable_macs(adapters) == ("00:11:22:33:44:55", "00:0c:29:00:00:01")


@pytest.mark.parametrize(
    "text, found",
    [
        ("10.15.170.36/24, fe80::3c8:7ab/64", "10.15.170.36"),
        ("8.8.8.8, 10.1.2.3", "10.1.2.3"),
        ("fe80::1, 169.254.3.4, 203.0.113.5", "203.0.113.5"),
        ("172.32.0.1, 172.31.0.9", "172.31.0.9"),
        ("error getting local ips", None),
        ("127.0.0.1", None),
        ("", None),
        (None, None),
    ],
)
def test_the_lan_address(text: str | None, found: str | None) -> None:
    assert lan_ipv4(text) == found


@settings(deadline=None)
@given(st.text())
def test_any_text_is_taken(value: str) -> None:
    lan_ipv4(value)
    normal_mac(value)
