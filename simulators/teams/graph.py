"""Microsoft Graph: notifications in the activity feed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from simulators.teams.endpoints import body, caller, lab, served
from simulators.teams.login import GRAPH_SCOPE
from simulators.teams.models import Bot, Notification, Person
from simulators.teams.replies import ApiError, refused

ACTIVITY_TYPES = (
    "assignmentCreated",
    "customerReplyReceived",
    "approvalRequested",
    "workEscalated",
    "slaRiskDetected",
)
"""What the app's manifest declares."""
SEND = "TeamsActivity.Send"
DEEP_LINK = "https://teams.microsoft.com/l/"

graph_blueprint = Blueprint("graph", __name__)


@graph_blueprint.post("/v1.0/users/<user_id>/teamwork/sendActivityNotification")
@served
def notify(user_id: str) -> Response:
    """An entry of somebody's activity feed."""
    bot, _ = caller(GRAPH_SCOPE)
    if SEND not in bot.roles:
        raise _error(403, "Forbidden", f"Missing role permissions on the request: {SEND}.")
    person = _person(user_id)
    _refuse_strange(bot, person, notification := body())
    number = lab().next_number("notification")
    lab().notifications.append(Notification(number, lab().now(), bot.app_id, person.number, notification))
    return Response(status=204)


def _person(user_id: str) -> Person:
    for one in lab().people.values():
        if user_id.lower() in (one.object_id, one.mail):
            return one
    raise _error(404, "NotFound", "User could not be found.")


def _refuse_strange(bot: Bot, person: Person, given: dict[str, Any]) -> None:
    if bot.app_id not in person.apps:
        raise _error(403, "Forbidden", "Application with AAD App Id is not authorized: it is not installed.")
    topic = given.get("topic") or {}
    if topic.get("source") == "text" and not str(topic.get("webUrl", "")).startswith(DEEP_LINK):
        raise _error(400, "BadRequest", "Topic webUrl must be a Teams deep link.")
    if topic.get("source") not in ("text", "entityUrl") or not topic.get("value"):
        raise _error(400, "BadRequest", "Topic is not right.")
    if given.get("activityType") not in ACTIVITY_TYPES:
        raise _error(400, "BadRequest", "Activity type is not declared in the app's manifest.")
    if not (given.get("previewText") or {}).get("content"):
        raise _error(400, "BadRequest", "Preview text is missing.")


def _error(status: int, code: str, message: str) -> ApiError:
    error = refused(status, code, message)
    error.body["error"]["innerError"] = {
        "request-id": f"sim-{lab().next_number('request')}",
        "date": lab().now(),
    }
    return error
