"""Switches of the whole server, faults, counters and logs."""

from __future__ import annotations

from typing import Any

import pyotp
from flask import current_app

from simulators.tacticalrmm import keys
from simulators.tacticalrmm.control.blueprint import BadCommand, command, fields, flag, lab, query
from simulators.tacticalrmm.nats import STATES
from simulators.tacticalrmm.opening import open_initial_alerts


@query("/api/state")
def state() -> Any:
    """Switches and sizes."""
    server = lab()
    return {
        "now": server.clock.now().isoformat(),
        "agents": len(server.fleet.agents),
        "clients": len(server.fleet.clients),
        "sites": len(server.fleet.sites),
        "alerts": len(server.alerts),
        "open_alerts": sum(not alert.resolved for alert in server.alerts.values()),
        "beta": server.beta_enabled,
        "block_local_user_logon": server.block_local_user_logon,
        "nats": server.nats,
        "time_scale": server.time_scale,
        "webhook_timeout": server.webhook_timeout,
        "row_kb": server.options.row_kb,
        "notify_on_info_alerts": server.notify_on_info_alerts,
        "notify_on_warning_alerts": server.notify_on_warning_alerts,
        "faults": server.misbehaviours.listing(),
    }


@query("/api/keys")
def list_keys() -> Any:
    """Name -> API key."""
    return keys.ALL_KEYS


@query("/api/users")
def list_users() -> Any:
    """Users who can try to sign in with a password, with what decides whether they may."""
    return [
        {
            "name": user.name,
            "password": user.password,
            "totp_seed": user.totp_secret,
            "code": pyotp.TOTP(user.totp_secret).at(lab().clock.now()) if user.totp_secret else None,
            "role": user.role.name if user.role else None,
            "active": user.active,
            "blocked": user.block_dashboard_login,
            "sso": user.is_sso,
            "sessions": sum(token.user_name == user.name for token in lab().tokens.values()),
        }
        for user in lab().users.values()
    ]


@command("/api/local-logon")
def switch_local_logon() -> Any:
    """{"blocked"}: whether only superusers may sign in with a password."""
    lab().block_local_user_logon = flag(fields()["blocked"])
    return {"blocked": lab().block_local_user_logon}


@command("/api/sessions/end")
def end_sessions() -> Any:
    """{"user"?}: forget the session tokens of a user, or all of them."""
    name = fields().get("user")
    with lab().lock:
        gone = [key for key, token in lab().tokens.items() if name in (None, token.user_name)]
        for key in gone:
            del lab().tokens[key]
    return {"ended": len(gone)}


@command("/api/beta")
def switch_beta() -> Any:
    """{"on"}."""
    lab().beta_enabled = flag(fields()["on"])
    return {"beta": lab().beta_enabled}


@command("/api/nats")
def switch_nats() -> Any:
    """{"state"}: ok, agent_down, silent or down."""
    wanted = fields()["state"]
    if wanted not in STATES:
        raise BadCommand(f"state is one of {', '.join(STATES)}")
    lab().nats = wanted
    return {"nats": wanted}


@command("/api/notify")
def switch_notify() -> Any:
    """{"info"?, "warning"?}: which severities below error fire webhooks."""
    data = fields()
    lab().notify_on_info_alerts = flag(data.get("info", lab().notify_on_info_alerts))
    lab().notify_on_warning_alerts = flag(data.get("warning", lab().notify_on_warning_alerts))
    return {"info": lab().notify_on_info_alerts, "warning": lab().notify_on_warning_alerts}


@command("/api/time")
def move_time() -> Any:
    """{"shift_seconds"?, "time_scale"?, "webhook_timeout"?}: move the clock; change the server's waits."""
    data = fields()
    lab().clock.shift(float(data.get("shift_seconds", 0)))
    lab().time_scale = float(data.get("time_scale", lab().time_scale))
    lab().webhook_timeout = float(data.get("webhook_timeout", lab().webhook_timeout))
    return {"now": lab().clock.now().isoformat(), "time_scale": lab().time_scale}


@command("/api/script-output")
def set_script_output() -> Any:
    """{"stdout"?, "stderr"?, "retcode"?}: what agents answer to commands and scripts."""
    data, output = fields(), lab().script_output
    output.stdout = str(data.get("stdout", output.stdout))
    output.stderr = str(data.get("stderr", output.stderr))
    output.retcode = int(data.get("retcode", output.retcode))
    return {"stdout": output.stdout, "stderr": output.stderr, "retcode": output.retcode}


@query("/api/commands")
def list_commands() -> Any:
    """What was sent towards agents, with placeholders expanded; oldest first."""
    return list(lab().commands)


@command("/api/reset")
def reset_server() -> Any:
    """Back to the freshly generated server: no webhook, no faults, NATS ok, beta on; the clock stays."""
    with lab().lock:
        lab().reset()
        lab().beta_enabled, lab().nats = True, "ok"
        open_initial_alerts(lab(), current_app.config["ALERTS_AT_START"])
    return {"agents": len(lab().fleet.agents)}
