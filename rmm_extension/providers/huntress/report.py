"""The body of a ticket: what Huntress reports, in plain text, section by section.

What only further calls tell (host, all remediations) is left out where it is not known, and comes with the
alert that is fetched afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from rmm_extension.domain.values import moment, text
from rmm_extension.domain.window_words import moment_words
from rmm_extension.providers.huntress import words
from rmm_extension.providers.huntress.plain import line, plain

MOST_REMEDIATIONS = 25
"""Remediations that are listed; of more their number is told."""
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_HOST = (
    ("Hostname", "hostname"),
    ("Operating system", "os"),
    ("Internal address", "ipv4_address"),
    ("External address", "external_ip"),
    ("Serial number", "serial_number"),
)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was read beside an incident or escalation; ``subdomain`` is of the account's portal."""

    subdomain: str = ""
    agent: Mapping[str, Any] | None = None
    organization: Mapping[str, Any] | None = None
    remediations: Sequence[Any] | None = None
    is_whole: bool = False

    @property
    def hostname(self) -> str | None:
        """The host's name, where the host was read."""
        return line(self.agent.get("hostname")) if self.agent else None


def incident_report(row: Mapping[str, Any], known: Known) -> str:
    """The body of an incident's ticket."""
    sections = (
        _head(row),
        _said("Summary of Huntress's analysts", row.get("summary")),
        _host(known.agent) or _organization(row, known.organization),
        _remediations(row, known.remediations),
        _said("Details", row.get("body")),
        [f"In Huntress: {incident_page(known.subdomain, text(row.get('id')) or '')}"],
    )
    return _joined(sections)


def escalation_report(row: Mapping[str, Any], known: Known) -> str:
    """The body of an escalation's ticket."""
    sections = (
        [*_facts((("Type", line(row.get("type"))), ("Kind", line(row.get("subtype"))))), *_head(row)],
        _said("Message", row.get("message")),
        _listed("Organizations", [_named(one) for one in objects(row.get("organizations"))]),
        _listed("It is about", [_entity(one) for one in objects(_items(row.get("entities")))]),
        [f"In Huntress: {portal(known.subdomain)}/escalations"],
    )
    return _joined(sections)


def portal(subdomain: str) -> str:
    """The address of the account's portal; Huntress's own where its subdomain is not known."""
    return f"https://{subdomain}.huntress.io" if _SUBDOMAIN.fullmatch(subdomain) else "https://huntress.io"


def incident_page(subdomain: str, number: str) -> str:
    """The address of the portal's page about an incident."""
    return f"{portal(subdomain)}/incident_reports/{number}"


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of what should be a list of them."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def indicators(row: Mapping[str, Any]) -> dict[str, int | None]:
    """The kinds of indicators that were found, with their numbers; ``None`` where only the kind is told."""
    types, counts = row.get("indicator_types"), row.get("indicator_counts")
    counts = counts if isinstance(counts, Mapping) else {}
    found: dict[str, int | None] = {}
    for name, number in counts.items():
        if isinstance(number, int) and not isinstance(number, bool) and number > 0:
            found[str(name)] = number
    for name in types if isinstance(types, list) else []:
        if isinstance(name, str):
            found.setdefault(name, None)
    return found


def _head(row: Mapping[str, Any]) -> list[str]:
    severity, status, platform = (text(row.get(name)) for name in ("severity", "status", "platform"))
    reported = moment(row.get("sent_at")) or moment(row.get("created_at"))
    named = [
        words.indicator_words(name) + (f" ({number})" if number else "")
        for name, number in indicators(row).items()
    ]
    return _facts(
        (
            ("Severity", words.spoken(severity) if severity else None),
            ("Status", words.spoken(status) if status else None),
            ("Platform", words.platform_words(platform) if platform else None),
            ("Indicators", ", ".join(named) or None),
            ("Reported", f"{moment_words(reported)} UTC" if reported else None),
        )
    )


def _host(agent: Mapping[str, Any] | None) -> list[str]:
    if agent is None:
        return []
    seen = moment(agent.get("last_callback_at"))
    facts = [(label, line(agent.get(name))) for label, name in _HOST]
    facts.append(("Last heard of", f"{moment_words(seen)} UTC" if seen else None))
    return ["Host", *_facts(facts)]


def _organization(row: Mapping[str, Any], read: Mapping[str, Any] | None) -> list[str]:
    told = read if read is not None else row.get("organization")
    name = line(told.get("name")) if isinstance(told, Mapping) else None
    return ["Organization", f"Name: {name}"] if name else []


def _remediations(row: Mapping[str, Any], read: Sequence[Any] | None) -> list[str]:
    inner = row.get("remediations")
    rows = objects(list(read) if read is not None else _items(inner))
    total = inner.get("total_count") if isinstance(inner, Mapping) else None
    total = max(len(rows), total) if isinstance(total, int) and read is None else len(rows)
    if not total:
        return []
    shown = [f"- {_remediation(one)}" for one in rows[:MOST_REMEDIATIONS]]
    if total > len(shown):
        shown.append(f"- and {total - len(shown):,} more")
    return ["Remediations", *shown]


def _remediation(row: Mapping[str, Any]) -> str:
    kind, status = line(row.get("type")), line(row.get("status"))
    notes = ", ".join(filter(None, (kind, status)))
    what = line(row.get("action")) or "Remediation"
    given = "; ".join(_parameters(row.get("parameters")))
    return what + (f" ({notes})" if notes else "") + (f": {given}" if given else "")


def _parameters(value: Any) -> Iterator[str]:
    """The parameters of an assisted remediation, or the text of a containment."""
    if isinstance(value, str):
        yield from filter(None, (line(value),))
    for one in objects(value)[:10]:
        name, said = line(one.get("name")), line(one.get("description") or one.get("value"))
        if said:
            yield f"{name} {said}" if name else said


def _entity(row: Mapping[str, Any]) -> str | None:
    details = row.get("details")
    details = details if isinstance(details, Mapping) else {}
    name = next((found for key in ("hostname", "name", "email") if (found := line(details.get(key)))), None)
    kind = line(row.get("type"))
    return " ".join(filter(None, (kind, name or text(row.get("id"))))) or None


def _named(row: Mapping[str, Any]) -> str | None:
    return line(row.get("name")) or text(row.get("id"))


def _items(value: Any) -> Any:
    return value.get("items") if isinstance(value, Mapping) else value


def _listed(heading: str, entries: Sequence[str | None]) -> list[str]:
    known = [one for one in entries if one]
    if not known:
        return []
    more = [f"- and {len(known) - MOST_REMEDIATIONS:,} more"] if len(known) > MOST_REMEDIATIONS else []
    return [heading, *(f"- {one}" for one in known[:MOST_REMEDIATIONS]), *more]


def _said(heading: str, value: Any) -> list[str]:
    found = plain(value)
    return [heading, found] if found else []


def _facts(pairs: Sequence[tuple[str, str | None]]) -> list[str]:
    return [f"{label}: {value}" for label, value in pairs if value]


def _joined(sections: Sequence[Sequence[str]]) -> str:
    return "\n\n".join("\n".join(lines) for lines in sections if lines)
