"""The simulated vendor of these tests."""

from __future__ import annotations

from tests.harness.ninjaone_connection import ninja, server

__all__ = ["ninja", "server"]
