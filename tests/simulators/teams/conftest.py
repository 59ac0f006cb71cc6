"""Simulated Microsoft services, and a bot that keeps what it is sent."""

from __future__ import annotations

from tests.harness.teams import start_teams as start_teams
from tests.harness.teams import teams as teams
