"""What NinjaOne's calls about scripts and jobs answer, by its OpenAPI 2.0.9 document; nothing is sure."""

from __future__ import annotations

import msgspec

from rmm_extension.providers.ninjaone.rows import Row, Texts
from rmm_extension.providers.values import Scalar


class Category(Row, kw_only=True):
    """A group of scripts."""

    id: Scalar = None
    name: Scalar = None


class Runnable(Row, kw_only=True):
    """What can run on a device: a script has an ``id``, a built-in action a ``uid``."""

    type: Scalar = None
    id: Scalar = None
    uid: Scalar = None
    name: Scalar = None
    language: Scalar = None


class Credential(Row, kw_only=True):
    """A stored credential; its secret is told to nobody."""

    id: Scalar = None
    name: Scalar = None


class Credentials(Row, kw_only=True):
    """As whom something can be run: roles, and stored credentials by their ids."""

    roles: list[Scalar] | None = None
    credentials: list[Credential] | None = None


class ScriptingOptions(Row, kw_only=True):
    """``/v2/device/{id}/scripting/options``."""

    scripts: list[Runnable] | None = None
    credentials: Credentials | None = None


class AutomationScript(Row, kw_only=True):
    """A row of ``/v2/automation/scripts``, without its parameters and variables: they may hold secrets."""

    id: Scalar = None
    name: Scalar = None
    description: Scalar = None
    active: Scalar = None
    language: Scalar = None
    operating_systems: Texts = None


class JobActivity(Row, kw_only=True):
    """An activity, as far as it tells of a job."""

    id: Scalar = None
    series_uid: Scalar = None
    activity_type: Scalar = None
    status_code: Scalar = None
    activity_result: Scalar = None
    source_name: Scalar = None
    source_config_uid: Scalar = None
    subject: Scalar = None
    message: Scalar = None


class DeviceActivities(Row, kw_only=True):
    """``/v2/device/{id}/activities``."""

    activities: list[JobActivity] | None = None
    last_node_activity_id: Scalar = None


class Found(msgspec.Struct):
    """``/v2/devices/search``."""

    devices: list[msgspec.Raw] | None = None
