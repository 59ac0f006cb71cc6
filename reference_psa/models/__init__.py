"""The PSA's tables. Every row belongs to a tenant, and every primary key begins with it."""

from __future__ import annotations

from .assets import ASSET_TYPES, Asset, AssetHistory, ServerAsset, WorkstationAsset
from .catalog import Board, Category, Priority, Status
from .notices import Email, Notification
from .people import Client, Contact, User
from .schedule import ScheduleConflict, ScheduledUser, ScheduleEntry
from .tenancy import EDITIONS, FIRST_NUMBER, AddOn, Tenant, TicketCounter
from .tickets import Comment, StatusChange, Ticket, TicketAsset, TimeEntry

__all__ = [
    "ASSET_TYPES",
    "EDITIONS",
    "FIRST_NUMBER",
    "AddOn",
    "Asset",
    "AssetHistory",
    "Board",
    "Category",
    "Client",
    "Comment",
    "Contact",
    "Email",
    "Notification",
    "Priority",
    "ScheduleConflict",
    "ScheduleEntry",
    "ScheduledUser",
    "ServerAsset",
    "Status",
    "StatusChange",
    "Tenant",
    "Ticket",
    "TicketAsset",
    "TicketCounter",
    "TimeEntry",
    "User",
    "WorkstationAsset",
]
