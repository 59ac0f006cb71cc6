"""Doing an action of NinjaOne as a worker does it, on a simulated server or on made-up answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rmm_extension.domain.actions import ActionState, Order, Outcome, Target
from rmm_extension.domain.contracts.actions import check_output, load_input
from rmm_extension.domain.errors import ProviderError
from rmm_extension.domain.sessions import MemorySessions, SessionToken
from rmm_extension.domain.types import Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.ninjaone import NinjaOne, action_specs, results
from rmm_extension.providers.ninjaone.manifest import CLIENT_CREDENTIALS
from rmm_extension.services.actions.outcomes import outcome_of
from simulators.ninjaone.models import Device
from tests.harness.ninjaone import Ninja
from tests.providers.conftest import LOOPBACK
from tests.providers.ours import Ours as Ours
from tests.providers.ours import target as target

SPECS = {spec.id: spec for spec in action_specs.MODULE.actions}
REBOOT, RUN = "ninjaone.devices.reboot", "ninjaone.devices.run_script"
OPTIONS, SYNC, FIND = (f"ninjaone.devices.{name}" for name in ("scripting_options", "sync", "find"))
SET, END = "ninjaone.devices.set_maintenance", "ninjaone.devices.end_maintenance"
LIST, GET, RESET = (f"ninjaone.alerts.{name}" for name in ("list_active", "get", "reset"))
DISK_CHECK = "5a5f5c5e-0001-4000-8000-000000000001"
OFFERED = {
    "scripts": [
        {"type": "SCRIPT", "id": 11, "name": "Restart spooler"},
        {"type": "ACTION", "uid": DISK_CHECK, "name": "Run disk check"},
    ],
    "credentials": {"roles": ["system"], "credentials": [{"id": 7, "name": "Domain admin", "type": "BASIC"}]},
}
DONE, ASKED, FAILED, UNKNOWN = (
    ActionState.SUCCEEDED,
    ActionState.REQUESTED,
    ActionState.FAILED,
    ActionState.UNKNOWN,
)


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Activities are looked at as often as they matter here, without waiting."""
    monkeypatch.setattr(results, "PAUSES", (0.0, 0.0))


def connection_to(ninja: Ninja, *, readonly: bool = False) -> Connection:
    token = SessionToken(value=ninja.token(scopes=("monitoring",)), scopes=("monitoring",))
    return Connection(
        tenant_id="t",
        integration_id="1",
        provider="ninjaone",
        instance_url=ninja.url,
        auth_mode=CLIENT_CREDENTIALS,
        secrets={"client_secret": ninja.client_secret},
        settings={"client_id": ninja.client_id},
        sessions=MemorySessions(token if readonly else None),
    )


def machine(ninja: Ninja, *, offline: bool = False, node_class: str = "WINDOWS_WORKSTATION") -> Device:
    return next(one for one in ninja.lab.devices() if one.node_class == node_class and one.offline is offline)


def perform(
    provider: NinjaOne,
    connection: Connection,
    action: str,
    on: Target | None,
    given: dict[str, Any],
    ours: Ours | None = None,
) -> Outcome:
    """As a worker does it: checked input, an error judged, a checked output."""
    spec = SPECS[action]
    order = Order(action=action, input=load_input(spec, given), target=on if spec.on_device else None)
    try:
        outcome = provider.perform_action(connection, order, ours or Ours())
    except ProviderError as error:
        return outcome_of(error, spec)
    if outcome.output is not None:
        check_output(spec, outcome.output)
    return outcome


Do = Callable[..., Outcome]


@pytest.fixture
def do(ninja: Ninja) -> Do:
    """Does an action on a Windows workstation that is online."""
    provider = NinjaOne(Runtime(allowed_networks=LOOPBACK, base_urls={}, connect_timeout=2, read_timeout=5))

    def run(
        action: str,
        on: Target | None = None,
        ours: Ours | None = None,
        readonly: bool = False,
        **given: Any,
    ) -> Outcome:
        device = on or target(machine(ninja).id)
        return perform(provider, connection_to(ninja, readonly=readonly), action, device, given, ours)

    return run


def asked(ninja: Ninja) -> list[dict[str, Any]]:
    """What the simulator was asked to do, without what says when and by whom."""
    hidden = ("at", "client_id", "user_id", "device_id")
    return [{key: value for key, value in one.items() if key not in hidden} for one in ninja.lab.actions]
