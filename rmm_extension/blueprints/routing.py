"""Collecting the routes of a module, so that a blueprint can be made for each app."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint
from flask.typing import ResponseReturnValue

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


class Routes:
    """The views of one module: ``@routes.get("/alerts")`` above ``@requires("rmm.view")``."""

    def __init__(self) -> None:
        self._rules: list[tuple[str, Callable[..., ResponseReturnValue], list[str]]] = []

    def get(self, rule: str) -> Callable[[View], View]:
        """A page that only reads."""
        return self._add(rule, ["GET"])

    def post(self, rule: str) -> Callable[[View], View]:
        """An action that changes something and redirects."""
        return self._add(rule, ["POST"])

    def form(self, rule: str) -> Callable[[View], View]:
        """A page whose form is sent to its own address."""
        return self._add(rule, ["GET", "POST"])

    def add_to(self, blueprint: Blueprint) -> None:
        """Register everything that was collected; the endpoint is the function's name."""
        for rule, view, methods in self._rules:
            blueprint.add_url_rule(rule, view_func=view, methods=methods)

    def _add(self, rule: str, methods: list[str]) -> Callable[[View], View]:
        def collect(view: View) -> View:
            self._rules.append((rule, view, methods))
            return view

        return collect
