"""What a PSA's people and workers do with Acme RMM, in an environment that has two wheels and no source.

Run by that environment's Python with the address of a database of the reference PSA; prints what came of it
as JSON. Knows Acme's server, the PSA's pages, and how background work is taken: nothing of Acme's provider.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any
from urllib.parse import urlsplit

from acme_server import API_KEY, HEADER, Account, serving
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

import rmm_extension
from reference_psa import create_app
from reference_psa.db import db
from reference_psa.seed import LOGINS
from reference_psa.seed_data import NORTHBEAM
from rmm_extension.services import kinds, relay, runs
from rmm_extension.services.context import Rmm
from rmm_extension.services.unit import unit

MACHINES = [
    {"id": f"m{number}", "customer_id": "c1", "name": f"ACME-{number}", "type": "server", "online": True}
    for number in range(1, 4)
]
CUSTOMER = "Harbour Dental Care"
"""One of the demonstration's clients."""


def application(database: str) -> Flask:
    """The reference PSA as its users have it, but for the tokens of forms."""
    return create_app(
        {
            "TESTING": True,
            "WTF_CSRF_ENABLED": False,
            "SQLALCHEMY_DATABASE_URI": database,
            "RMM_PUBLIC_URL": "http://psa.example.com",
            "RMM_ALLOWED_NETWORKS": "127.0.0.0/8",
        }
    )


class Psa:
    """The PSA with its administrator's browser, and the workers' share of the work."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.rmm: Rmm = app.extensions["rmm"].services
        self.browser: FlaskClient = app.test_client()
        email, password = next(row[:2] for row in LOGINS if row[2:] == ("admin", NORTHBEAM))
        self.post("/login", email=email, password=password)
        self.tenant = self.one("SELECT tenant_id FROM users WHERE email = :email", email=email)

    def post(self, path: str, **fields: Any) -> str:
        """Send a form; where it leads to. A form that is shown again ends the story."""
        answer = self.browser.post(path, data=fields)
        assert answer.status_code in (302, 303), (path, answer.status_code, answer.text)
        return str(answer.location)

    def page(self, path: str) -> str:
        """What a page says, without tags."""
        answer = self.browser.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return " ".join(re.sub(r"(?s)<script.*?</script>|<[^>]+>", " ", answer.text).split())

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """The rows of a query."""
        with self.app.app_context(), unit(self.rmm) as session:
            return list(session.execute(text(statement), values).all())

    def one(self, statement: str, **values: Any) -> Any:
        """The single value of a query."""
        ((value,),) = self.rows(statement, **values)
        return value

    def work(self) -> list[str]:
        """Hand over the outbox and do every run that waits, until nothing does; the kinds that were done."""
        done: list[str] = []
        while (handed := self._hand_over()) + len(taken := self._work_once()):
            done += taken
        assert handed == 0
        return done

    def _hand_over(self) -> int:
        handed = 0
        with self.app.app_context():
            while messages := relay.claim(self.rmm):
                for message in messages:
                    if relay.is_signal(message):
                        relay.settle(self.rmm, [message])
                    else:
                        relay.deliver(self.rmm, message)
                    handed += 1
        return handed

    def _work_once(self) -> list[str]:
        due = "SELECT id, attempt, kind FROM rmm_job_runs WHERE status = 'queued' ORDER BY queued_at, id"
        return [self._run(*row) for row in self.rows(due)]

    def _run(self, run_id: Any, attempt: int, kind: str) -> str:
        with self.app.app_context():
            run = runs.take(self.rmm, self.tenant, run_id, attempt)
            assert run is not None, kind
            counts = kinds.resolve(kinds.get(kind).handler)(self.rmm, run)
            with unit(self.rmm) as session:
                runs.finish(session, run, counts)
        return kind


def connect(psa: Psa, url: str) -> str:
    """The wizard, from the card to the webhook; the address of the connection's pages."""
    assert "Acme RMM" in psa.page("/rmm/settings")
    form = {"name": "Acme", "field_instance_url": url, "field_api_key": API_KEY, "catch_all": "y"}
    psa.post("/rmm/connect/acme/api_key", **form)
    psa.work()
    connection = psa.one("SELECT id FROM rmm_integrations WHERE provider = 'acme'")
    mapping = psa.one("SELECT id FROM rmm_organization_mappings WHERE integration_id = :id", id=connection)
    pages = f"/rmm/connections/{connection}"
    psa.post(f"{pages}/organizations/{mapping}", client=CUSTOMER, client_before="", auto_sync="1")
    psa.post(f"{pages}/webhook/on")
    return pages


