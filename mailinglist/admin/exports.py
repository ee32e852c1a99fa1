"""Downloads of addresses: a list's subscribers, a campaign's recipients with what became of their mail.

A POST each, because each is written into the audit trail; streamed, so that the size of a list matters to nobody.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from mailinglist import access, exports, words
from mailinglist.models import Campaign, Delivery, MailingList, Subscription
from mailinglist.staff import actor, ask, found, require
from mailinglist.who_got_it import GROUPS
from mailinglist.whole_numbers import whole_number

MAY_EXPORT = "mailinglist.export_subscriber"
_LINES_TOGETHER = 500
_GUARDED = (
    "The file is CSV in UTF-8. Values that a spreadsheet could run as a formula begin with an apostrophe; an "
    "import takes it away again."
)


class SubscribersForm(forms.Form):
    mailing_list = forms.ModelChoiceField(
        MailingList.objects.all(), label="List", widget=UnfoldAdminSelectWidget()
    )
    status = forms.MultipleChoiceField(
        choices=Subscription.Status.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="None chosen: all of them.",
    )


class RecipientsForm(forms.Form):
    who = forms.ChoiceField(
        choices=[(code, group.label) for code, group in GROUPS.items()],
        required=False,
        label="Who",
        widget=UnfoldAdminSelectWidget(),
    )
    state = forms.MultipleChoiceField(
        choices=Delivery.State.choices,
        required=False,
        label="What became of the mail",
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="None chosen: all of them.",
    )
    # What else narrowed the table that the manager came from; see who_got_it.tables.
    narrowed = forms.BooleanField(required=False, widget=forms.HiddenInput())
    reason = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput())
    link = forms.IntegerField(required=False, min_value=0, max_value=32_767, widget=forms.HiddenInput())
    domains = forms.CharField(required=False, max_length=2_000, widget=forms.HiddenInput())

    def group(self) -> dict[str, Any]:
        """What was chosen, for exports.recipient_lines."""
        found = self.cleaned_data
        return {
            "who": found["who"] or "all",
            "states": found["state"] or None,
            "reason": found["reason"] if found["narrowed"] else None,
            "link": found["link"],
            "domains": tuple(filter(None, found["domains"].split(","))),
        }


def subscribers(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Ask which list, then send its subscribers as a file. The filters of the table of subscribers are taken over."""
    require(request, MAY_EXPORT, "mailinglist.view_subscriber")
    chosen = request.GET.get("status", "")
    initial = {
        "mailing_list": whole_number(request.GET.get("list", "")) or None,
        "status": [chosen] if chosen in Subscription.Status.values else [],
    }
    form = SubscribersForm(request.POST or None, initial=initial)
    form.fields["mailing_list"].queryset = access.mailing_lists(request.user, MAY_EXPORT)  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        mailing_list, statuses = form.cleaned_data["mailing_list"], form.cleaned_data["status"]
        what = f"the subscribers ({', '.join(statuses) or 'all'})"
        exports.record_export(mailing_list, None, what=what, by=actor(request))
        return _file(
            exports.subscriber_lines(mailing_list.pk, statuses=statuses or None),
            mailing_list.slug,
            "subscribers",
        )
    return ask(
        request,
        title="Export subscribers",
        sentences=["With status, consent and all values.", _GUARDED],
        form=form,
        button="Download",
        back=reverse("admin:mailinglist_subscriber_changelist"),
    )


def recipients(request: HttpRequest, campaign_id: int) -> HttpResponse | StreamingHttpResponse:
    """Ask which states, then send a campaign's recipients as a file."""
    require(request, "mailinglist.view_delivery")
    campaign = found(request, Campaign, campaign_id, MAY_EXPORT)
    form = RecipientsForm(request.POST if request.method == "POST" else None, initial=_asked_for(request))
    if request.method == "POST" and form.is_valid():
        chosen = form.group()
        parts = [*([chosen["who"]] if chosen["who"] != "all" else []), *(chosen["states"] or [])]
        parts += [f"{name} {chosen[name]}" for name in ("reason", "link") if chosen[name] is not None]
        parts += chosen["domains"][:1]
        what = f"the recipients ({', '.join(parts) or 'all'})"
        exports.record_export(None, campaign, what=what, by=actor(request))
        lines = exports.recipient_lines(campaign.pk, **chosen)
        return _file(lines, slugify(campaign.name) or "campaign", "recipients")
    return ask(
        request,
        title=f"Export the recipients of “{campaign.name}”",
        sentences=[
            "With what became of each mail and why, and who opened it or followed a link.",
            *_narrowed_words(request),
            _GUARDED,
        ],
        form=form,
        button="Download",
        back=reverse("admin:mailinglist_campaign_change", args=[campaign.pk]),
    )


def _narrowed_words(request: HttpRequest) -> list[str]:
    """What the form narrows without showing it."""
    asked = request.POST if request.method == "POST" else request.GET
    parts = []
    if "reason" in request.GET or asked.get("narrowed") == "True":
        parts.append(f"with the reason “{words.reason(asked.get('reason', '')) or 'none told'}”")
    if asked.get("link"):
        parts.append(f"who followed link {asked['link'][:6]}")
    if asked.get("domains"):
        parts.append(f"at {asked['domains'].split(',')[0][:253]}")
    return [f"Only those {' and '.join(parts)}."] if parts else []


def _asked_for(request: HttpRequest) -> dict[str, Any]:
    """The group of the table that the manager came from."""
    asked = request.GET
    found = {name: asked.get(name, "") for name in ("who", "reason", "link", "domains")}
    return {**found, "narrowed": "reason" in asked}


def _file(lines: Iterator[str], name: str, what: str) -> StreamingHttpResponse:
    file_name = f"{name}-{what}-{timezone.now():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        _joined(lines),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"', "Cache-Control": "no-store"},
    )


def _joined(lines: Iterator[str]) -> Iterator[str]:
    """A piece of a line each would cost more than the lines."""
    while together := "".join(islice(lines, _LINES_TOGETHER)):
        yield together
