"""How values look: times, names, numbers. What the templates use beyond Jinja's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Flask, request, url_for
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from rmm_extension.domain import platforms
from rmm_extension.domain.connection_states import standing, troubles, works
from rmm_extension.domain.labels import provider_label
from rmm_extension.domain.story import attention, heading, outcome_words, sentences, unfollowed
from rmm_extension.domain.window_words import times
from rmm_extension.services.runs import label as run_label

from .charts import Column, Share
from .context import allows, current_rmm
from .zones import zones

_STEPS = ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (60 * 86400, 86400, "d"))
_MONTH = 30.44 * 86400


def add_to(app: Flask) -> None:
    """Add filters and globals; all are named ``rmm_…`` so that they meet none of the host's."""
    app.jinja_env.filters.update(
        rmm_ago=ago,
        rmm_moment=to_the_minute,
        rmm_second=to_the_second,
        rmm_duration=duration,
        rmm_day=day_row,
        rmm_pair=share_row,
        rmm_span=span,
        rmm_words=words,
        rmm_number=number,
        rmm_provider=provider_label,
        rmm_attention=attention,
        rmm_changes=change_lines,
        rmm_counts=counts_in_order,
        rmm_sentences=sentences,
        rmm_outcome=outcome_words,
        rmm_unfollowed=unfollowed,
        rmm_heading=heading,
        rmm_run=run_label,
        rmm_window=times,
        rmm_standing=standing,
    )
    app.jinja_env.tests.update(rmm_working=works, rmm_troubled=troubles)
    app.jinja_env.globals.update(
        rmm_may=allows,
        rmm_csrf_token=generate_csrf,
        rmm_host_url=host_url,
        rmm_link=link,
        rmm_once=Once,
        rmm_here=here,
        rmm_query=query,
        rmm_connection=connection_label,
        rmm_zones=zones,
    )


def moment(value: datetime | None) -> str:
    """The instant to the minute, with its zone."""
    return f"{value.astimezone(UTC):%d %b %Y, %H:%M} UTC" if value else "–"


def to_the_minute(value: datetime | None) -> Markup | str:
    """The same as an element of a page; a script adds the reader's own time."""
    return _time(value, moment(value)) if value else moment(value)


def to_the_second(value: datetime) -> Markup:
    """As an element of a page, where the order of things matters."""
    return _time(value, f"{value.astimezone(UTC):%d %b %Y, %H:%M:%S} UTC")


def _time(value: datetime, shown: str, title: str = "") -> Markup:
    # Only digits and our own words: nothing here needs escaping, and Markup.format is slow in long lists.
    titled = f' title="{title}"' if title else ""
    return Markup(f'<time datetime="{value.isoformat()}"{titled}>{shown}</time>')  # noqa: S704


def ago(value: datetime | None, absent: str = "never") -> Markup | str:
    """How long ago, with the exact time in the title."""
    if value is None:
        return absent
    seconds = (datetime.now(UTC) - value).total_seconds()
    return _time(value, _distance(seconds), moment(value))


def span(value: datetime | None) -> str:
    """How long something lasts since an instant: “3 h”."""
    return _length(abs((datetime.now(UTC) - value).total_seconds())) if value else "an unknown time"


def duration(value: timedelta) -> str:
    """How long something took: “3 h”."""
    return _length(value.total_seconds())


def day_row(column: Column) -> tuple[str, str, str]:
    """A day of a chart as a row of its table."""
    return f"{column.day:%a %d %b %Y}", number(column.alerts), number(column.tickets)


def share_row(share: Share) -> tuple[str, str]:
    """A part of a chart as a row of its table."""
    return share.label, number(share.value)


def _distance(seconds: float) -> str:
    if abs(seconds) < 5:
        return "just now"
    return f"{_length(seconds)} ago" if seconds > 0 else f"in {_length(-seconds)}"


def _length(seconds: float) -> str:
    for limit, unit, name in _STEPS:
        if seconds < limit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds // _MONTH)} months"


