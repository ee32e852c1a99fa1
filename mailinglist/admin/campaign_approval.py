"""Four eyes on the page of a campaign: ask, approve, send back. Wired in by campaigns.py."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from mailinglist import access, approvals
from mailinglist.models import Campaign
from mailinglist.staff import actor, found, page

CHANGE = "mailinglist.change_campaign"


class WordForm(forms.Form):
    why = forms.CharField(
        label="A word to the writer",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Kept in the history when you send it back.",
    )


def context(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    """What the page of a campaign shows about it; empty where no list wants four eyes."""
    if not campaign.editable or not approvals.is_wanted(campaign):
        return {}
    row = approvals.of(campaign)
    approved = approvals.stands(campaign, row)
    return {
        "four_eyes": True,
        "approval": row,
        "approved": approved,
        "asked": approvals.waits(campaign, row),
        "unapproved": not approved,
        "may_approve": access.may(request.user, CHANGE, campaign)
        and request.user.pk not in approvals.authors(campaign, row),
    }


def ask(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """POST: ask the others."""
    campaign = found(request, Campaign, campaign_id, CHANGE)
    if request.method == "POST":
        return _act(
            request,
            campaign,
            lambda: approvals.ask(campaign.pk, by=actor(request), seen=request.POST.get("seen", "")),
            "Asked. Another manager of the list finds it on the campaign's page.",
        )
    return _page(request, campaign, asking=True)


def approve(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """GET: what would go out. POST: approve exactly that, or (``back``) send it back."""
    campaign = found(request, Campaign, campaign_id, CHANGE)
    if request.method != "POST":
        return _page(request, campaign, asking=False)
    by = actor(request)
    if "back" in request.POST:
        why = request.POST.get("why", "").strip()[:500]
        return _act(request, campaign, lambda: approvals.withdraw(campaign.pk, by=by, why=why), "Sent back.")
    seen = request.POST.get("seen", "")
    return _act(
        request, campaign, lambda: approvals.approve(campaign.pk, seen, by=by), "Approved: it can be started."
    )


VIEWS: dict[str, Callable[..., HttpResponse]] = {"ask-approval": ask, "approve": approve}


def _page(request: HttpRequest, campaign: Campaign, *, asking: bool) -> HttpResponse:
    context = {
        "campaign": campaign,
        "asking": asking,
        "seen": approvals.fingerprint(campaign),
        "form": None if asking else WordForm(),
        "preview": reverse("admin:mailinglist_campaign_preview_html", args=[campaign.pk]),
        "back": _url(campaign),
    }
    title = f"{'Ask for approval of' if asking else 'Approve'} “{campaign.name}”"
    return page(request, "admin/mailinglist/campaign/approve.html", title, context)


def _act(request: HttpRequest, campaign: Campaign, act: Callable[[], bool], done: str) -> HttpResponse:
    try:
        if act():
            messages.success(request, done)
        else:
            messages.info(request, "Nothing was changed: it was so already.")
    except approvals.CannotApprove as refusal:
        messages.error(request, str(refusal))
    return HttpResponseRedirect(_url(campaign))


def _url(campaign: Campaign) -> str:
    return reverse("admin:mailinglist_campaign_change", args=[campaign.pk])
