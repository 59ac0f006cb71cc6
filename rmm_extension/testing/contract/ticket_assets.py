"""A ticket gets the asset that was not known when it was made."""

from __future__ import annotations

from rmm_extension.host import TicketAsset

from .base import UNKNOWN, Bench, ContractBase
from .rules import rule

CALL = "ticket_assets.link"


class TicketAssetLinks(ContractBase):
    """The ``ticket_assets`` port: the right tickets, and only those."""

    def test_a_ticket_without_an_asset_gets_it(self, bench: Bench) -> None:
        """Once, however often it is told, and as nobody's touch."""
        bench.ticket_assets  # noqa: B018 - skips the test where there is no such port
        asset, ticket = bench.asset(), bench.ticket().id
        for _ in range(2):
            self._link(bench, ticket, asset)
            rule(self._assets(bench, ticket) == (asset,), CALL, "the ticket is linked to the asset, once.")
        rule(not bench.state(ticket).touched, CALL, "it is no person's touch.")

    def test_an_asset_that_is_there_stays_alone(self, bench: Bench) -> None:
        """A person may have chosen it."""
        bench.ticket_assets  # noqa: B018 - as above
        chosen, other = bench.asset(), bench.asset()
        ticket = bench.ticket(asset_id=chosen).id
        self._link(bench, ticket, other)
        rule(self._assets(bench, ticket) == (chosen,), CALL, "leave a ticket alone that has an asset.")
        two, first = bench.ticket().id, [chosen, other]
        self._link(bench, two, *first)
        rule(self._assets(bench, two) == (chosen,), CALL, "of several links of a ticket the first counts.")

    def test_no_other_ticket_is_linked(self, bench: Bench) -> None:
        """Closed, another client's, or gone: nothing is written, and the others are linked all the same."""
        bench.ticket_assets  # noqa: B018 - as above
        asset, closed = bench.asset(), bench.ticket().id
        strangers, mine = bench.ticket(client_id=bench.other_client_id).id, bench.ticket().id
        bench.tickets.close(bench.session, bench.tenant_id, closed, None)
        links = [TicketAsset(ticket, asset) for ticket in (closed, strangers, UNKNOWN, mine)]
        bench.ticket_assets.link(bench.session, bench.tenant_id, [*links, TicketAsset(mine, UNKNOWN)])
        rule(not self._assets(bench, closed), CALL, "leave a closed ticket as it is.")
        rule(not self._assets(bench, strangers), CALL, "the asset must be of the ticket's client.")
        rule(self._assets(bench, mine) == (asset,), CALL, "what is gone does not keep others from a link.")

    def _link(self, bench: Bench, ticket: str, *assets: str) -> None:
        links = [TicketAsset(ticket, asset) for asset in assets]
        bench.ticket_assets.link(bench.session, bench.tenant_id, links)

    def _assets(self, bench: Bench, ticket: str) -> tuple[str, ...]:
        return self.read_ticket(bench.session, bench.tenant_id, ticket).asset_ids
