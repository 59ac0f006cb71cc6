"""The demonstration data: two MSPs, their people, clients, and a day's work."""

from __future__ import annotations

from typing import NamedTuple

NORTHBEAM = "Northbeam IT"
HARBOR = "Harbor Community MSP"
TENANTS = ((NORTHBEAM, "enterprise"), (HARBOR, "community"))

PASSWORD = "demo-Password-1"
PEOPLE = {
    NORTHBEAM: (
        ("admin@northbeam.example", "Mara Lindholm", "admin"),
        ("dispatch@northbeam.example", "Jonas Petri", "dispatcher"),
        ("tech@northbeam.example", "Priya Raman", "technician"),
        ("tech2@northbeam.example", "Elif Aydin", "technician"),
        ("viewer@northbeam.example", "Sam Okafor", "read_only"),
    ),
    HARBOR: (
        ("admin@harbor.example", "Dana Whitfield", "admin"),
        ("dispatch@harbor.example", "Luis Ortega", "dispatcher"),
        ("tech@harbor.example", "Ines Moreau", "technician"),
        ("viewer@harbor.example", "Tom Becker", "read_only"),
    ),
}

CLIENTS: dict[str, dict[str, tuple[str, ...]]] = {
    # Some names are exactly the vendor's, some are close, some companies exist only here or only there.
    NORTHBEAM: {
        "Harbour Dental Care": ("Nadia Brook", "Owen Pike"),
        "Gruber Präzision GmbH": ("Katrin Gruber", "Stefan Vogt"),
        "O'Neill & Daughters Roofing": ("Fiona O'Neill",),
        "Blue Finch Veterinary": ("Tess Arnaud", "Milo Hart"),
        "Acme West Logistics": ("Raymond Cole", "Bea Santos"),
        "Cedar Ridge Schools": ("Helen Marsh",),
        "Kestrel Architects LLP": ("Ivo Kestrel",),
        "Lindqvist Bygg": ("Astrid Lindqvist",),
        "Maple Street Pharmacy Ltd.": ("Anil Desai",),
        "Ashford Town Council": ("Grace Hollis",),
        "Northgate Legal Partners": ("Victor Lang", "Una Reyes"),
        "Willow & Co. Interiors": ("Poppy Willow",),
    },
    HARBOR: {
        "Rivera Freight": ("Carla Rivera",),
        "Summit Accounting LLP": ("Neil Abbott",),
        "Maple Street Pharmacy": ("Anil Desai",),
        "Quayside Bakery": ("Rosa Lind",),
    },
}

STATUSES = (("New", False), ("In progress", False), ("Waiting", False), ("Closed", True), ("Resolved", True))
BOARDS = ("Service desk", "Projects")
PRIORITIES = ("Urgent", "High", "Medium", "Low")
CATEGORIES = {
    "Hardware": ("Workstation", "Server", "Printer"),
    "Software": ("Operating system", "Application"),
    "Security": ("Incident", "Vulnerability"),
}
"""Each with its subcategories."""
ADDONS = {NORTHBEAM: ("teams",), HARBOR: ()}


class DemoTicket(NamedTuple):
    """``hours`` ago it was opened; names stand for what they name in :data:`NORTHBEAM`."""

    title: str
    client: str
    status: str
    priority: str
    hours: int
    board: str = "Service desk"
    assignee: str | None = "tech@northbeam.example"
    description: str = ""
    comment: str | None = None
    minutes: int = 0


TICKETS = (
    DemoTicket(
        "Outlook asks for the password again and again",
        "Harbour Dental Care",
        "In progress",
        "High",
        5,
        description="Since this morning on both front-desk computers. Webmail works.",
        comment="Modern authentication was off in the tenant. Switched on, waiting for the next start.",
        minutes=25,
    ),
    DemoTicket("New starter on Monday: laptop and accounts", "Northgate Legal Partners", "New", "Medium", 20),
    DemoTicket(
        "Scanner no longer saves to the file server",
        "Gruber Präzision GmbH",
        "Waiting",
        "Medium",
        49,
        comment="Firmware ordered from the manufacturer, due on Thursday.",
        minutes=40,
    ),
    DemoTicket("Restore the folder 'Plans 2025'", "Kestrel Architects LLP", "Closed", "High", 98, minutes=35),
    DemoTicket("Wi-Fi drops in the waiting room", "Blue Finch Veterinary", "New", "Low", 3, assignee=None),
    DemoTicket(
        "VPN does not connect from the site office", "Lindqvist Bygg", "In progress", "Urgent", 1, minutes=10
    ),
    DemoTicket(
        "Replace the core switch", "Acme West Logistics", "In progress", "Medium", 200, board="Projects"
    ),
    DemoTicket(
        "Move mailboxes to Microsoft 365",
        "Cedar Ridge Schools",
        "New",
        "Low",
        260,
        "Projects",
        "admin@northbeam.example",
    ),
    DemoTicket("Printer prints blank pages", "Willow & Co. Interiors", "Resolved", "Low", 130, minutes=15),
)


class DemoAsset(NamedTuple):
    """Something the MSP looks after without an RMM."""

    name: str
    client: str
    asset_type: str
    serial: str | None = None
    location: str | None = None
    notes: str = ""


ASSETS = (
    DemoAsset("HDC-FRONTDESK-1", "Harbour Dental Care", "workstation", "5CG2147XKM", "Front desk"),
    DemoAsset(
        "HDC-NAS", "Harbour Dental Care", "server", "2110SBRE7V7LM", "Comms cupboard", "Backup target."
    ),
    DemoAsset("GRUBER-CAD-04", "Gruber Präzision GmbH", "workstation", "PF3K9Q2T", "Halle 2"),
    DemoAsset(
        "AWL-CORE-SW", "Acme West Logistics", "network_device", "FOC2231L0PX", "Warehouse", "End of support."
    ),
    DemoAsset("NLP-PRINT-2F", "Northgate Legal Partners", "printer", "CNB1K7N2Z4", "2nd floor"),
    DemoAsset("CEDAR-LAB-11", "Cedar Ridge Schools", "workstation", None, "Computer lab"),
)
