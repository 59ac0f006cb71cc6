"""Which features of the extension need which right in NinjaOne."""

from __future__ import annotations

from dataclasses import dataclass

from rmm_extension.providers.ninjaone import scopes


@dataclass(frozen=True, slots=True)
class Feature:
    """What people know it as, and the scope it needs; ``administrator`` where that alone is not enough.

    ``reads`` are small requests that prove it.
    """

    name: str
    scope: str
    reads: tuple[str, ...] = ()
    administrator: bool = False


FEATURES = (
    Feature(
        "Organizations, devices and their hardware", scopes.MONITORING, ("/v2/organizations", "/v2/devices")
    ),
    Feature("Alerts and activities", scopes.MONITORING, ("/v2/activities",)),
    Feature("Software and patches", scopes.MONITORING, ("/v2/queries/software", "/v2/queries/os-patches")),
    Feature("List scripts", scopes.MONITORING, ("/v2/automation/scripts",)),
    Feature("Resetting alerts", scopes.MANAGEMENT),
    Feature("Running scripts", scopes.MANAGEMENT),
    Feature("Reboot", scopes.MANAGEMENT),
    Feature("Maintenance", scopes.MANAGEMENT),
    Feature("Webhook", scopes.MANAGEMENT, administrator=True),
    Feature("Remote access", scopes.CONTROL),
)


def behind(scope: str) -> str:
    """The features that a scope opens, for the middle of a sentence."""
    names = [f.name[:1].lower() + f.name[1:] for f in FEATURES if f.scope == scope]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
