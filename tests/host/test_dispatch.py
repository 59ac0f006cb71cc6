"""The dispatch board and the calendars, over HTTP."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reference_psa.adapters import build_host
from reference_psa.calendar_feed import render
from reference_psa.db import db, utcnow
from reference_psa.models import ScheduledUser, ScheduleEntry, User
from reference_psa.services import scheduling
from rmm_extension.host import ScheduleDraft
from tests.host.conftest import FullHost, SignIn, send, token
from tests.host.names import ADMIN, OPEN_TICKET, TECHNICIAN, TENANT, known

SECOND_TECHNICIAN = known("users", "tech2@northbeam.example")
DAY = datetime(2030, 5, 6, tzinfo=UTC)
BOTH = [TECHNICIAN, SECOND_TECHNICIAN]


def draft(hour: float, hours: float = 1, *users: str, **more: Any) -> ScheduleDraft:
    start = DAY + timedelta(hours=hour)
    usual: dict[str, Any] = {"idempotency_key": f"{hour}/{hours}/{users}", "title": "On site"}
    end = start + timedelta(hours=hours)
    return ScheduleDraft(user_ids=users or (TECHNICIAN,), start=start, end=end, **{**usual, **more})


def book(client: FlaskClient, start: str = "09:30", **fields: Any) -> int:
    when = {"day": "2030-05-06", "start": start, "minutes": 45, "title": "On site"}
    return send(client, "/dispatch", page="/dispatch", **{**when, "user_ids": BOTH, **fields})


def shown(client: FlaskClient) -> str:
    return client.get("/dispatch?day=2030-05-06").text


# --- The board


def test_several_are_booked_by_one_entry(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("dispatcher")
    assert book(client, notes="Bring a <b>cable</b>") == 302
    page = shown(client)
    assert page.count("09:30–10:15") == 2
    assert "Bring a &lt;b&gt;cable" in page
    with app.app_context():
        entry = db.session.scalars(select(ScheduleEntry).where(ScheduleEntry.title == "On site")).one()
        assert entry.created_by == known("users", "dispatch@northbeam.example")


def test_who_has_something_is_booked_again_only_if_that_is_wanted(sign_in: SignIn) -> None:
    client = sign_in("dispatcher")
    book(client, user_ids=SECOND_TECHNICIAN)
    assert book(client, "10:00") == 422
    refused = client.post(
        "/dispatch",
        data={
            "csrf_token": token(client, "/dispatch"),
            "user_ids": BOTH,
            "day": "2030-05-06",
            "start": "10:00",
            "minutes": "45",
            "title": "Another",
        },
    ).text
    assert "Elif Aydin has “On site” then (09:30–10:15)." in refused
    assert "Overlaps" not in shown(client)
    assert book(client, "10:00", overlap="y") == 302
    assert shown(client).count("Overlaps") == 1


def test_sending_the_form_twice_books_once(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("dispatcher")
    for _ in range(2):
        assert book(client, draft="d1", overlap="y") == 302
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(ScheduleEntry.title == "On site")) == 1


def test_what_is_called_off_stays_as_such_and_is_in_nobodys_way(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("dispatcher")
    book(client)
    with app.app_context():
        entry_id = db.session.scalars(select(ScheduleEntry.id).where(ScheduleEntry.title == "On site")).one()
    assert send(client, f"/dispatch/{entry_id}/call-off", page="/dispatch") == 302
    assert shown(client).count("Called off") == 3  # on the board for both, and the message
    assert book(client) == 302


def test_only_technicians_are_offered_and_taken(sign_in: SignIn) -> None:
    client = sign_in("dispatcher")
    assert ADMIN not in client.get("/dispatch").text
    assert book(client, user_ids=ADMIN) == 422
    assert book(client, user_ids=[]) == 422


def test_an_entry_of_somebody_who_is_no_technician_any_more_is_shown(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("dispatcher")
    book(client, user_ids=SECOND_TECHNICIAN)
    with app.app_context():
        db.session.get_one(User, (TENANT, SECOND_TECHNICIAN)).role = "dispatcher"
        db.session.commit()
    assert "Elif Aydin" in shown(client)


def test_the_dashboard_shows_what_i_have_today(app: Flask, sign_in: SignIn) -> None:
    page = sign_in("technician").get("/").text
    assert "VPN does not connect from the site office" in page.split("Booked today")[1]
    assert "Wi-Fi drops" not in page.split("Booked today")[1]


def test_a_technician_may_not_book_or_call_off(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("technician")
    with app.app_context():
        entry_id = db.session.scalars(select(ScheduleEntry.id).limit(1)).one()
    for url in ("/dispatch", f"/dispatch/{entry_id}/call-off"):
        assert send(client, url, page="/calendar") == 403


# --- The port


def test_people_who_book_the_same_people_wait_for_each_other(app: Flask) -> None:
    barrier = Barrier(4)

    def at_once(number: int) -> bool:
        people = BOTH if number % 2 else BOTH[::-1]
        with app.app_context():
            session = db.session()
            barrier.wait(20)
            scheduling.hold(session, TENANT, people)
            wanted = draft(9, 1, *people, idempotency_key=str(number))
            free = not scheduling.conflicts(session, TENANT, people, wanted.start, wanted.end)
            if free:
                scheduling.book(session, TENANT, wanted)
            session.commit()
        return free

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(at_once, range(4))) == [False, False, False, True]


def test_booking_takes_few_statements(session: Session, host: FullHost, statement_counter: Any) -> None:
    people = tuple(BOTH)
    wanted = draft(9, 1, *people, link_type="ticket", link_id=OPEN_TICKET)
    with statement_counter() as sent:
        host.schedule.hold(session, TENANT, people)
        host.schedule.conflicts(session, TENANT, people, wanted.start, wanted.end)
        host.schedule.book(session, TENANT, wanted)
    assert sent.count == 5, sent


# --- Calendars


def address(client: FlaskClient) -> str:
    """A new address, as its page shows it."""
    page = client.post("/calendar", data={"csrf_token": token(client, "/calendar")}).text
    found = re.search(r'value="(http://psa.example.com/calendar/[\w-]{43}\.ics)"', page)
    assert found, page
    return found[1].removeprefix("http://psa.example.com")


def feed(app: Flask, path: str) -> str:
    """What a calendar program gets, which has no session."""
    answer = app.test_client().get(path)
    assert (answer.status_code, answer.content_type) == (200, "text/calendar; charset=utf-8")
    return answer.text.replace("\r\n ", "")


def put(app: Flask, *users: str, title: str = "On site", **more: Any) -> str:
    """Book from tomorrow on through the port, as the extension does; the entry's id."""
    start = utcnow().replace(microsecond=0) + timedelta(days=1)
    with app.app_context():
        schedule = build_host().schedule
        assert schedule is not None
        made = ScheduleDraft(
            idempotency_key=title,
            user_ids=users,
            title=title,
            start=start,
            end=start + timedelta(hours=1),
            **more,
        )
        entry_id = schedule.book(db.session(), TENANT, made)
        db.session.commit()
    return entry_id


