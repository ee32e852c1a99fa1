"""What a manager can do with a campaign: test, start, schedule, pause, resume, cancel, duplicate.

Every act is a page that says what will happen (GET) and a POST that calls mailinglist/lifecycle.py.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from mailinglist import addresses, approvals, lifecycle, link_checks, sender_checks, zones
from mailinglist.admin.schedule_form import ScheduleForm
from mailinglist.changes import Noun, record
from mailinglist.composing import body, problems
from mailinglist.models import Campaign, Subscriber
from mailinglist.sending import audience
from mailinglist.staff import actor, ask, find_subscribers, found, page

#: More test mails at once are a campaign.
MAX_TESTS = 10


class StartForm(forms.Form):
    """The number of recipients, typed by hand: the last moment to notice that it is the wrong list."""

    number = forms.IntegerField(
        min_value=1, widget=UnfoldAdminIntegerFieldWidget(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, expected: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["number"].label = f"Type {expected} to confirm"

    def clean_number(self) -> int:
        number: int = self.cleaned_data["number"]
        if number != self.expected:
            raise forms.ValidationError(
                f"The campaign would go to {self.expected} people now. Type that number."
            )
        return number


class TestForm(forms.Form):
    to = forms.CharField(
        label="Send a test to",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=f"Up to {MAX_TESTS} addresses, one per line. The subject begins with [Test].",
    )

    seen_by = forms.CharField(
        label="With the values of",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "an address"}),
        help_text="A subscriber whose name and other values the test shows. Empty: those of each address above. The "
        "links to unsubscribe are the recipients’ own in any case.",
    )

    def clean_seen_by(self) -> Subscriber | None:
        wanted = self.cleaned_data["seen_by"].strip()
        if not wanted:
            return None
        found = find_subscribers(wanted).order_by("email_key").first()
        if found is None:
            raise forms.ValidationError("No subscriber has this address.")
        return found

    def clean_to(self) -> list[str]:
        lines = [
            line.strip() for line in self.cleaned_data["to"].replace(",", "\n").splitlines() if line.strip()
        ]
        if len(lines) > MAX_TESTS:
            raise forms.ValidationError(
                f"These are {len(lines)} addresses; a test goes to {MAX_TESTS} at most."
            )
        try:
            return [addresses.normalise(text).as_written for text in lines]
        except addresses.BadAddress as bad:
            raise forms.ValidationError(str(bad)) from bad


class WhyForm(forms.Form):
    why = forms.CharField(
        label="Why?",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Shown to the other managers, and kept in the history.",
    )


def start(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Checks, who gets it and who does not, and the number to type."""
    campaign = _campaign(request, campaign_id)
    people = audience.count(list(campaign.lists.values_list("pk", flat=True)))
    unapproved = approvals.problem(campaign)
    found_problems = [*problems.find(campaign), *([unapproved] if unapproved else [])]
    form = StartForm(request.POST or None, expected=people.to_send)
    if request.method == "POST" and form.is_valid():
        return _act(
            request,
            campaign,
            lambda: lifecycle.start(campaign.pk, by=actor(request)),
            "Started. Mails are going out.",
        )
    context = {
        "campaign": campaign,
        "audience": people,
        "problems": found_problems,
        "blocked": any(problem.blocking for problem in found_problems) or not people.to_send,
        "form": form,
        "back": _url(campaign),
    }
    return page(request, "admin/mailinglist/campaign/start.html", f"Start “{campaign.name}”", context)


def schedule(request: HttpRequest, campaign_id: int) -> HttpResponse:
    campaign = _campaign(request, campaign_id)
    form = ScheduleForm(request.POST or None, initial=ScheduleForm.initial_of(campaign))
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        when, zone, everywhere = chosen["when"], chosen["zone"], chosen["everywhere"]
        return _act(
            request,
            campaign,
            lambda: lifecycle.schedule(
                campaign.pk, at=when, zone=zone, at_local_time=everywhere, by=actor(request)
            ),
            f"{zones.sentence(when, zone, everywhere=everywhere)} {chosen['note']}".strip(),
        )
    people = audience.count(list(campaign.lists.values_list("pk", flat=True)))
    return ask(
        request,
        title=f"Schedule “{campaign.name}”",
        sentences=[
            f"It would go to {'about ' * people.about}{people.to_send:,} people now; whoever is subscribed at that "
            "time gets it.",
            "You can change the text, or take the schedule back, until it starts.",
        ],
        form=form,
        button="Schedule",
        back=_url(campaign),
    )


def send_test(request: HttpRequest, campaign_id: int) -> HttpResponse:
    campaign = _campaign(request, campaign_id)
    first = {"to": getattr(request.user, "email", ""), "seen_by": request.GET.get("to", "")}
    form = TestForm(request.POST or None, initial=first)
    if not request.user.has_perm("mailinglist.view_subscriber"):
        del form.fields["seen_by"]
    if request.method == "POST" and form.is_valid():
        to, seen_by = form.cleaned_data["to"], form.cleaned_data.get("seen_by")
        return _act(
            request,
            campaign,
            lambda: lifecycle.send_test(
                campaign.pk, to, by=actor(request), as_seen_by=seen_by.pk if seen_by else None
            ),
            f"On its way to {', '.join(to)}.",
        )
    return ask(
        request,
        title=f"Test “{campaign.name}”",
        sentences=[
            "Sends the mail as it is saved now, through Amazon SES, with the same headers as the real one."
        ],
        form=form,
        button="Send the test",
        back=_url(campaign),
    )


