"""The history of an agent: the only place that tells how a script ended.

Tactical RMM 1.5.1 writes a row before it sends anything to the agent, answers with the output alone, and has
the agent report exit code and output into the row on a way of its own, which may be a moment later. The
answer does not name the row: it is known by its script or command, its time and its output.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rmm_extension.domain.errors import PermissionMissing, ProviderError
from rmm_extension.providers.reply import Reply
from rmm_extension.providers.tacticalrmm.client import TacticalClient
from rmm_extension.providers.tacticalrmm.roles import HISTORY
from rmm_extension.providers.tacticalrmm.schemas import HistoryRow, ScriptResults

PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look: the agent's report may come after its answer."""
_MARGIN = timedelta(seconds=2)
"""The ``Date`` header has whole seconds, and our stop-watch starts a little before the server's."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the history tells: the script's results, or in words why it tells nothing."""

    results: ScriptResults | None = None
    why_not: str = ""


def began(reply: Reply, seconds: float) -> datetime:
    """When the server began with a request that took so many seconds, at the latest, by its own clock."""
    return reply.moment - timedelta(seconds=seconds) - _MARGIN


def script_report(
    client: TacticalClient, agent_id: str, script_id: int, since: datetime, answer: str
) -> Report:
    """The agent's report on the script that was begun since then and gave this answer."""

    def mine(row: HistoryRow) -> bool:
        return (row.type, row.script) == ("script_run", script_id) and row.time >= since

    return _look(client, agent_id, lambda found: script_results([row for row in found if mine(row)], answer))


def printed(client: TacticalClient, agent_id: str, command: str, since: datetime, answer: str) -> bool:
    """Whether the agent itself reported this answer as the output of the command."""
    try:
        found = client.history(agent_id)
    except ProviderError:
        return False
    runs = [row for row in found if row.type == "cmd_run" and row.command == command and row.time >= since]
    return any(row.results is not None and _same(row.results, answer) for row in runs)


def script_results(runs: Sequence[HistoryRow], answer: str) -> ScriptResults | None:
    """The results among rows that may be ours: those with our output, else those of the only row."""
    told = [row.script_results for row in runs if row.script_results is not None]
    same = [one for one in told if _same(output_of(one), answer)]
    if same and len({one.retcode for one in same}) == 1:
        return same[0]
    return told[0] if len(runs) == 1 and told else None


def output_of(results: ScriptResults) -> str:
    """Both outputs, as the server's answer has them."""
    return (results.stdout or "") + (results.stderr or "")


def _look(
    client: TacticalClient, agent_id: str, find: Callable[[Sequence[HistoryRow]], ScriptResults | None]
) -> Report:
    for pause in PAUSES:
        time.sleep(pause)
        try:
            found = find(client.history(agent_id))
        except PermissionMissing:
            return Report(why_not=f"the role lacks the switch {HISTORY}")
        except ProviderError as error:
            return Report(why_not=f"the agent's history could not be read ({error})")
        if found is not None:
            return Report(found)
    return Report(why_not="the agent's history does not tell it")


def _same(one: str, other: str) -> bool:
    return one.split() == other.split()
