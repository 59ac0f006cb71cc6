"""Every credential of the simulated directory. Nothing here is secret: the server holds invented data."""

from __future__ import annotations

DIRECTORY_ID = "5e1f0000-0000-4000-8000-0000000000d1"
"""The directory of the people."""

OTHER_DIRECTORY_ID = "5e1f0000-0000-4000-8000-0000000000d2"
"""Another company's."""

APP_ID = "5e1f0000-0000-4000-8000-0000000000a1"
CLIENT_SECRET = "SIM~teams~single~tenant~secret~000000000"
"""A single-tenant bot of the directory."""

MULTI_APP_ID = "5e1f0000-0000-4000-8000-0000000000a2"
MULTI_CLIENT_SECRET = "SIM~teams~multi~tenant~secret~0000000000"
"""A multi-tenant bot."""
