"""Which function does which action."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rmm_extension.domain.actions import ActionContext, Order, Outcome
from rmm_extension.providers.tacticalrmm import action_specs as specs
from rmm_extension.providers.tacticalrmm import actions, lookups
from rmm_extension.providers.tacticalrmm.client import TacticalClient

Do = Callable[[TacticalClient, Order, ActionContext], Outcome]

DOING: Mapping[str, Do] = {
    specs.RUN_SCRIPT.id: lambda client, order, _: actions.run_script(client, order),
    specs.RUN_COMMAND.id: lambda client, order, _: actions.run_command(client, order),
    specs.REBOOT.id: lambda client, order, _: actions.reboot(client, order),
    specs.PING.id: lambda client, order, _: actions.ping(client, order),
    specs.FIND.id: lookups.find_agents,
    specs.GET.id: lambda client, order, _: lookups.get_agent(client, order),
    specs.LIST_SCRIPTS.id: lambda client, order, _: lookups.list_scripts(client, order),
}
