"""Microsoft's services for a bot in Teams, simulated: Entra's tokens, Bot Connector, Graph, signing keys."""

from __future__ import annotations

from simulators.teams.app import create_app as create_app
