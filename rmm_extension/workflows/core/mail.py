"""E-mails to whomever a workflow names, by the host."""

from __future__ import annotations

from marshmallow import ValidationError, fields, validate
from sqlalchemy.orm import Session

from rmm_extension.domain.actions import ActionRefused, ErrorCode, Order, Outcome, requested
from rmm_extension.domain.contracts.actions import ActionModule, ActionSpec, Texts, says
from rmm_extension.domain.contracts.strict import Strict, Text
from rmm_extension.domain.errors import HostRejected
from rmm_extension.host import Mail
from rmm_extension.services import audit
from rmm_extension.services.context import Rmm
from rmm_extension.workflows.pack import Pack, StepContext

KEY = "core:mail"
_IS_ADDRESS = validate.Email(error="This is no e-mail address.")


def _address(text: str) -> None:
    _IS_ADDRESS(text)


def _one_line(text: str) -> None:
    if len(text.splitlines()) > 1:
        raise ValidationError("This must be one line.")


class Send(Strict):
    """To whom, and what."""

    to = Texts(50, 254, _address, fewest=1, required=True, metadata=says("To", "E-mail addresses."))
    subject = Text(200, required=True, validate=_one_line, metadata=says("Subject"))
    body = Text(50_000, trimmed=False, required=True, metadata=says("Text", "Plain text."))


class Sent(Strict):
    """To whom it goes."""

    to = fields.List(fields.String(), required=True)


SEND = ActionSpec(
    id="email.send",
    module=KEY,
    label="Send an e-mail",
    description="Has the PSA send a plain e-mail, to each address by itself.",
    input=Send,
    output=Sent,
    side_effects=True,
    category="E-mail",
    icon="mail",
    permission="rmm.workflows.manage",
    on_device=False,
)


def send(context: StepContext, order: Order) -> Outcome:
    """Hand it to the host, which sends it after the transaction; nobody says whether it arrives."""
    port, given = context.rmm.host.mails, order.input
    if port is None:
        raise ActionRefused(ErrorCode.CAPABILITY_DISABLED, "This PSA sends no e-mail for workflows.")
    to = tuple(dict.fromkeys(given["to"]))
    mail = Mail(idempotency_key=context.key, to=to, subject=given["subject"], body=given["body"])
    try:
        port.send(context.session, context.tenant_id, mail)
    except HostRejected as refusal:
        raise ActionRefused(ErrorCode.VALIDATION_ERROR, str(refusal)) from refusal
    _audit(context, mail)
    return requested(f"The e-mail goes to {', '.join(to)}.", {"to": list(to)})


def _audit(context: StepContext, mail: Mail) -> None:
    run = str(context.run_id) if context.run_id else None
    audit.record(
        context.session,
        context.actor,
        "email.sent",
        subject_type="email",
        subject_id=mail.idempotency_key,
        subject_name=mail.subject,
        changes={"to": list(mail.to), "workflow_run": run},
    )


def _available(rmm: Rmm, _session: Session, _tenant_id: str) -> bool:
    return rmm.host.mails is not None


PACK = Pack(
    module=ActionModule(
        key=KEY,
        label="E-mail",
        description="E-mails that the PSA sends.",
        icon="mail",
        default_action=SEND.id,
        availability="host:mails",
        actions=(SEND,),
    ),
    perform=send,
    available=_available,
)
