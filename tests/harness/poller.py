"""A process that brings events by polling: ``python -m tests.harness.poller TENANT CONNECTION``.

Each line of the standard input is a body as a webhook would bring it, with ``"acknowledged": true`` where
the vendor says that somebody took the alert on. It prints the outcomes as one JSON list.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from reference_psa import create_app
from rmm_extension.domain.types import AlertEvent, AlertKind, Channel, WebhookRequest
from rmm_extension.services.webhooks import take
from tests.harness.schema import app_config


def main(tenant_id: str, integration_id: str) -> None:
    """Take every line of the standard input, in its order."""
    app = create_app(app_config(os.environ["DATABASE_URL"]))
    rmm = app.extensions["rmm"].services
    outcomes = []
    with app.app_context():
        provider = rmm.providers.get("tacticalrmm")
        for line in sys.stdin:
            event = _event(provider, json.loads(line))
            outcomes.append(take(rmm, tenant_id, UUID(integration_id), event, Channel.POLL).outcome)
        rmm.db.engine.dispose()
    print(json.dumps(outcomes))


def _event(provider: Any, body: dict[str, Any]) -> AlertEvent:
    acknowledged = body.pop("acknowledged", False)
    request = WebhookRequest(headers={}, body=json.dumps(body).encode(), received_at=datetime.now(UTC))
    (event,) = provider.parse_webhook(request)
    return msgspec.structs.replace(event, kind=AlertKind.ACKNOWLEDGED) if acknowledged else event


if __name__ == "__main__":
    main(*sys.argv[1:])
