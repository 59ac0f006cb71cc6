"""Shipped with the extension for the tests of a host: what a host can check itself with.

``HostContract`` and what it needs are imported on first use, because they need pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .statements import StatementCounter

if TYPE_CHECKING:
    from .contract import AssetFacts, ContractBroken, EntryFacts, HostContract, Note, NoticeFacts, TicketFacts

__all__ = [
    "AssetFacts",
    "ContractBroken",
    "EntryFacts",
    "HostContract",
    "Note",
    "NoticeFacts",
    "StatementCounter",
    "TicketFacts",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from . import contract

        return getattr(contract, name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
