"""/v1/account and /v1/actor: whose key it is."""

from __future__ import annotations

from typing import Any

from simulators.huntress.endpoints import credential, reads
from simulators.huntress.lab import ACCOUNT_ID, ACCOUNT_NAME, SUBDOMAIN

Row = dict[str, Any]

SHORT = {"id": ACCOUNT_ID, "name": ACCOUNT_NAME, "subdomain": SUBDOMAIN, "status": "enabled"}


def account() -> Row:
    """The account of the key."""
    more = {
        "support_type": "huntress_supported",
        "neighborhood_watch": {"edr": 10, "ispm": 0, "itdr": 10, "sat": 10, "siem": 0},
        "billing_address": None,
        "shipping_address": None,
    }
    return {"account": SHORT | more}


def actor() -> Row:
    """The account, and the user of a user-based key."""
    user = credential().user
    row = {"id": user.id, "email": user.email, "name": user.name} if user else None
    return {"account": SHORT, "user": row, "reseller": None}


ADDRESSES = [reads("/account", account), reads("/actor", actor)]
