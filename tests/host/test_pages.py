"""The PSA's pages, over HTTP."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from reference_psa.db import db
from reference_psa.models import Asset, Comment, Contact, Notification, Tenant, Ticket
from reference_psa.seed_data import HARBOR
from tests.host.conftest import SignIn, send
from tests.host.names import CLIENT, NAS, OPEN_TICKET, SECOND, TENANT, known, status

PAGES = (
    "/",
    "/tickets",
    f"/tickets/{OPEN_TICKET}",
    "/clients",
    f"/clients/{CLIENT}",
    "/assets",
    f"/assets/{NAS}",
    "/dispatch",
    "/calendar",
    "/notifications",
    "/notifications/preferences",
)
TICKET_FORMS = ("/tickets/new", "/assets/new", f"/assets/{NAS}/edit")
CLIENT_FORMS = ("/clients/new", f"/clients/{CLIENT}/edit", f"/clients/{CLIENT}/contacts/new")
SETTINGS = ("/settings", "/settings/integrations", "/settings/integrations/calendar")
OPEN_TO = {
    "admin": (*PAGES, *TICKET_FORMS, *CLIENT_FORMS, *SETTINGS),
    "dispatcher": (*PAGES, *TICKET_FORMS, *CLIENT_FORMS),
    "technician": (*PAGES, *TICKET_FORMS),
    "read_only": PAGES,
}


@pytest.mark.parametrize("role", OPEN_TO)
def test_what_each_role_can_open(sign_in: SignIn, role: str) -> None:
    client = sign_in(role)
    for page in OPEN_TO["admin"]:
        expected = 200 if page in OPEN_TO[role] else 403
        assert client.get(page).status_code == expected, page


def test_without_a_session_everything_leads_to_signing_in(app: Flask) -> None:
    client = app.test_client()
    for page in (*OPEN_TO["admin"], "/nowhere", "/rmm/"):
        answer = client.get(page)
        assert (answer.status_code, answer.location.split("?")[0]) == (302, "/login"), page
    assert client.get("/healthz").status_code == 200
    with client.get("/static/psa/psa.css") as style:
        assert style.status_code == 200


def test_every_route_of_the_psa_is_behind_the_wall(app: Flask) -> None:
    client = app.test_client()
    public = {"auth.login", "health.healthz", "calendar.feed"}
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.partition(".")[0]
        if rule.endpoint in public or rule.endpoint.endswith("static") or blueprint.startswith("rmm"):
            continue
        path = rule.rule.replace("<", "").replace(">", "")
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        assert client.open(path, method=method).status_code in (302, 400), rule


def test_a_program_without_a_session_is_told_so(app: Flask) -> None:
    answer = app.test_client().get("/api/nothing")
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")


@pytest.mark.parametrize(
    "target, leads_to",
    [
        ("/tickets?q=a", "/tickets?q=a"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil", "/"),
    ],
)
def test_signing_in_leads_only_to_our_pages(app: Flask, target: str, leads_to: str) -> None:
    client = app.test_client()
    page = client.get("/login").text
    csrf = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    fields = {"email": "ADMIN@northbeam.example", "password": "demo-Password-1", "csrf_token": csrf}
    assert client.post("/login", query_string={"next": target}, data=fields).location == leads_to


def test_a_wrong_password_says_so_and_keeps_no_session(app: Flask) -> None:
    client = app.test_client()
    wrong = {"page": "/login", "email": "admin@northbeam.example", "password": "no"}
    assert send(client, "/login", **wrong) == 422
    assert client.get("/").status_code == 302


def test_headers_and_the_session_cookie(app: Flask) -> None:
    answer = app.test_client().get("/login")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_no_page_has_script_or_style_of_its_own(sign_in: SignIn) -> None:
    client = sign_in()
    for page in OPEN_TO["admin"]:
        text = client.get(page).text
        assert " style=" not in text, page
        assert "<style" not in text, page
        assert all(part.lstrip().startswith("src=") for part in text.split("<script")[1:]), page
        assert not any(f" on{event}=" in text for event in ("click", "load", "submit", "change")), page


def test_a_form_without_its_token_is_refused(sign_in: SignIn) -> None:
    answer = sign_in().post(f"/tickets/{OPEN_TICKET}/comment", data={"body": "No token"})
    assert answer.status_code == 400
    assert "out of date" in answer.text


def test_another_tenants_things_are_not_found(sign_in: SignIn) -> None:
    client = sign_in(tenant=HARBOR)
    for page in (f"/tickets/{OPEN_TICKET}", f"/clients/{CLIENT}", f"/assets/{NAS}", f"/assets/{NAS}/edit"):
        assert client.get(page).status_code == 404, page
    assert "Harbour Dental Care" not in client.get("/clients").text
    assert send(client, f"/tickets/{OPEN_TICKET}/comment", page="/clients/new", body="Hm") == 404


def test_a_read_only_user_changes_nothing(sign_in: SignIn) -> None:
    client = sign_in("read_only")
    for url in (
        f"/tickets/{OPEN_TICKET}/comment",
        f"/tickets/{OPEN_TICKET}/close",
        "/dispatch",
        "/settings/boards",
    ):
        assert send(client, url, page="/") == 403, url


def test_a_new_ticket_is_made_once(app: Flask, sign_in: SignIn) -> None:
    client, title = sign_in("technician"), "Keyboard sticks"
    fields = {"draft": "d1", "title": title, "client_id": CLIENT, "board_id": known("boards", "Service desk")}
    for _ in range(2):
        assert send(client, "/tickets/new", page="/tickets/new", **fields) == 302
    with app.app_context():
        ticket = db.session.scalars(select(Ticket).where(Ticket.title == title)).one()
        assert (ticket.source, ticket.created_by) == ("manual", known("users", "tech@northbeam.example"))
        assert ticket.contact_id == known("contacts", "Harbour Dental Care/Nadia Brook")


def test_a_form_says_what_is_missing(sign_in: SignIn) -> None:
    client = sign_in()
    assert send(client, "/tickets/new", page="/tickets/new", title="") == 422
    assert send(client, f"/tickets/{OPEN_TICKET}/time", page=f"/tickets/{OPEN_TICKET}", minutes="x") == 422


def test_work_on_a_ticket_is_on_its_timeline(app: Flask, sign_in: SignIn) -> None:
    client, page = sign_in("technician"), f"/tickets/{OPEN_TICKET}"
    text = "<b>Restarted</b> the access point"
    assert send(client, f"{page}/comment", page=page, body=text, audience="public") == 302
    assert send(client, f"{page}/time", page=page, minutes=15, note="On site") == 302
    shown = client.get(page).text
    assert "&lt;b&gt;Restarted" in shown
    assert "15 min: On site" in shown
    with app.app_context():
        assert (
            not db.session.scalars(select(Comment).where(Comment.ticket_id == OPEN_TICKET)).one().is_internal
        )


def test_closing_tells_the_extension_in_the_same_transaction(app: Flask, sign_in: SignIn) -> None:
    client, page = sign_in("technician"), f"/tickets/{OPEN_TICKET}"
    assert send(client, f"{page}/close", page=page, status_id=status("Resolved"), comment="Fixed") == 302
    with app.app_context():
        ticket = db.session.get_one(Ticket, (TENANT, OPEN_TICKET))
        assert (ticket.is_open, ticket.closed_by) == (False, known("users", "tech@northbeam.example"))
        assert db.session.execute(db.text("SELECT count(*) FROM rmm_outbox")).scalar() == 1


def test_a_closing_status_closes_and_an_open_one_reopens(app: Flask, sign_in: SignIn) -> None:
    client, page = sign_in(), f"/tickets/{OPEN_TICKET}"
    usual = {"priority_id": "", "assignee_id": "", "board_id": known("boards", "Service desk")}
    for name, is_open in (("Closed", False), ("In progress", True)):
        assert send(client, f"{page}/edit", page=page, status_id=status(name), **usual) == 302
        with app.app_context():
            assert db.session.get_one(Ticket, (TENANT, OPEN_TICKET)).is_open is is_open


def test_a_ticket_keeps_an_assignee_who_takes_no_more_work(app: Flask, sign_in: SignIn) -> None:
    reader = known("users", "viewer@northbeam.example")
    with app.app_context():
        db.session.get_one(Ticket, (TENANT, OPEN_TICKET)).assignee_id = reader
        db.session.commit()
    client, page = sign_in(), f"/tickets/{OPEN_TICKET}"
    assert f'selected value="{reader}"' in client.get(page).text
    assert reader not in client.get("/tickets/new").text


@pytest.mark.parametrize(
    "query, found",
    [
        ("q=wi-fi", True),
        ("q=Blue+Finch", True),
        ("assignee=none", True),
        ("assignee=me", False),
        ("state=closed", False),
        ("board=nothing", False),
        ("q=T-1005&state=all", True),
        ("q=%25%25", False),
    ],
)
def test_filters_of_the_ticket_list(sign_in: SignIn, query: str, found: bool) -> None:
    assert (OPEN_TICKET in sign_in().get(f"/tickets?{query}").text) is found


def test_a_deleted_contact_is_forgotten_everywhere(app: Flask, sign_in: SignIn) -> None:
    url = f"/clients/{CLIENT}/contacts/{SECOND}/delete"
    assert send(sign_in("dispatcher"), url, page=f"/clients/{CLIENT}") == 302
    with app.app_context():
        assert db.session.get(Contact, (TENANT, SECOND)) is None


def test_two_clients_cannot_share_a_name(sign_in: SignIn) -> None:
    client = sign_in()
    assert send(client, "/clients/new", page="/clients/new", name="harbour dental care") == 422
    assert send(client, "/clients/new", page="/clients/new", name="Fresh Ltd.") == 302


def test_a_kept_field_can_be_given_back_to_the_rmm(app: Flask, sign_in: SignIn) -> None:
    with app.app_context():
        asset = db.session.get_one(Asset, (TENANT, NAS))
        asset.kept_fields, asset.review = ["location"], {"location": "Rack 2"}
        db.session.commit()
    client, page = sign_in("technician"), f"/assets/{NAS}"
    assert "Rack 2" in client.get(page).text
    assert send(client, f"{page}/take/location", page=page) == 302
    with app.app_context():
        asset = db.session.get_one(Asset, (TENANT, NAS))
        assert (asset.location, asset.kept_fields, asset.review) == ("Rack 2", [], {})


def test_editing_an_asset_is_in_its_history(sign_in: SignIn) -> None:
    client, page = sign_in("technician"), f"/assets/{NAS}"
    fields = {"name": "HDC-NAS-2", "client_id": CLIENT, "asset_type": "server", "status": "active"}
    assert send(client, f"{page}/edit", page=f"{page}/edit", **fields, kept_fields="name") == 302
    assert "HDC-NAS → HDC-NAS-2" in client.get(page).text


def test_booking_somebody(sign_in: SignIn) -> None:
    client = sign_in("dispatcher")
    who = known("users", "tech@northbeam.example")
    when = {"user_ids": who, "day": "2030-05-06", "start": "09:30", "minutes": 45}
    assert send(client, "/dispatch", page="/dispatch", **when, ticket="T-1005") == 302
    shown = client.get("/dispatch?day=2030-05-06").text
    assert "09:30–10:15" in shown
    assert "Wi-Fi drops in the waiting room" in shown
    assert send(client, "/dispatch", page="/dispatch", **when, ticket="T-9999") == 422
    assert send(client, "/dispatch", page="/dispatch", **when) == 422


def test_notifications_are_read(app: Flask, sign_in: SignIn) -> None:
    who = known("users", "tech@northbeam.example")
    with app.app_context():
        told = {"category": "rmm", "level": "error", "title": "Disk full", "idempotency_key": "1"}
        db.session.add(Notification(tenant_id=TENANT, user_id=who, **told))
        db.session.commit()
    client = sign_in("technician")
    assert "Notifications, 1 unread" in client.get("/").text
    assert send(client, "/notifications/read", page="/notifications") == 302
    assert "Notifications, 0 unread" in client.get("/").text


def test_settings_change_the_catalog(sign_in: SignIn) -> None:
    client = sign_in()
    assert send(client, "/settings/boards", page="/settings", name="Onboarding") == 302
    assert send(client, "/settings/priorities", page="/settings", name="Someday") == 302
    projects = known("boards", "Projects")
    assert send(client, f"/settings/boards/{projects}/statuses", page="/settings", name="Planned") == 302
    assert send(client, f"/settings/boards/{projects}/default", page="/settings") == 302
    shown = client.get("/settings").text
    assert all(word in shown for word in ("Onboarding", "Someday", "Planned", "New tickets go to Projects."))


def test_suspending_the_tenant(app: Flask, sign_in: SignIn) -> None:
    client = sign_in()
    assert send(client, "/settings/tenant/active", page="/settings") == 302
    assert "This tenant is suspended" in client.get("/").text
    with app.app_context():
        assert not db.session.get_one(Tenant, TENANT).is_active
