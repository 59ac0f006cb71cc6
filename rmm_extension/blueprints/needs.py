"""How much needs somebody: in the navigation of every page, and on the overview."""

from __future__ import annotations

from typing import cast

from flask import g

from rmm_extension.services.queries import overview as queries
from rmm_extension.services.queries.overview import Attention

from .context import actor, session


def attention_counts() -> Attention:
    """What waits in the tenant, counted once per request."""
    if "rmm_attention" not in g:
        g.rmm_attention = queries.attention(session(), actor().tenant_id)
    return cast(Attention, g.rmm_attention)
