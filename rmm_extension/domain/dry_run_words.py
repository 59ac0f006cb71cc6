"""A dry run's steps in words: an alert's story, but for the tickets, which would be and are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from . import story
from .story import Step


def sentences(steps: Sequence[Step]) -> list[str]:
    """The steps in words; no sentence speaks of a ticket as if there were one."""
    return [_WOULD[step["code"]](step) if step["code"] in _WOULD else story.sentence(step) for step in steps]


def _joined(step: Step) -> str:
    return f"It would join the open ticket of its condition as {story.ordinal(step['count'])} occurrence."


def _reopened(step: Step) -> str:
    return (
        f"The last ticket of its condition would be reopened: it was closed less than {step['minutes']}"
        " minutes before."
    )


def _kept(step: Step) -> str:
    return f"Its ticket would stay open: {step['reason']}."


def _no_client(step: Step) -> str:
    return f"{story.organization(step)} is not mapped to a client: it would wait for one without a ticket."


def _opted_out(step: Step) -> str:
    return f"{story.organization(step)} makes no tickets (its mapping says so): it would only be recorded."


def _routing_incomplete(step: Step) -> str:
    return f"{story.routing(step)}: it would wait for that without a ticket."


def _always(sentence: str) -> Callable[[Step], str]:
    return lambda step: sentence


_WOULD: dict[str, Callable[[Step], str]] = {
    "no_rule": _always("No rule matches, so no ticket would be made."),
    "no_client": _no_client,
    "opted_out": _opted_out,
    "routing_incomplete": _routing_incomplete,
    "ticket_created": _always("A ticket would be made."),
    "joined_ticket": _joined,
    "ticket_reopened": _reopened,
    "ticket_closed": _always("Its ticket would be closed."),
    "ticket_kept": _kept,
    "ticket_untouched_rule_off": _always(
        "Its ticket would be left alone: the rule does not resolve tickets."
    ),
}