def check(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Have the links and the sender looked at in the background."""
    campaign = _campaign(request, campaign_id)
    if request.method == "POST":
        try:
            number = link_checks.ask(campaign.pk)
        except body.CannotCompile as bad:
            messages.error(request, str(bad))
            return HttpResponseRedirect(_url(campaign))
        sender_checks.ask(campaign.lists.values_list("from_email", flat=True))
        messages.success(
            request, f"{number} links and the sender are being looked at. Load this page again soon."
        )
        return HttpResponseRedirect(_url(campaign))
    return ask(
        request,
        title=f"Check the links and the sender of “{campaign.name}”",
        sentences=[
            "Each link is opened once from this server; so their owners see a visit. Links with merge tags are left out.",
            "Amazon SES is asked whether the sender is verified, and the DNS for DKIM, SPF and DMARC.",
        ],
        button="Check now",
        back=_url(campaign),
    )


def duplicate(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """A new draft with the same lists and text."""
    campaign = _campaign(request, campaign_id, "mailinglist.add_campaign")
    if request.method == "POST":
        copy = _copy(campaign, request)
        messages.success(request, "This is a new draft with the same lists and text.")
        return HttpResponseRedirect(_url(copy))
    return ask(
        request,
        title=f"Duplicate “{campaign.name}”",
        sentences=["Makes a new draft with the same lists and text. Nothing is sent."],
        button="Make a draft",
        back=_url(campaign),
    )


def pause(request: HttpRequest, campaign_id: int) -> HttpResponse:
    return _simple(
        request,
        campaign_id,
        lambda pk, why: lifecycle.pause(
            pk, reason="manager", text=why or "Paused by a manager.", by=actor(request)
        ),
        title="Pause",
        sentences=[
            "No further mail of this campaign leaves. The few that are being posted right now still go out.",
            "Nobody is lost and nobody gets it twice: resume continues where it stopped.",
        ],
        done="Paused.",
        form_class=WhyForm,
    )


def resume(request: HttpRequest, campaign_id: int) -> HttpResponse:
    return _simple(
        request,
        campaign_id,
        lambda pk, why: lifecycle.resume(pk, by=actor(request)),
        title="Resume",
        sentences=["Sending continues with those who have not got the mail yet."],
        done="Sending again.",
    )


def cancel(request: HttpRequest, campaign_id: int) -> HttpResponse:
    return _simple(
        request,
        campaign_id,
        lambda pk, why: lifecycle.cancel(pk, by=actor(request)),
        title="Cancel",
        sentences=[
            "Everyone who has not got the mail yet will not get it, and no bounced mail is sent again.",
            "This cannot be undone.",
        ],
        done="Cancelled.",
        danger=True,
        button="Cancel this campaign",
    )


def unschedule(request: HttpRequest, campaign_id: int) -> HttpResponse:
    return _simple(
        request,
        campaign_id,
        lambda pk, why: lifecycle.unschedule(pk, by=actor(request)),
        title="Take back the schedule of",
        sentences=["It becomes a draft again and does not start by itself."],
        done="It is a draft again.",
        button="Make it a draft",
    )


#: Tail of the address → view; CampaignAdmin.get_urls names them ``admin:mailinglist_campaign_<tail>``.
VIEWS: dict[str, Callable[..., HttpResponse]] = {
    "start": start,
    "schedule": schedule,
    "unschedule": unschedule,
    "pause": pause,
    "resume": resume,
    "cancel": cancel,
    "test": send_test,
    "check": check,
    "duplicate": duplicate,
}


def _simple(
    request: HttpRequest,
    campaign_id: int,
    act: Callable[[int, str], Any],
    *,
    title: str,
    sentences: list[str],
    done: str,
    form_class: type[forms.Form] | None = None,
    button: str = "",
    danger: bool = False,
) -> HttpResponse:
    campaign = _campaign(request, campaign_id)
    form = form_class(request.POST or None) if form_class else None
    if request.method == "POST" and (form is None or form.is_valid()):
        why = form.cleaned_data["why"] if form else ""
        return _act(request, campaign, lambda: act(campaign.pk, why), done)
    return ask(
        request,
        title=f"{title} “{campaign.name}”",
        sentences=sentences,
        form=form,
        button=button or title,
        danger=danger,
        back=_url(campaign),
    )


def _act(request: HttpRequest, campaign: Campaign, act: Callable[[], Any], done: str) -> HttpResponse:
    """Call a function of lifecycle and say what came of it; False: the campaign had moved on meanwhile."""
    try:
        changed = act()
    except lifecycle.CampaignNotReady as refusal:
        for problem in refusal.problems:
            messages.error(request, problem.message)
        return HttpResponseRedirect(_url(campaign))
    except lifecycle.NotAllowed as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(_url(campaign))
    if changed is False:
        campaign.refresh_from_db()
        messages.warning(request, f"Nothing was changed: the campaign is “{campaign.get_status_display()}”.")
    else:
        messages.success(request, done)
    return HttpResponseRedirect(_url(campaign))


@transaction.atomic
def _copy(campaign: Campaign, request: HttpRequest) -> Campaign:
    copy = Campaign.objects.create(
        name=f"{campaign.name[:110]} (copy)",
        subject=campaign.subject,
        preheader=campaign.preheader,
        body_format=campaign.body_format,
        body=campaign.body,
        template=campaign.template,
        in_archive=campaign.in_archive,
        created_by=request.user,  # type: ignore[misc]
    )
    copy.lists.set(campaign.lists.all())
    record(
        Noun.CAMPAIGN,
        copy.pk,
        before="",
        after=copy.status,
        why=f"Copied from campaign {campaign.pk}.",
        by=actor(request),
    )
    return copy


def _campaign(
    request: HttpRequest, campaign_id: int, permission: str = "mailinglist.change_campaign"
) -> Campaign:
    return found(request, Campaign, campaign_id, permission)


def _url(campaign: Campaign) -> str:
    return reverse("admin:mailinglist_campaign_change", args=[campaign.pk])
