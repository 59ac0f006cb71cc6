"""Every credential of the simulated server. Nothing here is secret: the server holds invented data."""

from __future__ import annotations

API_KEY = "hk_SIMwriter0000000000000001"
API_SECRET = "hs_SIMwriterSecret000000000000000000000001"
"""Key of a user who may resolve, remediate and isolate."""

READER_KEY = "hk_SIMreader0000000000000002"
READER_SECRET = "hs_SIMreaderSecret000000000000000000000002"
"""The account's own key, which only reads."""

LIMITED_KEY = "hk_SIMlimited000000000000003"
LIMITED_SECRET = "hs_SIMlimitedSecret00000000000000000000003"
"""Key of a user whose role only reads."""
