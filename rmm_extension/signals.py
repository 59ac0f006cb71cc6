"""What the host can listen to. Sent by a worker after the commit of what they tell.

::

    from rmm_extension.signals import alert_triggered


    @alert_triggered.connect
    def page_the_technician(app, tenant_id, payload): ...

``app`` is the Flask app, ``payload`` a dict whose absent values are left out, never null. A receiver runs
inside an app context, commits what it writes itself, and may be called again for the same event when a worker
dies at the wrong moment. One that raises is logged and stops nobody else.
"""

from __future__ import annotations

from blinker import Namespace

_signals = Namespace()

alert_triggered = _signals.signal("alert_triggered", "An alert opened.")
alert_resolved = _signals.signal("alert_resolved", "An alert is over.")
alert_acknowledged = _signals.signal("alert_acknowledged", "A person or the vendor acknowledged an alert.")
ticket_linked = _signals.signal("ticket_linked", "An alert made or joined a ticket.")
sync_started = _signals.signal("sync_started", "A sync or a reconciliation began.")
sync_finished = _signals.signal("sync_finished", "It ended well; the payload has its counts.")
sync_failed = _signals.signal("sync_failed", "It was given up; the payload says why.")
integration_connected = _signals.signal("integration_connected", "A connection was made or renewed.")
integration_disconnected = _signals.signal("integration_disconnected", "A connection was taken away.")
integration_failed = _signals.signal("integration_failed", "A connection needs a person.")
webhook_received = _signals.signal("webhook_received", "A vendor's delivery was taken.")

ALL = dict(_signals)
"""Every signal by its name."""
