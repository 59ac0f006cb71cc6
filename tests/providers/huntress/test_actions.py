"""Huntress's actions against the simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from rmm_extension.domain.actions import ActionState, ErrorCode, LocalAlert, Order, Outcome, Target
from rmm_extension.domain.contracts.actions import check_output, form_fields, load_input
from rmm_extension.domain.errors import Invalid, ProviderError
from rmm_extension.domain.messaging import MessagingContext
from rmm_extension.domain.types import Connection
from rmm_extension.providers.contract import Runtime
from rmm_extension.providers.huntress import Huntress as Provider
from rmm_extension.providers.huntress.action_specs import MODULE
from rmm_extension.services.actions.outcomes import outcome_of
from tests.harness.huntress import Huntress
from tests.harness.huntress import huntress as huntress
from tests.providers.conftest import LOOPBACK
from tests.providers.huntress.accounts import Turns

SPECS = {spec.id.removeprefix("huntress."): spec for spec in MODULE.actions}
FIND, GET, RESOLVE = (f"incidents.{name}" for name in ("find", "get", "resolve"))
AGENT, ISOLATE, RELEASE = (f"agents.{name}" for name in ("get", "isolate", "release"))
ORGANIZATIONS, ACCOUNT = "organizations.list", "account.get"


@dataclass
class Ours:
    """Our side, as an action of Huntress sees it: it only takes in what was closed."""

    reset: list[str] = field(default_factory=list)

    def find_devices(self, **_: Any) -> Sequence[Target]:
        raise AssertionError("Huntress's actions look up no device here.")

    def find_alerts(self, **_: Any) -> Sequence[LocalAlert]:
        raise AssertionError("Huntress's actions look up no alert here.")

    def sync_device(self, external_id: str) -> Target | None:
        raise AssertionError("Huntress's actions sync nothing.")

    @property
    def messaging(self) -> MessagingContext:
        raise AssertionError("Huntress's actions use no chat service.")

    def alert_was_reset(self, external_id: str, message: str) -> LocalAlert | None:
        self.reset.append(external_id)
        return None


Do = Callable[..., Outcome]


@pytest.fixture
def do(huntress: Huntress) -> Do:
    """Does an action as a worker does it: checked input, an error judged, a checked output."""
    provider = Provider(Runtime(LOOPBACK, {"huntress": huntress.url}, connect_timeout=2, read_timeout=5))

    def run(
        name: str, on: object = None, ours: Ours | None = None, reader: bool = False, **given: Any
    ) -> Outcome:
        key, secret = (
            (huntress.reader_key, huntress.reader_secret) if reader else (huntress.key, huntress.secret)
        )
        connection = Connection(
            tenant_id="t",
            integration_id="1",
            provider="huntress",
            instance_url="",
            secrets={"api_key": key, "api_secret": secret},
            settings={"account_subdomain": "acme-msp"},
            pace=Turns(),
        )
        spec = SPECS[name]
        device = target(on) if spec.on_device else None
        order = Order(action=spec.id, input=load_input(spec, given), target=device)
        try:
            outcome = provider.perform_action(connection, order, ours or Ours())
        except ProviderError as error:
            return outcome_of(error, spec)
        if outcome.output is not None:
            check_output(spec, outcome.output)
        return outcome

    return run


def target(external_id: object) -> Target:
    return Target(
        device_id="d",
        external_id=str(external_id),
        external_organization_id="1",
        name="PC-1",
        status="online",
    )


def host(huntress: Huntress) -> int:
    """A host whose agent can isolate it."""
    return min(number for number, agent in huntress.lab.fleet.agents.items() if agent.isolatable)


def told(outcome: Outcome) -> dict[str, Any]:
    assert outcome.output is not None, outcome
    return outcome.output


def test_incidents_are_found_by_filters_the_newest_first(huntress: Huntress, do: Do) -> None:
    low = huntress.raise_incident(severity="low", agent_id=host(huntress))
    critical = huntress.raise_incident(severity="critical")
    numbers = [one["incident_id"] for one in told(do(FIND))["incidents"]]
    assert sorted(numbers) == sorted([str(low), str(critical)])
    (found,) = told(do(FIND, severity="critical"))["incidents"]
    assert (found["incident_id"], found["status"]) == (str(critical), "sent")
    assert told(do(FIND, status="closed")) == {"incidents": [], "count": 0}
    assert told(do(FIND, agent_id=host(huntress), limit=1))["count"] == 1
    assert told(do(FIND, organization_id=2**40))["count"] == 0


def test_an_incident_is_read_whole(huntress: Huntress, do: Do) -> None:
    number = huntress.raise_incident(agent_id=host(huntress))
    found = told(do(GET, incident_id=number))
    assert found["incident"]["incident_id"] == str(number)
    assert f"https://acme-msp.huntress.io/incident_reports/{number}" in found["output"]
    assert "Host\n" in found["output"]


@pytest.mark.parametrize("name, given", [(GET, "incident_id"), (RESOLVE, "incident_id"), (AGENT, "agent_id")])
def test_what_is_not_there(do: Do, name: str, given: str) -> None:
    ours = Ours()
    outcome = do(name, ours=ours, **{given: 999_999_999})
    assert (outcome.state, outcome.error_code) == (ActionState.FAILED, ErrorCode.NOT_FOUND)
    assert ours.reset == []


def test_an_incident_is_closed_and_its_alert_here_with_it(huntress: Huntress, do: Do) -> None:
    number, ours = huntress.raise_incident(), Ours()
    huntress.control(f"incidents/{number}/approve")
    outcome = do(RESOLVE, ours=ours, incident_id=number)
    assert outcome.state is ActionState.SUCCEEDED, outcome
    assert told(outcome) == {"resolved": True, "incident_id": str(number), "status": "closed"}
    assert huntress.lab.incidents[number].status == "closed"
    assert ours.reset == [str(number)]


def test_what_is_in_the_way_is_an_outcome_in_words(huntress: Huntress, do: Do) -> None:
    number, ours = huntress.raise_incident(remediations=3), Ours()
    outcome = do(RESOLVE, ours=ours, incident_id=number)
    assert (outcome.state, outcome.error_code) == (ActionState.FAILED, ErrorCode.CONFLICT)
    assert "not approved yet" in outcome.message
    assert (huntress.lab.incidents[number].status, ours.reset) == ("sent", [])


def test_a_key_that_only_reads_may_not(huntress: Huntress, do: Do) -> None:
    number = huntress.raise_incident()
    huntress.control(f"incidents/{number}/approve")
    for outcome in (
        do(RESOLVE, reader=True, incident_id=number),
        do(ISOLATE, on=host(huntress), reader=True),
        do(RELEASE, on=host(huntress), reader=True),
    ):
        assert (outcome.state, outcome.error_code) == (ActionState.FAILED, ErrorCode.FORBIDDEN)
        assert "user-based API key" in outcome.message


def test_a_host_is_isolated_and_released(huntress: Huntress, do: Do) -> None:
    number = host(huntress)
    outcome = do(ISOLATE, on=number, reason="Ransomware", strict_isolation=True)
    assert outcome.state is ActionState.REQUESTED
    assert told(outcome)["firewall_status"] == "Pending Isolation"
    huntress.control(f"agents/{number}/settle")
    released = do(RELEASE, on=number)
    assert released.state is ActionState.REQUESTED
    assert huntress.lab.fleet.agents[number].firewall == "Pending Release"


def test_what_cannot_be_isolated_is_told(huntress: Huntress, do: Do) -> None:
    number = host(huntress)
    refused = do(RELEASE, on=number)
    assert (refused.state, refused.error_code) == (ActionState.FAILED, ErrorCode.VENDOR_ERROR)
    assert "PC-1" in refused.message
    gone = do(ISOLATE, on=999_999_999)
    assert gone.error_code is ErrorCode.NOT_FOUND


def test_an_answer_that_is_lost_leaves_an_isolation_unknown(huntress: Huntress, do: Do) -> None:
    huntress.fault("server_error", prefix="/v1/agents", count=1)
    assert do(ISOLATE, on=host(huntress)).state is ActionState.UNKNOWN
    assert huntress.paths("/v1/agents") == [f"POST /v1/agents/{host(huntress)}/isolation"]


def test_organizations_agents_and_the_account(huntress: Huntress, do: Do) -> None:
    every = told(do(ORGANIZATIONS))
    assert every["count"] == len(huntress.lab.fleet.organizations)
    name = every["organizations"][0]["name"]
    assert name in [one["name"] for one in told(do(ORGANIZATIONS, query=name.upper()))["organizations"]]
    assert told(do(ORGANIZATIONS, limit=1))["count"] == 1
    agent = huntress.lab.fleet.agents[host(huntress)]
    assert told(do(AGENT, agent_id=agent.id))["agent"]["hostname"] == agent.hostname
    assert told(do(ACCOUNT))["account_id"]


@pytest.mark.parametrize(
    "name, given, wrong",
    [
        (FIND, {"limit": 501}, "limit"),
        (FIND, {"severity": "medium"}, "severity"),
        (FIND, {"status": "open"}, "status"),
        (GET, {}, "incident_id"),
        (RESOLVE, {"incident_id": 0}, "incident_id"),
        (AGENT, {"agent_id": "x"}, "agent_id"),
        (ISOLATE, {"strict_isolation": "yes"}, "strict_isolation"),
        (ISOLATE, {"reason": "x" * 501}, "reason"),
        (RELEASE, {"reason": "x"}, "reason"),
        (ORGANIZATIONS, {"limit": 0}, "limit"),
    ],
)
def test_inputs_that_are_refused(name: str, given: dict[str, Any], wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        load_input(SPECS[name], given)
    assert wrong in refused.value.errors


def test_who_may_do_what() -> None:
    assert {name: spec.permission for name, spec in SPECS.items()} == {
        FIND: "rmm.view",
        GET: "rmm.view",
        RESOLVE: "rmm.alerts.manage",
        ORGANIZATIONS: "rmm.view",
        AGENT: "rmm.view",
        ISOLATE: "rmm.execute",
        RELEASE: "rmm.execute",
        ACCOUNT: "rmm.view",
    }
    assert {name for name, spec in SPECS.items() if spec.side_effects} == {RESOLVE, ISOLATE, RELEASE}
    assert all((spec.confirmation is not None) is spec.side_effects for spec in SPECS.values())
    assert all(one.label for spec in SPECS.values() for one in form_fields(spec.input))
    assert MODULE.default_action == "huntress.incidents.find"
