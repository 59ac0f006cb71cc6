"""Microsoft Teams: notifications and messages to people and channels, by a bot and by Microsoft Graph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rmm_extension.domain.actions import ActionContext, Order, Outcome
from rmm_extension.domain.contracts.actions import ActionModule
from rmm_extension.domain.errors import ConfigError, WebhookRejected
from rmm_extension.domain.messaging import AppPackage, AppPlace, BotActivity
from rmm_extension.domain.types import Check, Connection, PermissionLine
from rmm_extension.providers.contract import Provider
from rmm_extension.providers.teams import (
    actions,
    activities,
    address,
    app_package,
    checks,
    permissions,
    signatures,
)
from rmm_extension.providers.teams.action_specs import MODULE
from rmm_extension.providers.teams.client import open_openid
from rmm_extension.providers.teams.manifest import APP_ID, DIRECTORY_ID, MANIFEST
from rmm_extension.providers.teams.tokens import app_of

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Teams(Provider):
    """The provider for bots in Microsoft Teams."""

    manifest = MANIFEST

    def check_settings(self, settings: dict[str, str]) -> dict[str, str]:
        """The ids in lower case; each is a GUID."""
        found = dict(settings)
        for field in (APP_ID, DIRECTORY_ID):
            found[field.name] = settings.get(field.name, "").strip().strip("{}").lower()
            if not _GUID.fullmatch(found[field.name]):
                raise ConfigError(
                    f"{field.label}: this is none. It looks like 1b2c3d4e-0000-4000-8000-1234567890ab."
                )
        return found

    def check(self, connection: Connection) -> Iterator[Check]:
        """Test sign-in, permission and signing keys, line by line."""
        try:
            app = app_of(self.runtime, connection)
        except ConfigError as error:
            yield checks.failed(checks.FIRST, error)
            return
        yield from checks.run(self.runtime, app, feed=_has_feed(connection))

    def permissions(self, connection: Connection) -> Iterator[PermissionLine]:
        """What the app may do, feature by feature."""
        yield from permissions.lines(app_of(self.runtime, connection), feed=_has_feed(connection))

    def action_module(self) -> ActionModule:
        """Notifications, direct messages, posts."""
        return MODULE

    def perform_action(self, connection: Connection, order: Order, context: ActionContext) -> Outcome:
        """Do one of them."""
        return actions.perform(self.runtime, connection, order, context)

    def app_package(self, connection: Connection, place: AppPlace) -> AppPackage:
        """The app for the Teams admin centre."""
        return app_package.build(str(connection.settings["app_id"]), place)

    def verify_bot_message(
        self,
        connection: Connection,
        headers: Mapping[str, str],
        body: bytes,
        keys: Sequence[Mapping[str, Any]],
    ) -> BotActivity | None:
        """What an activity of Bot Connector tells, if it is genuine and of the connection's directory."""
        app_id, directory_id = (
            str(connection.settings.get(name) or "") for name in ("app_id", "directory_id")
        )
        if not app_id or not directory_id:
            raise WebhookRejected("not_configured", "The connection has no Microsoft App ID or directory.")
        activity = activities.decode(body)
        signatures.verify(headers, activity, app_id, keys)
        if not address.is_trusted(activity.service_url, self.runtime):
            raise WebhookRejected("untrusted_service", "The activity's service URL is none of Microsoft's.")
        if activity.directory_id != directory_id.lower():
            raise WebhookRejected(
                "wrong_directory", "The activity is of another directory than the connection."
            )
        return activities.read(activity)

    def signing_keys(self) -> list[dict[str, Any]]:
        """The keys that Bot Connector signs with now."""
        with open_openid(self.runtime) as client:
            return client.keys()


def _has_feed(connection: Connection) -> bool:
    return connection.settings.get("activity_feed") != "off"


PROVIDER = Teams
__all__ = ["PROVIDER", "Teams"]
