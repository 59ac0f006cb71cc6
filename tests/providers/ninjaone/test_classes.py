"""Every word of ``nodeClass`` has its place in the table."""

from __future__ import annotations

import pytest

from rmm_extension.domain.platforms import LABELS
from rmm_extension.domain.types import DeviceKind
from rmm_extension.providers.ninjaone.classes import NODE_CLASSES, node_class

# The enumeration of NinjaOne's OpenAPI document (2.0.9).
OFFICIAL = set(
    """
WINDOWS_SERVER WINDOWS_WORKSTATION LINUX_WORKSTATION MAC ANDROID APPLE_IOS APPLE_IPADOS VMWARE_VM_HOST
VMWARE_VM_GUEST HYPERV_VMM_HOST HYPERV_VMM_GUEST LINUX_SERVER MAC_SERVER CLOUD_MONITOR_TARGET NMS_SWITCH
NMS_ROUTER NMS_FIREWALL NMS_PRIVATE_NETWORK_GATEWAY NMS_PRINTER NMS_SCANNER NMS_DIAL_MANAGER NMS_WAP NMS_IPSLA
NMS_COMPUTER NMS_VM_HOST NMS_APPLIANCE NMS_OTHER NMS_SERVER NMS_PHONE NMS_VIRTUAL_MACHINE
NMS_NETWORK_MANAGEMENT_AGENT UNMANAGED_DEVICE MANAGED_DEVICE
""".split()  # noqa: SIM905 - as the document lists them
)


def test_the_table_has_every_class_and_no_other() -> None:
    assert len(OFFICIAL) == 33
    assert set(NODE_CLASSES) == OFFICIAL


@pytest.mark.parametrize(
    "word, kind, platform",
    [
        ("WINDOWS_WORKSTATION", "workstation", "windows"),
        ("WINDOWS_SERVER", "server", "windows"),
        ("MAC", "workstation", "darwin"),
        ("MAC_SERVER", "server", "darwin"),
        ("LINUX_WORKSTATION", "workstation", "linux"),
        ("LINUX_SERVER", "server", "linux"),
        ("NMS_SWITCH", "network_device", None),
        ("NMS_PHONE", "network_device", None),
        ("NMS_PRINTER", "printer", None),
        ("NMS_SCANNER", "printer", None),
        ("NMS_SERVER", "server", None),
        ("NMS_COMPUTER", "workstation", None),
        ("NMS_VM_HOST", "virtual_host", None),
        ("NMS_VIRTUAL_MACHINE", "virtual_guest", None),
        ("VMWARE_VM_HOST", "virtual_host", None),
        ("VMWARE_VM_GUEST", "virtual_guest", None),
        ("HYPERV_VMM_HOST", "virtual_host", "windows"),
        ("HYPERV_VMM_GUEST", "virtual_guest", None),
        ("CLOUD_MONITOR_TARGET", "cloud", None),
        ("ANDROID", "mobile_device", None),
        ("APPLE_IPADOS", "mobile_device", None),
        ("UNMANAGED_DEVICE", "unknown", None),
        ("MANAGED_DEVICE", "unknown", None),
    ],
)
def test_a_class_says_what_the_device_is(word: str, kind: str, platform: str | None) -> None:
    assert node_class(word) == (DeviceKind(kind), platform)


@pytest.mark.parametrize("word", [None, "", "  ", "QUANTUM_TOASTER"])
def test_a_word_nobody_knows_is_an_unknown_kind(word: str | None) -> None:
    assert node_class(word) == (DeviceKind.UNKNOWN, None)


def test_the_spelling_is_forgiven() -> None:
    assert node_class(" windows_server ").kind is DeviceKind.SERVER


def test_platforms_are_those_that_pages_name() -> None:
    assert {found.platform for found in NODE_CLASSES.values()} <= {None, *LABELS}
