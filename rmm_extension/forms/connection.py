"""The forms of a connection's settings."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from rmm_extension.services.recurring import ACTIVITY, PATCHES, SOFTWARE, Schedule, bad_poll_interval

POLICIES = [
    SelectChoice("never", "Keep the asset active"),
    SelectChoice("mark_inactive", "Mark the asset inactive"),
]


class RenameForm(FlaskForm):  # type: ignore[misc]
    """The connection's name."""

    name = StringField(
        "Name of the connection", [InputRequired("Give the connection a name."), Length(max=255)]
    )


class PollingForm(FlaskForm):  # type: ignore[misc]
    """Whether and how often the vendor is asked for its active alerts."""

    polling = BooleanField("Poll alerts")
    every = IntegerField("Minutes between polls")

    def __init__(self, polls: Schedule, **options: Any) -> None:
        super().__init__(**options)
        wrong = bad_poll_interval(polls)
        self.every.validators = [InputRequired(wrong), NumberRange(polls.shortest, polls.longest, wrong)]
        self.every.description = (
            f"From {polls.shortest} to {polls.longest}. Polling finds alerts whose webhook was lost, and"
            " closes what is over."
        )


class ActivityForm(FlaskForm):  # type: ignore[misc]
    """Whether and how often the vendor's activity log is read."""

    activity = BooleanField("Read the activity log")
    pause = IntegerField(
        "Minutes between looks",
        [
            InputRequired("Give a number of minutes."),
            NumberRange(ACTIVITY.shortest, ACTIVITY.longest, "From 5 to 60 minutes, please."),
        ],
        description="From 5 to 60. A look costs one request where little happened.",
    )


class ScheduleForm(FlaskForm):  # type: ignore[misc]
    """When devices are synced, and what happens to the asset of a device that is gone."""

    enabled = BooleanField("Sync devices on a schedule")
    minutes = IntegerField(
        "Minutes between syncs",
        [
            InputRequired("Give a number of minutes."),
            NumberRange(15, 1440, "From 15 to 1440 minutes, please."),
        ],
        description="From 15 to 1440. Routine runs bring status and changes; one a day brings everything.",
    )
    deletion_policy = SelectField(
        "When a device is gone at the vendor",
        choices=POLICIES,
        description="A device counts as gone after two complete listings without it. Assets are never"
        " deleted, and more than a fifth of an organization at once waits for your yes.",
    )
    make_assets = BooleanField(
        "Make an asset of each device that is none yet",
        description="Without it a device is joined with an asset of its client that exists already, or stays"
        " without one. Assets that are there stay.",
    )


class SoftwareForm(FlaskForm):  # type: ignore[misc]
    """Whether and how often the software of the devices is synced."""

    software = BooleanField("Sync software where devices are synced on a schedule")
    hours = IntegerField(
        "Hours between software syncs",
        [
            InputRequired("Give a number of hours."),
            NumberRange(SOFTWARE.shortest // 60, SOFTWARE.longest // 60, "From 6 to 168 hours, please."),
        ],
        description="From 6 to 168. It reads one long list of all devices, so once a day is enough for most.",
    )


class PatchForm(FlaskForm):  # type: ignore[misc]
    """Whether and how often the patches of the devices are synced."""

    patches = BooleanField("Sync patches where devices are synced on a schedule")
    patch_hours = IntegerField(
        "Hours between patch syncs",
        [
            InputRequired("Give a number of hours."),
            NumberRange(PATCHES.shortest // 60, PATCHES.longest // 60, "From 4 to 168 hours, please."),
        ],
        description="From 4 to 168. It reads what all devices wait for and what was installed of late.",
    )
