"""Interleavings on purpose: something else happens, completely, in the middle of what is tested."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from rmm_extension.services import webhooks


def once_before(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, act: Callable[[], object]
) -> list[object]:
    """Before the next call of ``owner.name``, run ``act`` to its end in a thread of its own.

    The list gets what ``act`` returned: an empty one means that it was never called.
    """
    original, done = getattr(owner, name), []
    waiting = [act]

    def wrapped(*args: Any, **options: Any) -> Any:
        if waiting:
            done.append(in_thread(waiting.pop()))
        return original(*args, **options)

    monkeypatch.setattr(owner, name, wrapped)
    return done


def after_reading(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> list[object]:
    """Run ``act`` between the next delivery's reading of its facts and its decision."""
    return once_before(monkeypatch, webhooks, "ingest", act)


def in_thread(act: Callable[[], Any]) -> Any:
    """The result of ``act``, called with no app context of ours around it."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result(timeout=60)


def in_app(app: Flask, act: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call ``act`` as a worker does: inside an app context."""
    with app.app_context():
        return act(*args, **options)
