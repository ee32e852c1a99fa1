"""The page that asks what another policy would have done to a list. URL name: ``admin:bounces_policy_simulate``."""

from typing import Any

from django import forms
from django.db.models import BooleanField, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from bounces import whatif
from bounces.admin.words import sentences
from bounces.models import Policy
from mailinglist import access
from mailinglist.models import MailingList
from mailinglist.staff import page, require

#: More reports of a list than this are for the command, which shows its progress and is cut off by no proxy: a
#: thousand take about a second.
MOST_EVENTS = 5_000


class SimulationForm(forms.Form):
    mailing_list = forms.ModelChoiceField(
        MailingList.objects.all(), label="List", widget=UnfoldAdminSelectWidget(), empty_label=None
    )

    def __init__(
        self, *args: Any, labels: dict[str, str], lists: QuerySet[MailingList], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mailing_list"].queryset = lists  # type: ignore[attr-defined]
        for name in whatif.FIELDS:
            column = Policy._meta.get_field(name)
            help_text = getattr(column, "help_text", "")
            if isinstance(column, BooleanField):
                self.fields[name] = forms.ChoiceField(
                    label=labels.get(name, name),
                    required=False,
                    choices=[("", "as it is now"), ("yes", "yes"), ("no", "no")],
                    widget=UnfoldAdminSelectWidget(),
                    help_text=str(help_text),
                )
                continue
            self.fields[name] = forms.CharField(
                label=labels.get(name, name),
                required=False,
                max_length=100,
                widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "as it is now"}),
                help_text=str(help_text),
            )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        mailing_list = values.get("mailing_list")
        if mailing_list is None:
            return values
        proposed = whatif.current(mailing_list)
        for name in whatif.FIELDS:
            if text := values.get(name, "").strip():
                try:
                    proposed = whatif.changed(proposed, [f"{name}={text}"])
                except whatif.BadSetting as error:
                    self.add_error(name, str(error).partition(": ")[2] or str(error))
        values["proposed"] = proposed
        return values


def simulate(request: HttpRequest, labels: dict[str, str]) -> HttpResponse:
    """GET with a list compares; it changes nothing, so that a comparison can be linked to."""
    require(request, "bounces.view_policy", "mailinglist.view_subscriber")
    lists = access.mailing_lists(request.user, "mailinglist.view_subscriber")
    form = SimulationForm(request.GET if "mailing_list" in request.GET else None, labels=labels, lists=lists)
    context: dict[str, Any] = {"form": form, "days": whatif.DAYS, "lists": lists.exists()}
    if form.is_bound and form.is_valid():
        mailing_list, proposed = form.cleaned_data["mailing_list"], form.cleaned_data["proposed"]
        try:
            context["found"] = whatif.compare(mailing_list, proposed, most=MOST_EVENTS)
            context["words"] = sentences(proposed)
        except whatif.TooManyReports:
            context["too_many"] = mailing_list.slug
    return page(request, "admin/bounces/simulation.html", "What if", context)
