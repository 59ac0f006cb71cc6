"""Invented names the fleet is built from."""

from __future__ import annotations

BRANCHES = ["Head office", "Zürich Büro", "Warehouse", "Branch \\ North"]
"""Groups below a company's."""

INNER = ["Servers", "Workstations", "Reception – 1st floor"]
"""Groups below those: the same names in different branches."""

USERS = ["mlopez", "CONTORA\\apatel", "svenja.köhler", "Priya", None]
JUNK_SERIALS = ["To Be Filled By O.E.M.", "Default string", "System Serial Number", "None", "0", ""]
"""Serial numbers that identify nothing."""

PREFIXES = {"server": ["LSRV", "LSQL"], "domain_controller": ["LDC"], "workstation": ["LPC", "LNB"]}
MACHINES = [
    ("Dell Inc.", "OptiPlex 7010"),
    ("LENOVO", "ThinkPad T14 Gen 3"),
    ("HP", "EliteBook 840 G9"),
    ("VMware, Inc.", "VMware7,1"),
]
CPUS = ["Intel(R) Core(TM) i5-1245U", "AMD Ryzen 7 5700G", "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz"]
SYSTEMS = {
    ("Windows", "workstation"): ("Microsoft Windows 11 Pro", "11", "10.0.26100"),
    ("Windows", "server"): ("Microsoft Windows Server 2022 Standard", "2022", "10.0.20348"),
    ("Windows", "domain_controller"): ("Microsoft Windows Server 2016 Datacenter", "2016", "10.0.14393"),
    ("Mac", "workstation"): ("macOS Sonoma 14.6", "14", "14.6"),
    ("Linux", "server"): ("Debian GNU/Linux 12 (bookworm)", "12", "12.6"),
    ("Linux", "workstation"): ("Ubuntu 24.04 LTS", "24", "24.04"),
}
KINDS = (
    *(("Windows", "workstation"),) * 6,
    *(("Windows", "server"),) * 2,
    ("Windows", "domain_controller"),
    *(("Mac", "workstation"),) * 2,
    ("Linux", "server"),
    ("Linux", "workstation"),
)
"""What a fleet consists of."""

PLACES = [("Springfield", "US"), ("Zürich", "CH"), ("Ålesund", "NO"), (None, None)]
TAGS = ["VIP", "Büro", "pilot"]
UPDATES = {
    "Windows": [
        ("2026-11 Cumulative Update for Windows (KB5068861)", "Security Updates"),
        ("Windows Malicious Software Removal Tool x64 – v5.136 (KB890830)", "Update Rollups"),
        ("Intel – Net – 22.180.0.4", "Drivers"),
        ("Brightpath Reader 25.2", "Third Party"),
    ],
    "Mac": [("macOS Sonoma 14.7.1", "Operating System"), ("Brightpath Reader 25.2", "Third Party")],
    "Linux": [("openssl 3.0.15-1~deb12u1", "Security"), ("tzdata 2026b", "Updates")],
}
"""Name and category, by platform."""
