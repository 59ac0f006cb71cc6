"""Fixtures of the tests of background work."""

from tests.jobs.fixtures import app, people, redis, rmm

__all__ = ["app", "people", "redis", "rmm"]
