"""The kinds of notice this PSA knows, and the mails made of them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from rmm_extension.host import Notice


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: people switch its e-mails off by ``subtype``; ``template`` names its mail."""

    category: str
    subtype: str
    template: str = "notice"


KINDS = (
    Kind("RMM Alerts", "RMM Alert Triggered", "rmm-alert-triggered"),
    Kind("RMM connections", "RMM Connection Down"),
    Kind("RMM connections", "RMM Connection Up"),
    Kind("RMM workflows", "RMM Workflow Refused"),
    Kind("RMM workflows", "RMM Workflow Message"),
)
SUBTYPES = tuple(kind.subtype for kind in KINDS)

_TEMPLATES = {kind.subtype: kind.template for kind in KINDS}


def mail(notice: Notice) -> tuple[str, str]:
    """The mail's text and its HTML, in which whatever the notice says is escaped.

    Rendered without the context of a page: a worker has no signed-in user.
    """
    values = {"notice": notice, "url": notice.url, **notice.variables}
    name = _TEMPLATES.get(notice.subtype, "notice")
    text, html = (
        current_app.jinja_env.get_template(f"psa/mail/{name}.{kind}").render(values)
        for kind in ("txt", "html")
    )
    return text, html
