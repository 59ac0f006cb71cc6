"""The PSA as the RMM extension sees it: one small adapter a port."""

from __future__ import annotations

from rmm_extension.host import PsaHost

from .actors import LoginActors, RolePermissions
from .assets import SqlAssets
from .catalog import SqlCatalog, SqlCategories
from .mails import SqlMails
from .notifications import SqlNotifications
from .people import SqlClients, SqlContacts, SqlUsers
from .schedule import SqlSchedule
from .tenants import SqlEntitlements, SqlTenants
from .ticket_assets import SqlTicketAssets
from .tickets import SqlTickets
from .time_entries import SqlTimeEntries
from .urls import PsaUrls


def build_host() -> PsaHost:
    """All ports of this PSA."""
    return PsaHost(
        tenants=SqlTenants(),
        actors=LoginActors(),
        permissions=RolePermissions(),
        clients=SqlClients(),
        contacts=SqlContacts(),
        assets=SqlAssets(),
        tickets=SqlTickets(),
        ticket_assets=SqlTicketAssets(),
        catalog=SqlCatalog(),
        categories=SqlCategories(),
        time_entries=SqlTimeEntries(),
        schedule=SqlSchedule(),
        users=SqlUsers(),
        notifications=SqlNotifications(),
        mails=SqlMails(),
        entitlements=SqlEntitlements(),
        urls=PsaUrls(),
    )
