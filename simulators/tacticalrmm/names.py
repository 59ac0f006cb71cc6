"""Invented names the fleet is built from."""

from __future__ import annotations

from simulators.common.companies import COMPANIES

CLIENTS = COMPANIES

SITES = ["Main Office", "Warehouse", "HQ", "Zürich Büro", "Branch \\ North", "Annex", "R&D", "Front Desk"]

PREFIXES = {
    "server": ["SRV", "DC", "SQL", "FILE", "HV"],
    "workstation": ["PC", "LAPTOP", "DESKTOP", "FRONT", "LAB"],
}

USERS = ["mlopez", "CONTORA\\apatel", "svenja.köhler", "Priya", "jdoe"]
DESCRIPTIONS = ["", "", "Reception", "2nd floor – Büro", 'Behind the "old" printer', "Finance"]
PUBLIC_IPS = ["198.51.100.7", "203.0.113.40", "192.0.2.91", "198.51.100.200"]
TIME_ZONES = ["America/New_York", "Europe/Zurich", "America/Los_Angeles", None]

JUNK_SERIALS = [
    "To Be Filled By O.E.M.",
    "Default string",
    "System Serial Number",
    "Not Specified",
    "None",
    "0",
    "",
]
"""Serial numbers that identify nothing."""

WINDOWS = {
    "workstation": [
        "Windows 11 Pro, 64 bit v23H2 (build 22631.3880)",
        "Windows 10 Pro, 64 bit v22H2 (build 19045.4651)",
    ],
    "server": [
        "Windows Server 2022 Standard, 64 bit v21H2 (build 20348.2582)",
        "Windows Server 2016 Datacenter, 64 bit v1607 (build 14393.7159)",
    ],
}
MACHINES = [
    ("Dell Inc.", "OptiPlex 7010"),
    ("Lenovo", "ThinkPad T14 Gen 3"),
    ("HP", "ProDesk 400 G7"),
    ("VMware, Inc.", "VMware7,1"),
    ("To Be Filled By O.E.M.", "To Be Filled By O.E.M."),
]
CPUS = [
    "Intel(R) Core(TM) i5-1245U, 10C/12T",
    "AMD Ryzen 7 5700G, 8C/16T",
    "Intel(R) Xeon(R) Silver 4310, 12C/24T",
]
GRAPHICS = ["Intel(R) UHD Graphics 770", "AMD Radeon(TM) Graphics", "Microsoft Basic Display Adapter"]
SOFTWARE = [
    ("Brightpath Reader", "24.1.3", "Brightpath Software"),
    ("Zip Tool 22 (x64)", "22.01", "Open Tools"),
    ("Office Suite 2021", "16.0.17", "Example Corp"),
    ("Browser", "126.0.6478.127", "Example Corp"),
    ("Backup Client", "7.2.0", "Vaultline"),
    ("PDF Printer", "3.9", "Open Tools"),
    ("Remote Support", "15.55.3", "Helpdesk Labs"),
    ("C++ Runtime 2022", "14.40.33810", "Example Corp"),
    ("Accounting 2025", "25.0.1", "Ledgerware"),
    ("Endpoint Guard", "11.4.20", "Sentry Works"),
]
SERVICES = [
    ("Spooler", "Print Spooler", "running", "Automatic"),
    ("W32Time", "Windows Time", "running", "Automatic"),
    ("Dnscache", "DNS Client", "running", "Automatic"),
    ("BITS", "Background Intelligent Transfer Service", "stopped", "Manual"),
    ("wuauserv", "Windows Update", "stopped", "Manual"),
    ("tacticalrmm", "TacticalRMM Agent Service", "running", "Automatic"),
    ("VaultlineBackup", "Vaultline Backup", "running", "Automatic"),
]
