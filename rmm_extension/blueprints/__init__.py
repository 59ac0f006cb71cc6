"""The extension's pages: one blueprint, made for each app that mounts it."""

from __future__ import annotations

from flask import Blueprint, Flask

from rmm_extension.domain.settings import Settings

from . import (
    action_form,
    actions,
    alert_actions,
    alert_routing,
    alert_vendor,
    alerts,
    attention,
    authorize,
    compliance,
    connect,
    connection,
    deliveries,
    device_actions,
    device_bulk,
    device_patches,
    device_software,
    devices,
    errors,
    export,
    fleet,
    health,
    jobs,
    maintenance,
    maintenance_editor,
    messaging,
    messaging_users,
    organizations,
    overview,
    patches,
    patches_export,
    permissions,
    presentation,
    proposals,
    registration,
    remote,
    rule_editor,
    rules,
    set_aside,
    setup,
    software,
    software_export,
    sync_settings,
    webhook_access,
    workflow_editor,
    workflow_editor_steps,
    workflow_runs,
    workflow_start,
    workflow_test,
    workflows,
)

NAME = "rmm"
PAGES = (
    overview,
    connect,
    authorize,
    setup,
    connection,
    webhook_access,
    registration,
    messaging,
    messaging_users,
    sync_settings,
    health,
    permissions,
    organizations,
    proposals,
    rules,
    rule_editor,
    alert_routing,
    alert_actions,
    alerts,
    devices,
    fleet,
    device_bulk,
    remote,
    actions,
    action_form,
    software,
    device_software,
    compliance,
    patches,
    device_patches,
    export,
    software_export,
    patches_export,
    jobs,
    maintenance,
    maintenance_editor,
    deliveries,
    attention,
    set_aside,
    alert_vendor,
    workflow_start,
    workflow_test,
    workflow_runs,
    workflows,
    workflow_editor,
    workflow_editor_steps,
)


def register(app: Flask, settings: Settings) -> None:
    """Add the pages, their static files and their error pages to ``app``.

    A host overrides a page by a template of the same name in its own template folder.
    """
    blueprint = Blueprint(
        NAME,
        "rmm_extension",
        url_prefix=settings.url_prefix,
        template_folder="templates",
        static_folder="static/rmm",
        static_url_path="/static",
    )
    for module in PAGES:
        module.routes.add_to(blueprint)
    errors.add_to(blueprint)
    app.register_blueprint(blueprint)
    presentation.add_to(app)
    device_actions.add_to(app)
    device_software.add_to(app)
    device_patches.add_to(app)
    workflow_start.add_to(app)
