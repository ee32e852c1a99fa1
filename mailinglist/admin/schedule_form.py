"""The form for the time at which a campaign starts by itself. Used by campaign_acts.py."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from mailinglist import zones
from mailinglist.admin.campaign_act_forms import StartForm
from mailinglist.models import Campaign


class ScheduleForm(StartForm):
    """A time on the clock, its zone, and the number of people.

    ``when`` becomes an aware time in UTC, ``note`` says what is odd about it.
    """

    local = forms.DateTimeField(label="Start at", widget=UnfoldAdminTextInputWidget(attrs={"step": "60"}))
    zone = forms.ChoiceField(label="Time zone", widget=UnfoldAdminSelectWidget(), initial="UTC")
    everywhere = forms.BooleanField(
        label="At this time on everybody's own clock",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="People whose time zone is known get it when it is this time where they are, which for some is up to a "
        "day earlier than in the zone above. All others get it at the time of the zone above. Whose time has passed "
        "already when it starts gets it at once.",
    )
    field_order = ("local", "zone", "everywhere", "shown", "number")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["local"].widget.input_type = "datetime-local"
        self.fields["zone"].choices = [(name, name) for name in zones.names()]  # type: ignore[attr-defined]

    @staticmethod
    def initial_of(campaign: Campaign) -> dict[str, Any]:
        """What was chosen before, for a campaign that is scheduled."""
        if not campaign.planned_at:
            return {}
        clock = zones.shown(campaign.planned_at, campaign.time_zone)
        return {
            "local": f"{clock:%Y-%m-%dT%H:%M}",
            "zone": campaign.time_zone,
            "everywhere": campaign.at_local_time,
        }

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if "local" not in values or "zone" not in values:
            return values
        clock = values["local"].replace(tzinfo=None)
        moment = zones.resolve(clock, values["zone"])
        note = zones.change_note(clock, moment, values["zone"])
        if moment.skipped:
            self.add_error("local", note)
        elif wrong := zones.why_not_at(moment.at, now=datetime.now(UTC)):
            self.add_error("local", wrong)
        values["when"], values["note"] = moment.at, note
        return values
