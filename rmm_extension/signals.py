"""What the host can listen to. Sent by a worker after the commit of what they tell.

::

    from rmm_extension.signals import alert_triggered


    @alert_triggered.connect
    def page_the_technician(app, tenant_id, payload): ...

``app`` is the Flask app, ``payload`` a dict whose absent values are left out, never null; its contract stands
in :mod:`rmm_extension.domain.contracts.events`. A receiver runs inside an app context, commits what it writes
itself, and may be called again for the same event when a worker dies at the wrong moment. One that raises is
logged and stops nobody else.
"""

from __future__ import annotations

from blinker import NamedSignal, Namespace

from rmm_extension.domain.contracts.events import CATALOGUE

_signals = Namespace()


def _signal(name: str) -> NamedSignal:
    return _signals.signal(name, CATALOGUE[name].sentence)


alert_triggered = _signal("alert_triggered")
alert_resolved = _signal("alert_resolved")
alert_acknowledged = _signal("alert_acknowledged")
ticket_linked = _signal("ticket_linked")
ticket_created = _signal("ticket_created")
ticket_closed = _signal("ticket_closed")
device_created = _signal("device_created")
device_updated = _signal("device_updated")
device_synced = _signal("device_synced")
device_deleted = _signal("device_deleted")
device_online = _signal("device_online")
device_offline = _signal("device_offline")
sync_started = _signal("sync_started")
sync_finished = _signal("sync_finished")
sync_failed = _signal("sync_failed")
integration_connected = _signal("integration_connected")
integration_disconnected = _signal("integration_disconnected")
integration_failed = _signal("integration_failed")
webhook_received = _signal("webhook_received")

ALL = dict(_signals)
"""Every signal by its name."""
