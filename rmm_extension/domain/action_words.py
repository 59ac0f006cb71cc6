"""Actions in words: their states, and the note on the ticket an action was asked from."""

from __future__ import annotations

from .actions import ActionState, Outcome, kept_output

NOTE_OUTPUT = 4000
"""Characters of output in a ticket's note."""

STATES = {
    ActionState.QUEUED: "waiting",
    ActionState.RUNNING: "running",
    ActionState.SUCCEEDED: "succeeded",
    ActionState.FAILED: "failed",
    ActionState.REQUESTED: "requested",
    ActionState.UNKNOWN: "outcome unknown",
    ActionState.CANCELLED: "called off",
}
"""Every state in a word or two."""


def note(actor: str, label: str, device: str, outcome: Outcome) -> str:
    """The internal note: who had what done where, what came of it, and the output."""
    where = f" on {device}" if device else ""
    lines = [f"{label}{where}: {STATES[outcome.state]}. Asked for by {actor}.", outcome.message]
    output = (outcome.output or {}).get("output")
    if isinstance(output, str) and output.strip():
        text, is_cut = kept_output(output.strip(), NOTE_OUTPUT)
        lines += [
            "",
            "Output (shortened; the action's page has all that is kept):" if is_cut else "Output:",
            text,
        ]
    return "\n".join(lines)
