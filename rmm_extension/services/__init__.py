"""Use cases: the only code, with the workflows, that changes state.

A service function takes ``(rmm, session, …)``, works in that session and does not commit; the caller opens a
:func:`~rmm_extension.services.unit.unit`. Use cases that span several transactions (a sync, a webhook) open
their own units and say so. Services know no request: the actor is an argument.
"""
