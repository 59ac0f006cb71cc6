"""Which function does which action."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rmm_extension.domain.actions import ActionContext, Order, Outcome
from rmm_extension.providers.levelio import action_specs as specs
from rmm_extension.providers.levelio import lookups, starting
from rmm_extension.providers.levelio.client import LevelClient

Do = Callable[[LevelClient, Order, ActionContext], Outcome]

DOING: Mapping[str, Do] = {
    specs.FIND.id: lookups.find_devices,
    specs.GET.id: lambda client, order, _: lookups.get_device(client, order),
    specs.LIST_ALERTS.id: lookups.list_alerts,
    specs.RESOLVE.id: lookups.resolve_alert,
    specs.LIST_UPDATES.id: lambda client, order, _: lookups.list_updates(client, order),
    specs.LIST_AUTOMATIONS.id: lambda client, order, _: starting.list_automations(client, order),
    specs.TRIGGER.id: lambda client, order, _: starting.trigger(client, order),
    specs.RUN_STATUS.id: lambda client, order, _: starting.run_status(client, order),
}
