"""Automations that run."""

from __future__ import annotations

from typing import Any

from simulators.levelio.lab import Lab
from simulators.levelio.models import Run


def start(lab: Lab, automation_id: str, device_ids: list[str], parameters: dict[str, Any]) -> list[Run]:
    """One run for each device, or one without a device."""
    targets: list[str | None] = [*device_ids] or [None]
    started = [
        Run(lab.next_number("AutomationRun"), automation_id, target, lab.now(), parameters)
        for target in targets
    ]
    for run in started:
        lab.runs[run.id] = run
        if lab.settings.runs == "instant":
            finish(lab, run)
    return started


def finish(lab: Lab, run: Run, status: str | None = None) -> None:
    """It is over."""
    run.status, run.ended = status or lab.settings.run_status, lab.now()
