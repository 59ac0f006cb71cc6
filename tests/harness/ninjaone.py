"""A simulated NinjaOne for any test: `ninja` is a server of its own, `start_ninja` starts some with options.

    ninja.url, ninja.lab                         base address without a slash; the state: lab.device(id=3), …
    ninja.client_id, ninja.client_secret         client credentials, all scopes; ninja.web_* sign in by code
    ninja.token(), ninja.token(ninja.admin)      a fresh access token: of the application, of a user
    ninja.get("/v2/devices"), ninja.call("PUT", "/v2/webhook", json=…)      as a System Administrator
    ninja.control("conditions/trigger", device_id=3), ninja.ask("state")    the control API
    ninja.fault("throttled", prefix="/v2", count=1), ninja.lab.settings.change(rate_limit=5)
    ninja.deliver()                              sends the webhooks that wait; nothing is sent by itself here
    ninja.consent(url)                           signs in and allows; the address the browser is sent back to
    ninja.paths("/v2")                           what was asked for so far: "GET /v2/devices"

Import them in a conftest: `from tests.harness.ninjaone import ninja as ninja`. No alert is on at the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from simulators.ninjaone import keys
from simulators.ninjaone.app import create_app, lab_of
from simulators.ninjaone.enums import SCOPES
from simulators.ninjaone.fleet import FleetOptions, Twin
from simulators.ninjaone.lab import Lab
from tests.harness.simulated import Simulated, serving


@dataclass
class Ninja(Simulated):
    """A running simulator, its state, and its credentials."""

    lab: Lab
    client_id: str = keys.MACHINE_CLIENT_ID
    client_secret: str = keys.MACHINE_CLIENT_SECRET
    web_client_id: str = keys.WEB_CLIENT_ID
    web_client_secret: str = keys.WEB_CLIENT_SECRET
    readonly_client_id: str = keys.READONLY_CLIENT_ID
    readonly_client_secret: str = keys.READONLY_CLIENT_SECRET
    admin: str = keys.ADMIN_USER
    technician: str = keys.TECHNICIAN_USER
    password: str = keys.PASSWORD
    redirect_uri: str = keys.REDIRECT_URIS[0]

    def token(self, user: str | None = None, scopes: tuple[str, ...] = SCOPES) -> str:
        """A fresh access token, made without a call."""
        with self.lab.lock:
            if user is None:
                return self.lab.issue(self.client_id, None, scopes)
            person = next(one for one in self.lab.users.values() if one.email == user)
            return self.lab.issue(self.web_client_id, person.id, scopes)

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> requests.Response:
        """A call of the API as a System Administrator, or with the given token."""
        headers = {"Authorization": f"Bearer {token or self.token(self.admin)}"}
        headers.update(options.pop("headers", {}))
        return self.send(method, path, headers=headers, **options)

    def get(self, path: str, token: str | None = None, **options: Any) -> requests.Response:
        """A GET of the API."""
        return self.call("GET", path, token, **options)

    def consent(self, authorize_url: str, *, user: str | None = None, allow: bool = True) -> str:
        """Go through the pages of an authorization as a browser does; the last Location."""
        first = requests.get(authorize_url, timeout=20, allow_redirects=False)
        if first.is_redirect:
            return first.headers["Location"]
        form = {"ticket": _ticket(first.text), "email": user or self.admin, "password": self.password}
        second = requests.post(f"{self.url}/ws/oauth/login", data=form, timeout=20)
        assert second.status_code == 200, second.text
        ticked = re.findall(r'name="scope" value="(\w+)" checked', second.text)
        decision = {"ticket": form["ticket"], "scope": ticked, "decision": "allow" if allow else "deny"}
        third = requests.post(
            f"{self.url}/ws/oauth/consent", data=decision, timeout=20, allow_redirects=False
        )
        return third.headers["Location"]


def _ticket(page: str) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found, page
    return found[1]


@contextmanager
def ninjas() -> Iterator[Callable[..., Ninja]]:
    """Starts simulators of any size; keywords beside the fleet's are switches and options of `create_app`."""
    with serving() as serve:

        def run(
            devices: int = 60,
            organizations: int = 4,
            seed: int = 7,
            twins: tuple[Twin, ...] = (),
            **options: Any,
        ) -> Ninja:
            options = {"deliveries": "manual", "alerts_at_start": 0, **options}
            app = create_app(FleetOptions(devices, organizations, seed, twins), **options)
            return Ninja(serve(app, lab_of(app).courier), lab_of(app))

        yield run


@pytest.fixture
def ninja() -> Iterator[Ninja]:
    """A small simulated NinjaOne of this test alone; webhooks are sent by `deliver`."""
    with ninjas() as start:
        yield start()


@pytest.fixture
def start_ninja() -> Iterator[Callable[..., Ninja]]:
    """Starts simulated NinjaOnes with other options."""
    with ninjas() as start:
        yield start
