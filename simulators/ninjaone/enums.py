"""Codes of the API, and how devices are told apart by them."""

from __future__ import annotations

WINDOWS = ("WINDOWS_WORKSTATION", "WINDOWS_SERVER")
AGENTS = (*WINDOWS, "MAC", "MAC_SERVER", "LINUX_WORKSTATION", "LINUX_SERVER")
"""Classes with NinjaOne's agent: they tell hardware, software and patches."""

HOSTS = ("VMWARE_VM_HOST", "HYPERV_VMM_HOST")
GUESTS = {"VMWARE_VM_GUEST": "VMWARE_VM_HOST", "HYPERV_VMM_GUEST": "HYPERV_VMM_HOST"}
"""Class of a guest -> class of its host."""

MOBILE = ("ANDROID", "APPLE_IOS", "APPLE_IPADOS")
NETWORK = (
    "NMS_SWITCH",
    "NMS_ROUTER",
    "NMS_FIREWALL",
    "NMS_PRIVATE_NETWORK_GATEWAY",
    "NMS_PRINTER",
    "NMS_SCANNER",
    "NMS_DIAL_MANAGER",
    "NMS_WAP",
    "NMS_IPSLA",
    "NMS_COMPUTER",
    "NMS_VM_HOST",
    "NMS_APPLIANCE",
    "NMS_OTHER",
    "NMS_SERVER",
    "NMS_PHONE",
    "NMS_VIRTUAL_MACHINE",
    "NMS_NETWORK_MANAGEMENT_AGENT",
)
OTHER = ("CLOUD_MONITOR_TARGET", "UNMANAGED_DEVICE", "MANAGED_DEVICE")
NODE_CLASSES = (*AGENTS, *HOSTS, *GUESTS, *MOBILE, *NETWORK, *OTHER)
"""All 33."""

APPROVALS = ("APPROVED", "PENDING", "STAGED", "DECOMMISSIONED")
SCOPES = ("monitoring", "management", "control", "offline_access")
FEATURES = ("ALERTS", "PATCHING", "AVSCANS", "TASKS")
SEVERITIES = ("NONE", "MINOR", "MODERATE", "MAJOR", "CRITICAL")
PRIORITIES = ("NONE", "LOW", "MEDIUM", "HIGH")
ACTIVITY_TYPES = (
    "ACTIONSET",
    "ACTION",
    "CONDITION",
    "CONDITION_ACTIONSET",
    "CONDITION_ACTION",
    "ANTIVIRUS",
    "PATCH_MANAGEMENT",
    "TEAMVIEWER",
    "MONITOR",
    "SYSTEM",
    "COMMENT",
    "SHADOWPROTECT",
    "IMAGEMANAGER",
    "HELP_REQUEST",
    "SOFTWARE_PATCH_MANAGEMENT",
    "SPLASHTOP",
    "CLOUDBERRY",
    "CLOUDBERRY_BACKUP",
    "SCHEDULED_TASK",
    "RDP",
    "SCRIPTING",
    "SECURITY",
    "REMOTE_TOOLS",
    "VIRTUALIZATION",
    "PSA",
    "MDM",
    "NINJA_REMOTE",
    "NINJA_QUICK_CONNECT",
    "NINJA_NETWORK_DISCOVERY",
    "NINJA_BACKUP",
    "NINJA_TICKETING",
    "KNOWLEDGE_BASE",
    "RELATED_ITEM",
    "CLIENT_CHECKLIST",
    "CHECKLIST_TEMPLATE",
    "DOCUMENTATION",
    "MICROSOFT_INTUNE",
    "DYNAMIC_POLICY",
)


def words(code: str) -> str:
    """A code as the console writes it: "Node created"."""
    return code.replace("_", " ").capitalize()
