"""Invented names the fleet is built from."""

from __future__ import annotations

LOCATIONS = ["Main Office", "Zürich Büro", "Warehouse", "Branch \\ North", "R&D", "Home office – remote"]
USERS = ["mlopez", "CONTORA\\apatel", "svenja.köhler", "Priya", "jdoe"]
PUBLIC_IPS = ["198.51.100.7", "203.0.113.40", "192.0.2.91", "198.51.100.200"]
NOTES = ["", "", "", "Behind the “old” printer", "2nd floor – Büro"]
JUNK_SERIALS = ["To Be Filled By O.E.M.", "Default string", "System Serial Number", "None", "0", "", "N/A"]
"""Serial numbers that identify nothing."""

PREFIXES = {"WINDOWS_SERVER": ["SRV", "DC", "SQL", "FILE"], "WINDOWS_WORKSTATION": ["PC", "LAPTOP", "FRONT"]}
MACHINES = [
    ("Dell Inc.", "OptiPlex 7010", "DESKTOP"),
    ("Lenovo", "ThinkPad T14 Gen 3", "LAPTOP"),
    ("HP", "EliteBook 840 G9", "LAPTOP"),
    ("VMware, Inc.", "VMware7,1", "UNKNOWN"),
    ("To Be Filled By O.E.M.", "To Be Filled By O.E.M.", "UNKNOWN"),
]
CPUS = ["Intel(R) Core(TM) i5-1245U", "AMD Ryzen 7 5700G", "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz"]
SYSTEMS: dict[str, list[tuple[str, str | None, str]]] = {
    "WINDOWS_WORKSTATION": [
        ("Windows 11 Professional Edition", "26100", "24H2"),
        ("Windows 10 Professional Edition", "19045", "22H2"),
    ],
    "WINDOWS_SERVER": [
        ("Windows Server 2022 Standard Edition", "20348", "21H2"),
        ("Windows Server 2016 Datacenter Edition", "14393", "1607"),
    ],
    "MAC": [("macOS 14.6", "23G80", "14.6")],
    "MAC_SERVER": [("macOS 13.6", "22G120", "13.6")],
    "LINUX_WORKSTATION": [("Ubuntu 24.04 LTS", None, "24.04")],
    "LINUX_SERVER": [("Debian GNU/Linux 12 (bookworm)", None, "12")],
    "ANDROID": [("Android 14", None, "14")],
    "APPLE_IOS": [("iOS 17.6", "21G80", "17.6")],
    "APPLE_IPADOS": [("iPadOS 17.6", "21G80", "17.6")],
}
MAKERS = {"MAC": "Apple Inc.", "MAC_SERVER": "Apple Inc.", "APPLE_IOS": "Apple", "APPLE_IPADOS": "Apple"}
PUBLISHERS = [
    "Example Corp",
    "Open Tools",
    "Vaultline",
    "Helpdesk Labs",
    "Ledgerware",
    None,
    "Brightpath Söhne",
]
PRODUCTS = [
    "Brightpath Reader",
    "Zip Tool 22 (x64)",
    "Office Suite 2021",
    "Browser",
    "Backup Client",
    "PDF Printer",
    "Remote Support",
    "C++ Runtime 2022",
    "Accounting 2025",
    "Endpoint Guard",
    "Prüfprogramm “Süd”",
    "日本語入力ツール",
]
ANTIVIRUS = ["Windows Defender", "Endpoint Guard", "Sentry Works AV"]
THREATS = ["EICAR-Test-File", "Trojan.Generic.1234", "PUA.Toolbar"]
CITIES = ["Springfield", "Zürich", "Ålesund", "São Paulo"]
