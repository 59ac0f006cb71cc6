"""The webhook of an API application: what is sent to NinjaOne, and what its refusals mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
import responses
from msgspec.structs import replace

from rmm_extension.domain.errors import InvalidRequest, PermissionMissing, Unavailable
from rmm_extension.domain.registrations import HEADER, WebhookRegistration
from rmm_extension.providers.capabilities import RegistersWebhooks
from rmm_extension.providers.ninjaone import registration, webhooks
from tests.harness.recordings import description, example

from .accounts import BASE, connection, ninjaone, says, signed_in

PATH = registration.PATH
SECRET, TOKEN = "SECRET-of-the-webhook", "tenant.SECRET-token"
WANTED = WebhookRegistration(
    url=f"https://psa.example.com/api/webhooks/ninjaone/{TOKEN}", header=HEADER, secret=SECRET
)


@pytest.fixture(autouse=True)
def mocked() -> Any:
    with responses.mock:
        yield


def sent() -> dict[str, Any]:
    """The body of the only request."""
    (call,) = responses.calls
    found: dict[str, Any] = json.loads(call.request.body)
    return found


def register(wanted: WebhookRegistration = WANTED) -> dict[str, Any]:
    responses.add("PUT", BASE + PATH, status=204)
    ninjaone().register_webhook(signed_in(), wanted)
    return sent()


def test_the_provider_is_told_of_webhooks_by_a_call() -> None:
    assert isinstance(ninjaone(), RegistersWebhooks)


def test_what_is_sent() -> None:
    assert register() == {
        "url": WANTED.url,
        "activities": {kind: list(codes) for kind, codes in webhooks.activity_map().items()},
        "expand": ["device", "organization", "location"],
        "headers": [{"name": "X-RMM-Webhook-Secret", "value": SECRET}],
    }


def test_only_the_organizations_that_are_named() -> None:
    assert register(replace(WANTED, organization_ids=("2", "17")))["organizationIds"] == [2, 17]


def test_the_body_is_of_the_shape_that_was_seen() -> None:
    seen = example("ninjaone-webhook-put-body.json")
    if not seen.exists():
        pytest.skip(f"{seen} is not at hand")
    body = json.loads(seen.read_text(encoding="utf-8"))["body"]
    ours = register()
    assert set(ours) == set(body)
    assert ours["expand"] == body["expand"]
    assert {frozenset(one) for one in ours["headers"]} == {frozenset(one) for one in body["headers"]}


def test_only_activities_that_nobody_else_invented() -> None:
    enums = description("ninjaone-enums.json")
    if not enums.exists():
        pytest.skip(f"{enums} is not at hand")
    known = set(json.loads(enums.read_text(encoding="utf-8"))["activityType"])
    assert set(webhooks.activity_map()) <= known
    assert set(registration._WORDS) <= known


def test_every_activity_is_named_in_words() -> None:
    words = registration.subscription().words
    assert len(words) == len(webhooks.activity_map())
    assert not set(words) & set(webhooks.activity_map())


def test_another_list_of_activities_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = registration.subscription().version
    assert registration.subscription().version == before
    monkeypatch.setattr(webhooks, "activity_map", lambda: {"CONDITION": ("TRIGGERED",)})
    assert registration.subscription().version != before


@pytest.mark.parametrize(
    "one, other, is_same",
    [
        ({}, {}, True),
        ({"instance_url": "https://EU.ninjarmm.com"}, {"instance_url": "https://eu.ninjarmm.com"}, True),
        ({"settings": {"client_id": "b"}}, {}, False),
        ({"instance_url": "https://eu.ninjarmm.com"}, {}, False),
    ],
)
def test_the_scope_is_the_api_application(one: dict[str, Any], other: dict[str, Any], is_same: bool) -> None:
    first, second = (ninjaone().registration_scope(connection(**more)) for more in (one, other))
    assert (first == second) is is_same


def test_who_is_no_administrator_is_told_so() -> None:
    says(PATH, {"errorMessage": "Only system administrators can configure webhooks"}, 403, method="PUT")
    with pytest.raises(PermissionMissing, match=r"only a System Administrator .* Sign in again as one"):
        ninjaone().register_webhook(signed_in(), WANTED)


@pytest.mark.parametrize("status", [400, 500])
def test_no_text_repeats_the_secret_or_the_address(status: int) -> None:
    says(PATH, {"errorMessage": f"{WANTED.url} refused {SECRET}"}, status, method="PUT")
    with pytest.raises((InvalidRequest, Unavailable)) as caught:
        ninjaone().register_webhook(signed_in(), WANTED)
    assert SECRET not in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert "•••" in str(caught.value)


def test_removing_it() -> None:
    responses.add("DELETE", BASE + PATH, status=204)
    ninjaone().unregister_webhook(signed_in())
    assert len(responses.calls) == 1


def test_another_products_webhook_is_not_asked_for_again() -> None:
    says(PATH, {"errorMessage": "Different PSA is already configured"}, 403, method="DELETE")
    with pytest.raises(PermissionMissing, match="another product"):
        ninjaone().unregister_webhook(signed_in())


def test_a_removal_that_failed_inside_may_be_asked_for_again() -> None:
    says(PATH, {"errorMessage": "Failed to disable PSA"}, 500, method="DELETE")
    with pytest.raises(Unavailable, match="Failed to disable PSA"):
        ninjaone().unregister_webhook(signed_in())
    assert len(responses.calls) == 1, "a change is not repeated by itself"
