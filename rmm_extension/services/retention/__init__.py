"""Removing what is older than its kind is kept."""

from __future__ import annotations

from .nightly import clean, last_night, start_due

__all__ = ["clean", "last_night", "start_due"]
