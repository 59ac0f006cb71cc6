"""The host contract: a class of tests that a host subclasses to learn whether its ports are right.

::

    from rmm_extension.testing import HostContract


    class TestMyPsa(HostContract):
        @pytest.fixture
        def app(self): ...

        @pytest.fixture
        def tenant_id(self): ...

        @pytest.fixture
        def other_tenant_id(self): ...

        def read_ticket(self, session, tenant_id, ticket_id): ...

What to fill in stands in :class:`~rmm_extension.testing.contract.base.ContractBase`. A failure begins with
the port's method and says what to do. A port that is ``None`` is skipped with its reason. It needs pytest and
a PostgreSQL database of its own: some tests commit tickets on purpose, and tables are compared.
"""

from __future__ import annotations

from .assets import Assets
from .base import Bench, ContractBase
from .bookings import Bookings
from .categories import Categories
from .changing import Changing
from .closing import Closing
from .every_call import EveryCall
from .facts import AssetFacts, EntryFacts, Note, NoticeFacts, TicketFacts
from .growth import Growth
from .mailing import Mailing
from .notices import Notices
from .people import People
from .races import Races
from .reopening import Reopening
from .rules import ContractBroken
from .shapes import Shapes
from .ticket_assets import TicketAssetLinks
from .tickets import Tickets

__all__ = [
    "AssetFacts",
    "Bench",
    "ContractBase",
    "ContractBroken",
    "EntryFacts",
    "HostContract",
    "Note",
    "NoticeFacts",
    "TicketFacts",
]


class HostContract(
    EveryCall,
    Growth,
    Tickets,
    TicketAssetLinks,
    Categories,
    Changing,
    Closing,
    Reopening,
    Races,
    Assets,
    People,
    Bookings,
    Notices,
    Mailing,
    Shapes,
):
    """Every rule of :mod:`rmm_extension.host.port` as a test."""
