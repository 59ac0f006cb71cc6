"""What the actions of Huntress give."""

from __future__ import annotations

from marshmallow import fields

from rmm_extension.domain.contracts.strict import Flag, Strict


def _text(*, may_be_null: bool = True) -> fields.String:
    return fields.String(required=True, allow_none=may_be_null)


class Incident(Strict):
    """One incident report; times as Huntress tells them."""

    incident_id = _text(may_be_null=False)
    status = _text()
    severity = _text()
    platform = _text()
    summary = _text()
    subject = _text()
    organization_id = _text()
    agent_id = _text()
    indicator_types = fields.List(fields.String(), required=True)
    sent_at = _text()
    closed_at = _text()
    updated_at = _text()


class Incidents(Strict):
    """The incidents found."""

    incidents = fields.List(fields.Nested(Incident), required=True)
    count = fields.Integer(required=True)


class GotIncident(Strict):
    """The incident, with its text for people; ``output`` is what a ticket would say of it."""

    incident = fields.Nested(Incident, required=True)
    body = _text()
    output = _text()


class Resolved(Strict):
    """Whether Huntress closed it; ``status`` is its state there."""

    resolved = Flag(required=True)
    incident_id = _text(may_be_null=False)
    status = _text(may_be_null=False)


class OrganizationItem(Strict):
    """One organization."""

    organization_id = _text(may_be_null=False)
    name = _text(may_be_null=False)
    key = _text()
    agents_count = fields.Integer(required=True, allow_none=True)


class Organizations(Strict):
    """The organizations found."""

    organizations = fields.List(fields.Nested(OrganizationItem), required=True)
    count = fields.Integer(required=True)


class Agent(Strict):
    """An agent as Huntress describes it now."""

    agent_id = _text(may_be_null=False)
    organization_id = _text()
    hostname = _text()
    platform = _text()
    os_name = _text()
    version = _text()
    edr_version = _text()
    defender_status = _text()
    firewall_status = _text()
    internal_ip = _text()
    external_ip = _text()
    serial_number = _text()
    last_callback_at = _text()


class GotAgent(Strict):
    """The agent."""

    agent = fields.Nested(Agent, required=True)


class Isolation(Strict):
    """What Huntress took on; ``firewall_status`` is its word for how far it is."""

    requested = Flag(required=True)
    agent_id = _text(may_be_null=False)
    firewall_status = _text()


class Account(Strict):
    """The account that the key is of."""

    account_id = _text()
    name = _text()
    subdomain = _text()
