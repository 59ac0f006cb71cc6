"""Inventory: organizations and devices of a connection, and the assets they are here.

The handlers :func:`sync_organizations`, :func:`sync_devices` and :func:`refresh_device` open their own units,
one short transaction a page; none is open while the vendor is asked.
"""

from .devices import sync_devices
from .joining import UnknownDevice, join_asset
from .load import open_connection
from .missing import confirm_missing
from .organizations import sync_organizations
from .proposals import Proposal, decide_proposal, proposals
from .refresh import refresh_device

__all__ = [
    "Proposal",
    "UnknownDevice",
    "confirm_missing",
    "decide_proposal",
    "join_asset",
    "open_connection",
    "proposals",
    "refresh_device",
    "sync_devices",
    "sync_organizations",
]
