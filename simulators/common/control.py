"""The control page and its JSON API: outside of the vendor's addresses and without authentication.

One set of addresses serves JSON callers and the page's forms. A form is sent back to the page with the result
as a note.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec
from flask import Blueprint, Response, redirect, render_template, request
from flask.sansio.blueprints import BlueprintSetupState
from jinja2 import ChoiceLoader, FileSystemLoader

from simulators.common.misbehaviour import MODES
from simulators.common.replies import ApiError, json_reply

Command = Callable[..., Any]
COMMON = Path(__file__).parent
SHOWN = 25
"""Rows of a list on the page."""


class BadCommand(Exception):
    """The caller asked for something that makes no sense."""


class Locked(Protocol):
    """A vendor's state, which is read and changed under its lock only."""

    @property
    def lock(self) -> threading.RLock: ...

    @property
    def deliveries(self) -> deque[dict[str, Any]]: ...

    @property
    def requests(self) -> deque[dict[str, Any]]: ...

    @property
    def counters(self) -> Counter[str]: ...


def is_form() -> bool:
    """Whether the request comes from the page."""
    return request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data")


def fields() -> dict[str, Any]:
    """Fields of the command: a JSON object or a form, whose empty fields count as absent."""
    if is_form():
        return {key: value for key, value in request.form.items() if value != ""}
    data = msgspec.json.decode(request.get_data() or b"{}")
    if not isinstance(data, dict):
        raise BadCommand("the body is a JSON object")
    return data


def flag(value: Any) -> bool:
    """A boolean, also when a form sent it."""
    return value if isinstance(value, bool) else str(value).lower() in ("1", "true", "on", "yes")


def searched() -> str:
    """What the page is asked to look for."""
    return request.args.get("search", "")


class Control:
    """The addresses below `/_control` of one vendor; its templates lie beside `module`."""

    def __init__(self, module: str, lab: Callable[[], Locked]) -> None:
        self.lab = lab
        self.blueprint = Blueprint(
            "control",
            module,
            url_prefix="/_control",
            template_folder="templates",
            static_folder=str(COMMON / "static"),
        )
        self.blueprint.record_once(_add_templates)

    def page(self, template: str, **context: Any) -> str:
        """The control page, with what each shows: the note, the search, the logs and the faults there are."""
        server = self.lab()
        return render_template(
            template,
            note=request.args.get("note", ""),
            search=searched(),
            deliveries=list(reversed(server.deliveries))[:SHOWN],
            requests=list(reversed(server.requests))[: 2 * SHOWN],
            counters=server.counters.most_common(SHOWN),
            modes=MODES,
            **context,
        )

    def command(self, rule: str) -> Callable[[Command], Command]:
        """A POST address. Forms are sent back to the page with the result as a note; others get JSON."""

        def register(view: Command) -> Command:
            @wraps(view)
            def run(**params: Any) -> Any:
                try:
                    return _answer(view.__name__.replace("_", " "), view(**params), 200)
                except (BadCommand, KeyError, ValueError, TypeError) as error:
                    return _answer("refused", {"error": f"{type(error).__name__}: {error}"}, 400)
                except ApiError as error:
                    return _answer("refused", error.body, error.status)

            self.blueprint.add_url_rule(rule, view.__name__, run, methods=["POST"])
            return view

        return register

    def query(self, rule: str) -> Callable[[Command], Command]:
        """A GET address that answers JSON, computed under the lock."""

        def register(view: Command) -> Command:
            @wraps(view)
            def run(**params: Any) -> Response:
                try:
                    with self.lab().lock:
                        return json_reply(view(**params))
                except ApiError as error:
                    return json_reply(error.body, error.status)

            self.blueprint.add_url_rule(rule, view.__name__, run, methods=["GET"])
            return view

        return register


def _add_templates(setup: BlueprintSetupState) -> None:
    """Let a vendor's page take its parts from the templates here."""
    shared = FileSystemLoader(COMMON / "templates")
    setup.app.jinja_loader = ChoiceLoader([one for one in (setup.app.jinja_loader, shared) if one])


def _answer(name: str, result: Any, status: int) -> Any:
    if not is_form():
        return json_reply(result, status)
    text = msgspec.json.encode(result).decode()
    parameters = {"search": request.form.get("_search", ""), "note": f"{name}: {text[:300]}"}
    return redirect(f"/_control/?{urlencode(parameters)}", 303)