def webhook(psa: Psa, pages: str) -> tuple[str, dict[str, str]]:
    """The address and the header, as an administrator copies them from the page, while it shows them."""
    shown = re.findall(
        r'<code class="rmm-copy-text"[^>]*>([^<]+)</code>', psa.browser.get(f"{pages}/webhook").text
    )
    address = urlsplit(next(one for one in shown if "/api/webhooks/acme/" in one)).path
    name, secret = next(one for one in shown if one.startswith(HEADER)).split(": ")
    return address, {name: secret}


def tickets(psa: Psa) -> list[Any]:
    """The tickets that Acme's alerts made: their client, and whether they are closed."""
    return [
        tuple(row)
        for row in psa.rows(
            "SELECT c.name, t.closed_at IS NOT NULL FROM tickets t"
            " JOIN clients c ON c.tenant_id = t.tenant_id AND c.id = t.client_id"
            " WHERE t.source = 'acme' ORDER BY t.number"
        )
    ]


def story(psa: Psa, acme: Account, url: str) -> dict[str, Any]:
    """Everything in its order; each step is told by what came of it."""
    told: dict[str, Any] = {"from": rmm_extension.__file__}
    pages = connect(psa, url)
    told["learned"] = psa.one(
        "SELECT settings ->> 'acme_account' FROM rmm_integrations WHERE provider = 'acme'"
    )

    psa.post(f"{pages}/sync", what="devices_full")
    psa.work()
    told["devices"] = [row.name for row in psa.rows("SELECT name FROM rmm_devices ORDER BY name")]
    told["assets"] = psa.one("SELECT count(*) FROM rmm_devices WHERE asset_id IS NOT NULL")

    address, header = webhook(psa, pages)
    body = acme.raise_alert("a1", acme.machines[0], "disk", "The disk is full.")
    vendor = psa.app.test_client()
    told["forged"] = vendor.post(address, json=body, headers={HEADER: "wrong"}).status_code
    told["webhook"] = [vendor.post(address, json=body, headers=header).json for _ in range(2)]
    acme.raise_alert("a2", acme.machines[1], "memory", "Memory runs out.")
    psa.post(f"{pages}/sync", what="alerts")
    psa.work()
    told["tickets"] = tickets(psa)

    ticket = psa.one("SELECT ticket_id FROM rmm_alerts WHERE external_id = 'a1'")
    status = psa.one(
        "SELECT s.id FROM ticket_statuses s JOIN tickets t ON t.tenant_id = s.tenant_id"
        " AND t.board_id = s.board_id WHERE t.id = :id AND s.is_closed LIMIT 1",
        id=ticket,
    )
    psa.post(f"/tickets/{ticket}/close", status_id=status)
    told["after closing"] = psa.work()
    told["cleared"] = [alert["id"] for alert in acme.alerts if alert["cleared_at"]]

    device = psa.one("SELECT id FROM rmm_devices WHERE external_id = 'm1'")
    told["offered"] = "Reboot" in psa.page(f"/rmm/run?ids={device}")
    form = psa.browser.get(f"/rmm/run/acme.machines.reboot?ids={device}").text
    key = re.search(r'name="key" value="([^"]+)"', form)
    assert key is not None
    psa.post("/rmm/run/acme.machines.reboot", ids=str(device), key=key[1])
    psa.work()
    told["rebooted"] = acme.rebooted
    told["action"] = psa.one("SELECT state FROM rmm_action_invocations")
    return told


def main() -> None:
    """Tell the story of the database that is named."""
    acme = Account(customers=[{"id": "c1", "name": CUSTOMER}], machines=MACHINES)
    psa = Psa(application(sys.argv[1]))
    with serving(acme) as url:
        told = story(psa, acme, url)
    with psa.app.app_context():
        db.engine.dispose()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