def test_what_the_extension_books_is_in_the_technicians_calendar(app: Flask, sign_in: SignIn) -> None:
    path = address(sign_in("technician"))
    entry_id = put(app, *BOTH, notes="Gate; code 1\nRing", link_type="ticket", link_id=OPEN_TICKET)
    text = feed(app, path)
    event = next(part for part in text.split("BEGIN:VEVENT\r\n") if f"UID:{entry_id}@dispatch" in part)
    lines = event.split("\r\n")
    assert "SUMMARY:On site" in lines
    assert "DESCRIPTION:Gate\\; code 1\\nRing" in lines
    assert f"URL:http://psa.example.com/tickets/{OPEN_TICKET}" in lines
    assert {"STATUS:CONFIRMED", "SEQUENCE:0"} <= set(lines)
    with app.app_context():
        entry = db.session.get_one(ScheduleEntry, (TENANT, entry_id))
        assert f"DTSTART:{entry.starts_at.astimezone(UTC):%Y%m%dT%H%M%SZ}" in lines
        assert f"DTEND:{entry.ends_at.astimezone(UTC):%Y%m%dT%H%M%SZ}" in lines


def test_what_is_called_off_is_told_as_such(app: Flask, sign_in: SignIn) -> None:
    path, entry_id = address(sign_in("technician")), put(app, TECHNICIAN)
    with app.app_context():
        assert scheduling.call_off(db.session(), TENANT, entry_id)
        assert not scheduling.call_off(db.session(), TENANT, entry_id)
        db.session.commit()
    event = feed(app, path).split(f"UID:{entry_id}@dispatch")[1].split("END:VEVENT")[0]
    assert "STATUS:CANCELLED" in event
    assert "SEQUENCE:1" in event


def test_a_calendar_holds_nobody_elses_entries(app: Flask, sign_in: SignIn) -> None:
    path = address(sign_in("technician"))
    put(app, SECOND_TECHNICIAN, title="Not mine")
    assert "Not mine" not in feed(app, path)


def test_an_address_is_kept_as_a_hash_and_shown_once(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("technician")
    secret = address(client).removeprefix("/calendar/").removesuffix(".ics")
    assert secret not in client.get("/calendar").text
    with app.app_context():
        kept = db.session.get_one(User, (TENANT, TECHNICIAN)).calendar_hash
    assert kept
    assert secret not in kept


def test_a_new_address_ends_the_former_one(app: Flask, sign_in: SignIn) -> None:
    client = sign_in("technician")
    former, newer = address(client), address(client)
    assert app.test_client().get(former).status_code == 404
    feed(app, newer)
    assert send(client, "/calendar/delete", page="/calendar") == 302
    assert app.test_client().get(newer).status_code == 404


@pytest.mark.parametrize("path", ["/calendar/x.ics", "/calendar/.ics", f"/calendar/{'a' * 43}.ics"])
def test_a_wrong_address_finds_nothing(app: Flask, sign_in: SignIn, path: str) -> None:
    address(sign_in("technician"))
    assert app.test_client().get(path).status_code in (302, 404)


def test_who_may_not_sign_in_any_more_has_no_calendar(app: Flask, sign_in: SignIn) -> None:
    path = address(sign_in("technician"))
    with app.app_context():
        db.session.get_one(User, (TENANT, TECHNICIAN)).is_enabled = False
        db.session.commit()
    assert app.test_client().get(path).status_code == 404


def test_a_calendar_is_only_read(app: Flask, sign_in: SignIn) -> None:
    path = address(sign_in("technician"))
    for method in ("POST", "PUT", "DELETE"):
        assert app.test_client().open(path, method=method).status_code in (302, 405)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(ScheduledUser)) == 3


def test_no_title_adds_a_line_and_no_line_is_too_long() -> None:
    entry = ScheduleEntry(
        id="1",
        title="A\r\nEND:VCALENDAR\x00, B\\; " + "ü" * 100,
        starts_at=DAY,
        ends_at=DAY + timedelta(hours=1),
        changed_at=DAY,
        sequence=0,
        status="scheduled",
    )
    text = render("N\nX-EVIL:1", [(entry, None)])
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    lines = text.replace("\r\n ", "").split("\r\n")
    assert lines.count("END:VCALENDAR") == 1
    assert not any(line.startswith("X-EVIL") for line in lines)
    assert "SUMMARY:A\\nEND:VCALENDAR\\, B\\\\\\; " + "ü" * 100 in lines
