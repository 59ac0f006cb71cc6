"""A ticket's words before there is a ticket, and patterns against a sample."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from rmm_extension.domain.ticket_text import PLACEHOLDERS
from rmm_extension.services import rule_preview
from rmm_extension.services.rule_preview import PatternTry, Preview, try_pattern
from rmm_extension.services.rules import RuleDraft, RuleInvalid
from tests.harness.world import World
from tests.services.ingest.incidents import REPORT, SUBJECT, incident, take

TEMPLATES = {
    "titleTemplate": "[{{ severity }}] {{device}}: {{ nothing }}",
    "descriptionTemplate": "{{ client }} / {{organization}} by {{ rule }}\n{{ link }}",
}


def previewed(world: World, draft: RuleDraft, alert_id: UUID | None = None) -> Preview | None:
    with world.unit() as session:
        return rule_preview.preview(world.rmm, session, world.tenant, world.integration_id, draft, alert_id)


@pytest.mark.parametrize("actions", [{}, {"ticketTemplate": TEMPLATES}])
def test_it_is_what_the_ticket_says(world: World, actions: dict[str, object]) -> None:
    world.do("DELETE FROM rmm_alert_rules")
    world.device()
    world.add_rule(0, **actions)
    assert world.post().json["outcome"] == "ticket_created"
    (ticket,) = world.tickets()
    found = previewed(world, RuleDraft("Rule 0", actions=actions), world.alert()["id"])
    assert found is not None
    assert (found.title, found.description) == (ticket["title"], ticket["description"])
    assert (found.matches, found.alert.alert_id) == (True, world.alert()["id"])


def test_why_it_matches_or_does_not(world: World) -> None:
    world.post()
    hit = previewed(world, RuleDraft("Bad", conditions={"severities": ["critical"]}))
    miss = previewed(world, RuleDraft("Disks", conditions={"keywords": ["disk"]}))
    assert hit is not None
    assert miss is not None
    assert (hit.matches, hit.reason) == (True, "Rule “Bad” matched: severity critical.")
    assert miss.matches is False
    assert miss.reason == "Rule “Disks” skipped: the message has none of the keywords disk."


def test_without_a_choice_it_is_the_newest_alert(world: World) -> None:
    world.post(world.body(1, alert_time="2026-11-21 02:00:00+00:00"))
    world.post(world.body(2, alert_time="2026-11-21 02:30:00+00:00"))
    found = previewed(world, RuleDraft("Any"))
    assert found is not None
    assert found.alert.alert_id == world.alert(2)["id"]


def test_each_placeholder_says_what_it_is_for_this_alert(world: World) -> None:
    world.device()
    world.post()
    found = previewed(world, RuleDraft("Any"))
    assert found is not None
    assert found.placeholders.keys() == PLACEHOLDERS.keys()
    assert (found.placeholders["device"], found.placeholders["rule"]) == ("SERVER-01", "Any")


def test_there_is_none_without_an_alert_of_this_connection(world: World) -> None:
    assert previewed(world, RuleDraft("Any")) is None
    assert previewed(world, RuleDraft("Any"), uuid4()) is None
    other = World(world.app).connect(name="Second")
    other.post()
    assert previewed(world, RuleDraft("Any"), other.alert()["id"]) is None


def test_a_draft_that_could_not_be_kept_is_refused(world: World) -> None:
    with pytest.raises(RuleInvalid):
        previewed(world, RuleDraft("", actions={"ticketTemplate": {"titleTemplate": " "}}))


def test_it_writes_nothing(world: World, statement_counter: type) -> None:
    world.post()
    with statement_counter() as sent:
        previewed(world, RuleDraft("Any", actions={"ticketTemplate": TEMPLATES}))
    assert sent.writes == 0, sent


@pytest.mark.parametrize(
    "pattern, sample, expected",
    [
        ("9[0-9]%", "Disk C: is at 95% capacity", PatternTry(True, True, None)),
        ("disk", "Disk C:", PatternTry(True, False, None)),
        ("(?i)disk", "Disk C:", PatternTry(True, True, None)),
        ("^$", "", PatternTry(True, True, None)),
        (" ", "x", PatternTry(False, False, "Give a pattern.")),
        ("x" * 1001, "x", PatternTry(False, False, "This is too long: at most 1,000 characters.")),
        ("(", "x", PatternTry(False, False, "Not a valid pattern: a closing ) is missing (at “(”).")),
        (
            "a\ud800",
            "x",
            PatternTry(False, False, "This pattern has half a character in it that no text can contain."),
        ),
    ],
)
def test_patterns_are_tried(pattern: str, sample: str, expected: PatternTry) -> None:
    assert try_pattern(pattern, sample) == expected


def test_looking_around_is_refused_in_words() -> None:
    error = try_pattern(r"(?<!no )disk", "disk").error
    assert error is not None
    assert "Look-ahead, look-behind and back-references are not supported" in error


def test_a_pattern_that_would_explode_elsewhere_answers_here() -> None:
    assert try_pattern("^(a+)+$", "a" * 100_000 + "b") == PatternTry(True, False, None)


@pytest.mark.parametrize("is_mapped, mark", [(True, ""), (False, "[Unmapped Org] ")])
def test_the_vendors_words_and_where_the_ticket_would_go(world: World, is_mapped: bool, mark: str) -> None:
    if not is_mapped:
        world.do("UPDATE rmm_organization_mappings SET client_id = NULL")
    take(world, incident())
    draft = RuleDraft(name="Routed", actions={"useRouting": True})
    found = previewed(world, draft)
    assert found is not None
    assert found.title == f"[Tactical RMM] {mark}{SUBJECT}"
    assert found.description.endswith(REPORT)
