"""Invented names and texts that the server's rows are built from."""

from __future__ import annotations

NAMED = {
    "Harbour Dental Care": "HARBOUR DENTAL CARE",
    'Acme "West" Logistics': "Acme West Logistics",
    "Gruber Präzision GmbH": "Gruber Präzision",
    "Blue Finch Veterinary": "Blue Finch Veterinary, Inc.",
    "Kestrel Architects": "kestrel architects",
    "Rivera Freight": "Rivera-Freight",
    "Town of Ashford": "Town of Ashford (MSP)",
}
"""How some companies are written here: other case, other punctuation, with or without a legal form."""

OSES = {
    "windows": (("Windows 11 Pro", "22631"), ("Windows 10 Pro", "19045")),
    "server": (("Windows Server 2022 Standard", "20348"), ("Windows Server 2019 Standard", "17763")),
    "darwin": (("macOS 14.6", "23G80"), ("macOS 15.1", "24B83")),
    "linux": (("Ubuntu 24.04 LTS", None), ("Debian GNU/Linux 12", None)),
}
PREFIXES = {
    "windows": ("PC", "LAPTOP", "DESKTOP", "FRONT"),
    "server": ("SRV", "DC", "SQL", "FILE"),
    "linux": ("web", "db", "proxy"),
    "darwin": ("Anas-MacBook", "Toms-MacBook", "Meis-MacBook"),
}
DOMAINS = ("WORKGROUP", "CONTORA", None)
TAGS = ("server", "production", "front-desk", "büro")
PUBLIC_IPS = ("198.51.100.7", "203.0.113.40", "192.0.2.91", "198.51.100.200")
DEFENDER = (
    ("Compliant", "Healthy", "Up to date"),
    ("Compliant", "Protected", "Signatures updating"),
    ("Non-Compliant", "Unhealthy", "Real-time protection off"),
    ("Unmanaged", "Incompatible", "Other antivirus"),
)
JUNK_SERIALS = ("To Be Filled By O.E.M.", "Default string", "System Serial Number", "0", "")
PEOPLE = ("m.lopez", "z.apatel", "j.koehler", "front.desk")

FINDINGS = {
    "footholds": "a malicious scheduled task",
    "monitored_files": "a change of a monitored file",
    "ransomware_canaries": "ransomware activity (canary files were encrypted)",
    "antivirus_detections": "a malware detection by Microsoft Defender",
    "process_detections": "a suspicious PowerShell process <hidden window>",
    "managed_identity": "a sign-in from an unusual location & a new inbox rule",
    "mde_detections": "a Defender for Endpoint detection",
    "siem_detections": "repeated failed VPN sign-ins followed by a success",
    "favicon_detections": "a phishing page that imitates a sign-in page",
    "behavioral_detections": "credential dumping from LSASS",
    "email_security_detections": "a phishing mail that was delivered",
    "app_control": "an application that is not allowed",
    "ai_misuse": "sensitive data pasted into an AI service",
}
_BACKUPS = ("manual", "Check the backups & restore encrypted files", None)
STEPS = {
    "windows": (
        ("assisted", "Delete File", r"c:\windows\system32\tasks\Updater & Sync"),
        ("assisted", "Kill Process", r"c:\users\public\svch0st.exe"),
        ("manual", "Reset the passwords of the accounts that signed in to this host", None),
        ("assisted", "Delete Registry Value", r"HKLM\Software\Microsoft\Windows\CurrentVersion\Run\Updater"),
        ("containment", "Host Isolation", None),
        _BACKUPS,
    ),
    "unix": (
        ("assisted", "Delete File", "/usr/local/lib/.updater & sync"),
        ("assisted", "Kill Process", "/usr/local/bin/.kworker"),
        ("manual", "Replace the SSH keys of this host", None),
        ("containment", "Host Isolation", None),
        _BACKUPS,
    ),
    "identity": (
        ("containment", "Disable Identity", None),
        ("manual", "Reset the password & sign the user out everywhere", None),
        ("assisted", "Delete Inbox Rule", "Move <invoices> to RSS Feeds"),
        ("manual", "Register the second factor anew", None),
    ),
}
"""By what an incident is about: type, action and object of each step."""


def family_of(platform: str) -> str:
    """Which steps fit the platform."""
    if platform == "windows":
        return "windows"
    return "unix" if platform in ("darwin", "linux") else "identity"


ESCALATIONS = (
    ("Environmental Issue", "Defender Disabled", None),
    ("Unwanted Country Access", "Unexpected Country Access", "US"),
    ("Unwanted VPN Access", "Unexpected VPN Access", "ExampleVPN"),
    ("Integration Issue", "Microsoft 365 integration disconnected", None),
)
"""Type, subject and subtype."""
