"""The invented companies whose machines the vendors look after: the same for each of them."""

from __future__ import annotations

COMPANIES = [
    "Harbour Dental Care",
    'Acme "West" Logistics',
    "Gruber Präzision GmbH",
    "O'Neill & Daughters Roofing",
    "Blue Finch Veterinary",
    "Cedar Ridge School District",
    "Kestrel Architects",
    "Lindqvist Bygg AB",
    "Maple Street Pharmacy",
    "Town of Ashford",
    "Rivera Freight",
    "Summit Accounting LLP",
]
