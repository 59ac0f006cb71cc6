"""Which function does which action."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from rmm_extension.domain.actions import ActionContext, Order, Outcome
from rmm_extension.providers.ninjaone import action_specs as specs
from rmm_extension.providers.ninjaone import actions, lookups
from rmm_extension.providers.ninjaone.client import NinjaOneClient

Do = Callable[[NinjaOneClient, Order, ActionContext], Outcome]


def _on_device(do: Callable[[NinjaOneClient, Order], Outcome]) -> Do:
    return lambda client, order, _: actions.in_words(partial(do, client, order), order.device)


DOING: Mapping[str, Do] = {
    specs.FIND.id: lookups.find_devices,
    specs.SYNC.id: lambda _, order, context: actions.sync(order, context),
    specs.REBOOT.id: _on_device(actions.reboot),
    specs.OPTIONS.id: _on_device(actions.scripting_options),
    specs.RUN_SCRIPT.id: _on_device(actions.run_script),
    specs.SET_MAINTENANCE.id: _on_device(actions.set_maintenance),
    specs.END_MAINTENANCE.id: _on_device(actions.end_maintenance),
    specs.LIST_ALERTS.id: lookups.list_alerts,
    specs.GET_ALERT.id: lambda _, order, context: lookups.get_alert(order, context),
    specs.RESET_ALERT.id: lookups.reset_alert,
}
