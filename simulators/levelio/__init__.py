"""A simulated Level server: devices in nested groups, alerts, updates, automations and signed webhooks."""

from __future__ import annotations

from simulators.levelio.app import create_app as create_app
