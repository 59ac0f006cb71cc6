"""What an administrator does with an action that another distribution brings, in an environment of wheels.

Run by that environment's Python with the address of a database of the reference PSA; prints what came of it
as JSON. Knows the names of the action's inputs, and nothing of how they are drawn.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import toolbox_actions
from acme_story import Psa, application
from form_browser import Form

import rmm_extension
from reference_psa.db import db

ACTION = "toolbox.things.make"
WRONG = {
    "in_name": "",
    "in_count": "eleven",
    "in_ratio": "2",
    "in_begins": "2026-03-29T02:30",
    "in_begins.zone": "Europe/Berlin",
    "in_window.start": "2026-11-22T10:00",
    "in_window.start.zone": "Europe/Nowhere",
    "in_items.0.label": "",
    "in_items.0.amount": "100",
    "in_extra": "{",
}
RIGHT: dict[str, Any] = {
    "in_name": "A <b>thing</b>",
    "in_note": "Two\r\nlines {{ as they are }}",
    "in_password": "hunter2-hunter2",
    "in_count": "3",
    "in_ratio": "0.5",
    "in_size": "l",
    "in_days": ["mo", "we"],
    "in_loud": "1",
    "in_tags": "one\r\ntwo",
    "in_begins": "2026-11-22T10:00",
    "in_begins.zone": "Europe/Berlin",
    "in_window.start": "2026-11-22T10:00",
    "in_window.start.zone": "UTC",
    "mode_window.end": "template",
    "ex_window.end": "{{ run.started_at }}",
    "in_items.0.label": "bolt",
    "in_items.0.amount": "4",
    "in_items.2.label": "nut",
    "in_items.2.amount": "1",
    "in_extra": '{"deep": [1, {"er": null}]}',
}


def filled_in(psa: Psa, step: str, typed: dict[str, Any]) -> str:
    """Open the form of the step, type, and send all that a browser would; where it leads to."""
    sent = Form(psa.browser.get(step).text).sent.to_dict(flat=False)
    return psa.post(step, **{**sent, **typed})


def sentences(psa: Psa, address: str) -> dict[str, str]:
    """What the form says is wrong, by input."""
    return Form(psa.browser.get(address).text).texts_of("-error")


def story(psa: Psa) -> dict[str, Any]:
    """Everything in its order; each step is told by what came of it."""
    told: dict[str, Any] = {"from": rmm_extension.__file__, "pack": toolbox_actions.__file__}
    made = psa.post("/rmm/workflows/new", name="Things", event="MANUAL")
    page = made.partition("?")[0].removesuffix("/trigger")
    told["offered"] = all(words in psa.page(f"{page}/palette") for words in ("Toolbox", "Make a thing"))

    revision = Form(psa.browser.get(page).text).sent["revision"]
    step = psa.post(f"{page}/steps", action=ACTION, revision=revision).partition("?")[0]
    form = Form(psa.browser.get(step).text)
    told["not drawn"] = [name for name in [*WRONG, *RIGHT] if name.startswith("in_") and name not in form.ids]
    told["wrong"] = sentences(psa, filled_in(psa, step, WRONG))

    found = psa.rows("SELECT id FROM users WHERE tenant_id = :t ORDER BY email", t=psa.tenant)
    users = [row.id for row in found]
    filled_in(psa, step, {**RIGHT, "in_owner": users[0], "in_watchers": users[:2]})
    told["still wrong"] = sentences(psa, f"{step}?check=1")
    again = Form(psa.browser.get(step).text)
    looked_at = ("in_days", "in_begins", "in_items.1.label")
    told["shown again"] = {name: again.sent.getlist(name) for name in looked_at}
    told["secret shown"] = "hunter2" in psa.browser.get(step).text

    revision = Form(psa.browser.get(page).text).sent["revision"]
    psa.post(f"{page}/publish", revision=revision)
    told["state"] = psa.one("SELECT state FROM rmm_workflows")
    asset = psa.one("SELECT id FROM assets WHERE tenant_id = :t ORDER BY name LIMIT 1", t=psa.tenant)
    start = f"{page}/start?subject=asset:{asset}"
    psa.post(start, **Form(psa.browser.get(start).text).sent.to_dict(flat=False))
    psa.work()
    (done,) = psa.rows("SELECT state, message, output, input FROM rmm_workflow_invocations")
    given = done.output["given"]
    told["state of the step"], told["message"] = done.state, done.message
    told["people"] = (given.pop("owner") == users[0], given.pop("watchers") == users[:2])
    told["ends after it began"] = given["window"].pop("end") > "2026"
    told["given"] = given
    told["kept"] = done.input["password"]
    told["written down"] = psa.one("SELECT count(*) FROM rmm_audit WHERE action = 'toolbox.made'")
    return told


def main() -> None:
    """Tell the story of the database that is named."""
    psa = Psa(application(sys.argv[1]))
    told = story(psa)
    with psa.app.app_context():
        db.engine.dispose()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
