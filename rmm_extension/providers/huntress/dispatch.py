"""Which function does which action."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rmm_extension.domain.actions import ActionContext, Order, Outcome
from rmm_extension.providers.huntress import action_specs as specs
from rmm_extension.providers.huntress import actions
from rmm_extension.providers.huntress.client import HuntressClient

Do = Callable[[HuntressClient, Order, ActionContext, str], Outcome]
"""The last is the subdomain of the account's portal."""


def _alone(do: Callable[[HuntressClient, Order], Outcome]) -> Do:
    return lambda client, order, _, __: do(client, order)


DOING: Mapping[str, Do] = {
    specs.FIND.id: _alone(actions.find_incidents),
    specs.GET.id: lambda client, order, _, subdomain: actions.get_incident(client, order, subdomain),
    specs.RESOLVE.id: actions.resolve_incident,
    specs.ORGANIZATIONS.id: _alone(actions.list_organizations),
    specs.AGENT.id: _alone(actions.get_agent),
    specs.ISOLATE.id: _alone(actions.isolate),
    specs.RELEASE.id: _alone(actions.release),
    specs.ACCOUNT.id: lambda client, _, __, ___: actions.get_account(client),
}
