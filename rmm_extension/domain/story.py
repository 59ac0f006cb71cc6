"""An alert's history in sentences: each step of a decision is a code with parameters, here are its words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from .labels import provider_label
from .signals import SignalOutcome
from .types import Outcome

Step = Mapping[str, Any]

_CHANNELS = {
    "webhook": "by webhook",
    "poll": "by polling",
    "manual": "by a person",
    "tick": "by the scheduler",
}

TEMPLATES: dict[str, str] = {
    "duplicate": "Delivered again without a change; nothing was done.",
    "no_window": "In no maintenance window.",
    "suppressed": "Suppressed by the maintenance window “{window}”.",
    "no_rule": "No rule matched, so no ticket was made.",
    "rule_skipped": "Rule “{rule}” skipped: {reason}.",
    "rule_matched": "Rule “{rule}” matched: {reason}.",
    "record_only": "Recorded without a ticket: {reason}.",
    "ticket_created": "Ticket {number} created.",
    "ticket_failed": "No ticket could be made: {reason}.",
    "ticket_requested": "{by} asked for a ticket.",
    "ticket_reopened": "Ticket {number} reopened: it was closed less than {minutes} minutes before.",
    "hold_over": "The alert has lasted as long as the rule waits for.",
    "tried_again": "{by} had it tried again.",
    "awaiting_details": "Waiting up to {seconds} s for the alert's text before deciding.",
    "details_received": "The alert's text arrived.",
    "details_missing": "The alert's text did not arrive in time; decided without it.",
    "ticket_closed": "Ticket {number} closed as {status}.",
    "ticket_kept": "Ticket {number} stays open: {reason}.",
    "ticket_untouched_rule_off": "The ticket was left alone: the rule does not resolve tickets.",
    "tombstone": "Cleared before it was ever reported; a report that is older opens nothing.",
    "older_event": "Older than what is known already; the state was not moved.",
    "new_episode": "Fired again after it was resolved: episode {number} begins.",
    "message_changed": "The alert's text changed.",
    "title_changed": "The alert's title changed.",
    "report_received": "The rest of what the vendor tells of it arrived.",
    "priority_raised": "The priority of ticket {number} was raised.",
    "severity_changed": "Severity changed from {old} to {new}.",
    "resolved_here": "Resolved here by {by}.",
    "left_at_vendor": "{by} closed its ticket. The rule leaves the alert at the vendor alone.",
    "cleared_again": "Reported as cleared once more; a report that is older opens nothing.",
    "adopted": "Recognized as the alert that was first reported without a number.",
    "notified": "Notified: {names}.",
    "warning": "{message}",
}
"""Codes whose sentence is one template; parameters that are missing read “?”."""

_OUTCOMES: Mapping[str, str] = {
    Outcome.OCCURRENCE_APPENDED: "Joined a ticket",
    Outcome.HELD: "Waiting whether it lasts",
    Outcome.RECORDED_ONLY: "Recorded",
    Outcome.AWAITING_DETAILS: "Waiting for details",
    Outcome.SKIPPED: "Nothing changed",
    SignalOutcome.DEVICE_REFRESH: "Device asked for",
    SignalOutcome.PATCH_REFRESH: "Patches asked for",
    SignalOutcome.SOFTWARE_REFRESH: "Software asked for",
    SignalOutcome.ORGANIZATION_SYNC: "Organizations asked for",
}


def outcome_words(outcome: str) -> str:
    """What was done with an event, in a few words."""
    return _OUTCOMES.get(outcome) or _plain(outcome).capitalize()


_UNFOLLOWED = {
    "organization_not_synced": "Its organization is not synced here, so nothing followed.",
    "older_event": "The device was seen since, so nothing changed.",
    "device_unknown": "The device is not known here (any more), so nothing changed.",
    "nothing_to_fetch": "This vendor cannot be asked for it device by device: the next sync brings it.",
    "lists_no_organizations": "This vendor lists no organizations, so nothing followed.",
}


def unfollowed(reason: str) -> str:
    """Why nothing followed from what a vendor told of a device or an organization."""
    return _UNFOLLOWED.get(reason) or f"{_plain(reason).capitalize()}."


def heading(outcome: str, steps: Any = ()) -> str:
    """What stands above the sentences of one history row: the outcome, or what else was written down."""
    codes = [step.get("code") for step in steps or () if isinstance(step, Mapping)]
    return "Notified" if codes[:1] == ["notified"] else outcome_words(outcome)


def sentence(step: Step) -> str:
    """One step in words; an unknown code reads as its own words with its parameters."""
    code = str(step.get("code", ""))
    if code in _SPECIAL:
        return _SPECIAL[code](step)
    if code in TEMPLATES:
        return _ended(TEMPLATES[code].format_map(_Params(step)))
    return _unknown(code, step)


ATTENTION = {
    "no_client": "Its organization is not mapped to a client, so it has no ticket. Map the organization; the"
    " ticket is then made by itself.",
    "routing_incomplete": "The routing of its connection is incomplete, so it has no ticket. Complete it on"
    " the connection's page Routing; the ticket is then made by itself.",
    "ticket_failed": "The ticket could not be made; the alert's story says why. It is tried again every few"
    " minutes.",
    "reset_failed": "The vendor was asked to resolve the alert and did not; the alert's story says why. Ask"
    " again, or resolve it at the vendor.",
}
"""Why an alert needs attention and what to do, by the reason stored with it."""


def attention(reason: str | None) -> str:
    """A stored reason in words; one that is words already stays as it is."""
    return ATTENTION.get(reason or "", reason or "")


def sentences(steps: Any) -> list[str]:
    """The steps of one history row in words; what is no step is left out."""
    return [sentence(step) for step in steps or () if isinstance(step, Mapping)]


def _received(step: Step) -> str:
    params = _Params(step)
    way = _CHANNELS.get(str(step.get("channel")), f"by {params['channel']}")
    previous = step.get("previous_severity")
    change = f", before {_plain(previous)}" if previous else ""
    vendor = provider_label(params["provider"])
    return f"Received {way} from {vendor} (severity {params['severity']}{change})."


def organization(step: Step) -> str:
    """The organization of a step as the subject of its sentence."""
    name = step.get("organization")
    return f"The organization {name}" if name else "Its organization"


def _no_client(step: Step) -> str:
    return f"{organization(step)} is not mapped to a client, so no ticket was made yet."


def routing(step: Step) -> str:
    """What a step says of an incomplete routing, as the beginning of its sentence."""
    lacks = ", ".join(str(one) for one in step.get("lacks") or ()) or "something is not chosen"
    return f"The routing of the connection is incomplete ({lacks})"


def _routing_incomplete(step: Step) -> str:
    return f"{routing(step)}, so no ticket was made yet."


def _opted_out(step: Step) -> str:
    return f"{organization(step)} makes no tickets (its mapping says so), so none was made."


def _vendor_status(step: Step) -> str:
    params = _Params(step)
    vendor = provider_label(params["provider"])
    if step.get("old") == step.get("new"):
        return f"Updated in {vendor} without a change of its status ({params['new']})."
    return f"{vendor}: {params['old']} → {params['new']}."


def _commented(step: Step) -> str:
    params = _Params(step)
    on_ticket = f" It is a note on ticket {params['number']}." if step.get("number") else ""
    return f"Comment in {provider_label(params['provider'])}: “{params['note']}”.{on_ticket}"


def _cleared(step: Step) -> str:
    return f"Cleared in {provider_label(_Params(step)['provider'])}."


def _vanished(step: Step) -> str:
    vendor = provider_label(_Params(step)["provider"])
    return f"Over: {vendor} does not list it as active any more (found by polling)."


def _webhook_lost(step: Step) -> str:
    vendor = provider_label(_Params(step)["provider"])
    if step.get("reason") == "refused":
        return (
            f"Its webhook was lost: by its own record {vendor} could not deliver it. Polling found the alert."
        )
    if step.get("reason") == "end_refused":
        return f"The webhook of its end was lost: by its own record {vendor} could not deliver it."
    return "Its webhook was lost: it did not arrive. Polling found the alert."


def _window_ended(step: Step) -> str:
    name = step.get("window")
    return f"Maintenance window “{name}” ended." if name else "The maintenance window ended."


def _acknowledged(step: Step) -> str:
    return f"Acknowledged by {provider_label(_Params(step)['by'])}."


def _held(step: Step) -> str:
    params = _Params(step)
    minutes = params["minutes"]
    lasting = "1 minute" if minutes == "1" else f"{minutes} minutes"
    return f"The rule makes a ticket only of what lasts {lasting}: waiting until {_clock(params['until'])}."


def _clock(moment: str) -> str:
    try:
        return f"{datetime.fromisoformat(moment).astimezone(UTC):%H:%M} UTC"
    except ValueError:
        return moment


def _joined(step: Step) -> str:
    count = step.get("count")
    which = f" as {ordinal(count)} occurrence" if isinstance(count, int) and count > 0 else ""
    return f"Joined ticket {_Params(step)['number']}{which}."


def _vendor_reset(step: Step) -> str:
    params = _Params(step)
    by = f" for {_plain(step['by'])}" if step.get("by") else ""
    if step.get("accepted"):
        return _ended(f"The vendor resolved the alert{by}: {params['message']}")
    return _ended(f"The vendor did not resolve the alert{by}: {params['message']}")


_SPECIAL: dict[str, Callable[[Step], str]] = {
    "received": _received,
    "no_client": _no_client,
    "opted_out": _opted_out,
    "routing_incomplete": _routing_incomplete,
    "vendor_status": _vendor_status,
    "commented": _commented,
    "cleared": _cleared,
    "acknowledged": _acknowledged,
    "held": _held,
    "joined_ticket": _joined,
    "vanished": _vanished,
    "vendor_reset": _vendor_reset,
    "webhook_lost": _webhook_lost,
    "window_ended": _window_ended,
}


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th …"""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _unknown(code: str, step: Step) -> str:
    words = code.replace("_", " ").strip().capitalize() or "Something happened"
    details = ", ".join(f"{key} {_plain(value)}" for key, value in step.items() if key != "code")
    return f"{words} ({details})." if details else f"{words}."


def _plain(value: Any) -> str:
    return str(value).replace("_", " ") if value not in (None, "") else "?"


def _ended(text: str) -> str:
    """Exactly one full stop at the end, also where a reason brought its own."""
    stripped = text.rstrip()
    while stripped.endswith(".."):
        stripped = stripped[:-1]
    return stripped if stripped.endswith((".", "!", "?")) else f"{stripped}."


class _Params(dict[str, str]):
    """Parameters as text. Outside strings are only values here, never templates."""

    def __init__(self, step: Step) -> None:
        super().__init__(
            {str(key): str(value) if value not in (None, "") else "?" for key, value in step.items()}
        )

    def __missing__(self, key: str) -> str:
        return "?"
