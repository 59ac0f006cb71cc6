"""Commands every vendor's control page has: faults, counters and the request log."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from flask import request

from simulators.common.control import Control, fields
from simulators.common.misbehaviour import Fault, Misbehaviours

NUMBERS = {"count": int, "seconds": float, "status": int, "after": int}
TEXTS = ("mode", "prefix", "retry_after", "body", "location")


def add_server_commands(control: Control) -> None:
    """Register them."""

    def lab() -> Any:
        return control.lab()

    @control.query("/api/misbehaviour")
    def list_faults() -> Any:
        """Faults in force."""
        faults: Misbehaviours = lab().misbehaviours
        return faults.listing()

    @control.command("/api/misbehaviour")
    def add_fault() -> Any:
        """{"mode"} and any other field of a Fault."""
        data = fields()
        given = {name: data[name] for name in (*TEXTS, *NUMBERS) if name in data}
        for name, cast in NUMBERS.items():
            if given.get(name) is not None:
                given[name] = cast(given[name])
        lab().misbehaviours.add(Fault(**given))
        return lab().misbehaviours.listing()

    @control.command("/api/misbehaviour/clear")
    def clear_faults() -> Any:
        """{"prefix"?}: lift all faults, or those of one prefix."""
        lab().misbehaviours.clear(fields().get("prefix"))
        return lab().misbehaviours.listing()

    @control.query("/api/counters")
    def counters() -> Any:
        """`METHOD /path` -> number of requests; ?prefix= keeps the paths that start with it."""
        prefix = request.args.get("prefix", "/")
        counted: Counter[str] = lab().counters
        return {key: count for key, count in counted.items() if key.partition(" ")[2].startswith(prefix)}

    @control.command("/api/counters/reset")
    def reset_counters() -> Any:
        """Forget counters and request log."""
        with lab().lock:
            lab().counters.clear()
            lab().requests.clear()
        return {}

    @control.query("/api/requests")
    def request_log() -> Any:
        """The latest requests, oldest first."""
        kept: deque[dict[str, Any]] = lab().requests
        return list(kept)
