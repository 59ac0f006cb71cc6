"""Paths of the PSA's pages."""

from __future__ import annotations

from urllib.parse import quote, urlencode


class PsaUrls:
    """Paths only: whoever needs an absolute address puts the public URL before them."""

    def ticket(self, ticket_id: str) -> str:
        """Path of the ticket's page."""
        return f"/tickets/{quote(ticket_id)}"

    def asset(self, asset_id: str) -> str:
        """Path of the asset's page."""
        return f"/assets/{quote(asset_id)}"

    def client(self, client_id: str) -> str:
        """Path of the client's page."""
        return f"/clients/{quote(client_id)}"

    def login(self, next_url: str) -> str:
        """Where a person without a session is sent."""
        return "/login?" + urlencode({"next": next_url})
