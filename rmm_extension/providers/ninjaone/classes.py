"""What a ``nodeClass`` of NinjaOne is: all 33 words of its OpenAPI 2.0.9 document in one table."""

from __future__ import annotations

from typing import NamedTuple

from rmm_extension.domain.types import DeviceKind


class NodeClass(NamedTuple):
    """A device's kind and platform (windows, linux, darwin); no platform where the class does not tell it."""

    kind: DeviceKind
    platform: str | None = None


_NETWORK = NodeClass(DeviceKind.NETWORK_DEVICE)
_PRINTER = NodeClass(DeviceKind.PRINTER)
_MOBILE = NodeClass(DeviceKind.MOBILE_DEVICE)
_HOST = NodeClass(DeviceKind.VIRTUAL_HOST)
_GUEST = NodeClass(DeviceKind.VIRTUAL_GUEST)
_UNKNOWN = NodeClass(DeviceKind.UNKNOWN)

NODE_CLASSES: dict[str, NodeClass] = {
    "WINDOWS_SERVER": NodeClass(DeviceKind.SERVER, "windows"),
    "WINDOWS_WORKSTATION": NodeClass(DeviceKind.WORKSTATION, "windows"),
    "LINUX_SERVER": NodeClass(DeviceKind.SERVER, "linux"),
    "LINUX_WORKSTATION": NodeClass(DeviceKind.WORKSTATION, "linux"),
    "MAC": NodeClass(DeviceKind.WORKSTATION, "darwin"),
    "MAC_SERVER": NodeClass(DeviceKind.SERVER, "darwin"),
    "ANDROID": _MOBILE,
    "APPLE_IOS": _MOBILE,
    "APPLE_IPADOS": _MOBILE,
    "VMWARE_VM_HOST": _HOST,
    "VMWARE_VM_GUEST": _GUEST,
    # A Hyper-V host runs Windows; its guests and VMware's may run anything.
    "HYPERV_VMM_HOST": NodeClass(DeviceKind.VIRTUAL_HOST, "windows"),
    "HYPERV_VMM_GUEST": _GUEST,
    "CLOUD_MONITOR_TARGET": NodeClass(DeviceKind.CLOUD),
    "NMS_SWITCH": _NETWORK,
    "NMS_ROUTER": _NETWORK,
    "NMS_FIREWALL": _NETWORK,
    "NMS_PRIVATE_NETWORK_GATEWAY": _NETWORK,
    "NMS_PRINTER": _PRINTER,
    "NMS_SCANNER": _PRINTER,
    "NMS_DIAL_MANAGER": _NETWORK,
    "NMS_WAP": _NETWORK,
    "NMS_IPSLA": _NETWORK,
    # Seen by SNMP and without an agent: a computer all the same.
    "NMS_COMPUTER": NodeClass(DeviceKind.WORKSTATION),
    "NMS_VM_HOST": _HOST,
    "NMS_APPLIANCE": _NETWORK,
    "NMS_OTHER": _NETWORK,
    "NMS_SERVER": NodeClass(DeviceKind.SERVER),
    "NMS_PHONE": _NETWORK,
    "NMS_VIRTUAL_MACHINE": _GUEST,
    "NMS_NETWORK_MANAGEMENT_AGENT": _NETWORK,
    "UNMANAGED_DEVICE": _UNKNOWN,
    "MANAGED_DEVICE": _UNKNOWN,
}


def node_class(word: str | None) -> NodeClass:
    """What the word says; a word that NinjaOne adds later is an unknown kind."""
    return NODE_CLASSES.get((word or "").strip().upper(), _UNKNOWN)
