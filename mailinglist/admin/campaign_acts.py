"""What a manager can do with a campaign: test, start, schedule, pause, resume, cancel, duplicate.

Every act is a page that says what will happen (GET) and a POST that calls mailinglist/lifecycle.py.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from mailinglist import approvals, copies, deciding, lifecycle, link_checks, sender_checks, zones
from mailinglist.admin import campaign_audience
from mailinglist.admin.campaign_act_forms import FollowUpForm, StartForm, TestForm, WhyForm
from mailinglist.admin.schedule_form import ScheduleForm
from mailinglist.composing import body, problems
from mailinglist.models import Campaign
from mailinglist.sending.audience_preview import Preview
from mailinglist.staff import actor, ask, found, page


def start(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Checks, who gets it and who does not, and the number to type."""
    campaign = campaign_audience.loaded(request, campaign_id, "mailinglist.change_campaign")
    people = campaign_audience.preview(campaign, quick=campaign_audience.is_quick(request))
    form = StartForm(request.POST or None, expected=people.to_send or 0, about=people.about)
    seconds = deciding.time_to_stop(campaign)
    if request.method == "POST" and form.is_valid():
        number = form.cleaned_data["number"]
        return _act(
            request,
            campaign,
            lambda: lifecycle.confirm(campaign.pk, number=number, about=people.about, by=actor(request)),
            f"It starts in {seconds} seconds. You can still stop it."
            if seconds
            else "Started. Mails are going out.",
        )
    return _confirm(request, campaign, people, form, "Start", seconds=seconds)


def schedule(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The same, and a time."""
    campaign = campaign_audience.loaded(request, campaign_id, "mailinglist.change_campaign")
    people = campaign_audience.preview(campaign, quick=campaign_audience.is_quick(request))
    form = ScheduleForm(
        request.POST or None,
        expected=people.to_send or 0,
        about=people.about,
        initial=ScheduleForm.initial_of(campaign),
    )
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        when, zone, everywhere = chosen["when"], chosen["zone"], chosen["everywhere"]
        return _act(
            request,
            campaign,
            lambda: lifecycle.schedule(
                campaign.pk,
                at=when,
                zone=zone,
                at_local_time=everywhere,
                number=chosen["number"],
                about=people.about,
                by=actor(request),
            ),
            f"{zones.sentence(when, zone, everywhere=everywhere)} {chosen['note']}".strip(),
        )
    return _confirm(request, campaign, people, form, "Schedule")


def send_test(request: HttpRequest, campaign_id: int) -> HttpResponse:
    campaign = _campaign(request, campaign_id)
    first = {"to": getattr(request.user, "email", ""), "seen_by": request.GET.get("to", "")}
    form = TestForm(request.POST or None, initial=first, user=request.user)
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
        copy = copies.duplicate(campaign, by=actor(request))
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


def stop(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Between the confirmation and the first mail: one press, no question, because it is a matter of seconds."""
    campaign = _campaign(request, campaign_id)
    if request.method != "POST":
        return HttpResponseRedirect(_url(campaign))
    return _act(
        request,
        campaign,
        lambda: lifecycle.unschedule(
            campaign.pk, by=actor(request), why="Stopped by a manager before the first mail."
        ),
        "Stopped. No mail has left; it is a draft again.",
    )


def follow_up(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """A new draft to those whom this campaign did not reach."""
    campaign = _campaign(request, campaign_id, "mailinglist.add_campaign")
    form = FollowUpForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            copy = copies.follow_up(campaign, newcomers=form.cleaned_data["newcomers"], by=actor(request))
        except copies.CannotFollow as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(_url(campaign))
        messages.success(
            request, "This is a new draft to those who did not get the mail. Nothing is sent yet."
        )
        return HttpResponseRedirect(_url(copy))
    return ask(
        request,
        title=f"Send “{campaign.name}” to those who did not get it",
        sentences=[
            "Makes a new draft with the same text, lists and choice of people. It goes to those whose mail failed, was "
            "blocked, or could not be delivered until its retries were used up or their time was over, and who are "
            "still subscribed.",
            "Whoever got the mail, or may still get it, is left out, also when you do this twice. People who left, "
            "whose address bounced hard (unless that was taken back), or who reported a mail as spam get nothing. "
            "“Who gets it” on the draft says how many these are.",
            *(
                f"There is one already: “{one}” ({one.get_status_display()})."
                for one in campaign.followers.order_by("pk")
            ),
        ],
        form=form,
        button="Make a draft",
        back=_url(campaign),
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
    "audience": campaign_audience.show,
    "stop": stop,
    "follow-up": follow_up,
}


def _confirm(
    request: HttpRequest, campaign: Campaign, people: Preview, form: StartForm, act: str, *, seconds: int = 0
) -> HttpResponse:
    """The page where the number of people is typed."""
    unapproved = approvals.problem(campaign)
    quick = campaign_audience.is_quick(request)
    # Where the page opened before they were counted, it asks again.
    counted = 1 if quick and people.to_send is None else people.to_send
    found_problems = problems.find(campaign, counted=counted, quick=quick)
    found_problems += [unapproved] if unapproved else []
    context = {
        "campaign": campaign,
        "audience": people,
        "quick": quick,
        "choice": campaign_audience.choice(campaign),
        "scheduling": act == "Schedule",
        "seconds": seconds,
        "problems": found_problems,
        "blocked": any(problem.blocking for problem in found_problems) or not people.to_send,
        "form": form,
        "back": _url(campaign),
    }
    return page(request, "admin/mailinglist/campaign/start.html", f"{act} “{campaign.name}”", context)


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


def _campaign(
    request: HttpRequest, campaign_id: int, permission: str = "mailinglist.change_campaign"
) -> Campaign:
    return found(request, Campaign, campaign_id, permission)


def _url(campaign: Campaign) -> str:
    return reverse("admin:mailinglist_campaign_change", args=[campaign.pk])