def words(value: Any) -> str:
    """A stored word as a person reads it; ids the vendors write keep their form."""
    if value is None or value == "":
        return "–"
    return _WORDS.get(str(value)) or str(value).replace("_", " ").capitalize()


_WORDS = {
    "auto_resolved": "Auto-resolved",
    "network_device": "Network device",
    "mobile_device": "Mobile device",
    "os_type": "Operating system",
    "os_version": "OS version",
    "lan_ip": "LAN address",
    "wan_ip": "WAN address",
    "cpu_model": "CPU",
    "memory_gb": "Memory (GB)",
    "boot_at": "Started",
    "macs": "MAC addresses",
    "needs_reauth": "Sign-in expired",
    "not_connected": "Not connected",
    **platforms.LABELS,
}


def connection_label(provider: str, name: str) -> str:
    """Vendor and name of a connection; the vendor alone is not said twice."""
    vendor = provider_label(provider)
    return name if name.startswith(vendor) else f"{vendor} · {name}"


_COUNTS = ("processed", "created", "adopted", "updated", "unchanged", "moved", "returned", "missing")


def counts_in_order(counts: Mapping[str, Any]) -> list[tuple[str, int]]:
    """What a run counted, the usual counts first; what did not happen is left out, but for the first."""
    names = [*_COUNTS, *sorted(set(counts) - set(_COUNTS))]
    shown = [name for name in names if counts.get(name) or (name == "processed" and name in counts)]
    return [(words(name), counts[name]) for name in shown]


def change_lines(changes: Mapping[str, Any] | None) -> list[str]:
    """An audit row's changes, one line each: from and to, a list, or a value; none of what is empty."""
    told = {key: value for key, value in (changes or {}).items() if value not in (None, "", {}, [])}
    return [f"{_key(key)}: {_change(value)}" for key, value in told.items()]


def _key(key: str) -> str:
    """A setting's name in words; anything else, such as an organization's name, stays as it is."""
    if not re.fullmatch(r"[a-z]+([A-Z_][a-zA-Z]*)*", key):
        return key
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", key).capitalize()


def _change(value: Any) -> str:
    if isinstance(value, list) and len(value) == 2 and value[0] is None:
        return _plain(value[1])
    if isinstance(value, list) and len(value) == 2:
        return f"{_plain(value[0])} → {_plain(value[1])}"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_key(key).lower()} {_plain(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _WORDS.get(str(value), str(value)) if value not in (None, "") else "nothing"


def number(value: int, cap: int | None = None) -> str:
    """Thousands apart; a count that reached its cap reads “1,000+”."""
    return f"{cap:,}+" if cap is not None and value > cap else f"{value:,}"


def host_url(kind: str, id_: str | None) -> str | None:
    """Path of the host's page of a ticket, asset or client; ``None`` when the host has none."""
    urls = current_rmm().host.urls
    if urls is None or not id_:
        return None
    return str(getattr(urls, kind)(id_))


def link(kind: str, id_: str | None, label: str | None = None) -> Markup:
    """A link to the host's page, or the words alone where it has none."""
    words_ = escape(label or id_ or "–")
    url = host_url(kind, id_)
    return Markup(f'<a href="{escape(url)}">{words_}</a>') if url else words_  # noqa: S704 - escaped above


class Once(dict[str, Markup]):
    """What a macro draws, by its only argument, drawn once each: for what stands in every row of a list."""

    def __init__(self, draw: Callable[[str], Markup]) -> None:
        super().__init__()
        self._draw = draw

    def __missing__(self, value: str) -> Markup:
        drawn = self[value] = self._draw(value)
        return drawn


def here(**changes: Any) -> str:
    """This page's address with other query parameters; ``None`` takes one away."""
    return url_for(request.endpoint or "", **(request.view_args or {})) + query(**changes)


def query(**changes: Any) -> str:
    """The page's query with changes, its question mark in front. Written out here, because ``url_for`` takes
    some names of parameters, such as ``_scheme``, for its own."""
    wanted = {**request.args.to_dict(), **changes}
    kept = {key: value for key, value in wanted.items() if value not in (None, "")}
    return f"?{urlencode(kept)}" if kept else ""
