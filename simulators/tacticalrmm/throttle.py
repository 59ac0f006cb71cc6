"""Throttle of the two login addresses: 10 a minute and 300 a day each, per client address."""

from __future__ import annotations

import math

from simulators.tacticalrmm.lab import Lab
from simulators.tacticalrmm.replies import ApiError

LIMITS = ((10, 60.0), (300, 86400.0))


def throttle(lab: Lab, scope: str, address: str) -> None:
    """Count a call, or refuse it with a 429. Refused calls are not counted; successful ones are."""
    now = lab.clock.timestamp()
    hits = [hit for hit in lab.throttle_hits.get((scope, address), []) if now - hit < 86400]
    lab.throttle_hits[(scope, address)] = hits
    for limit, window in LIMITS:
        recent = [hit for hit in hits if now - hit < window]
        if len(recent) >= limit:
            raise _refusal(math.ceil(window - (now - recent[-limit])))
    hits.append(now)


def _refusal(seconds: int) -> ApiError:
    detail = f"Request was throttled. Expected available in {seconds} seconds."
    return ApiError(429, {"detail": detail}, {"Retry-After": str(seconds)})
