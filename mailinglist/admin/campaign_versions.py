"""The saved texts of a campaign: listed, compared, brought back; and what is typed between two saves, as JSON."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from mailinglist import access, writing
from mailinglist.changes import Actor
from mailinglist.models import Campaign, CampaignDraft, CampaignRevision
from mailinglist.staff import actor, ask, found, page, require
from mailinglist.whole_numbers import whole_number

#: Versions on the page.
SHOWN = 50


class TypedForm(forms.ModelForm):
    """What is typed, however unfinished; only what the database could not hold is refused."""

    class Meta:
        model = CampaignDraft
        fields = ("name", "subject", "preheader", "body_format", "body", "template")


def versions(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The list, and the difference of one (``?number=``) to the text before it or to the present one (``?to=now``)."""
    campaign = found(
        request, Campaign.objects.select_related("template"), campaign_id, "mailinglist.view_campaign"
    )
    revisions = campaign.revisions.select_related("saved_by").defer("body").order_by("-number")
    context: dict[str, Any] = {
        "campaign": campaign,
        "versions": revisions[:SHOWN],
        "may_restore": campaign.editable
        and access.may(request.user, "mailinglist.change_campaign", campaign),
        "back": reverse("admin:mailinglist_campaign_change", args=[campaign.pk]),
    }
    if wanted := whole_number(request.GET.get("number")):
        chosen = get_object_or_404(campaign.revisions.select_related("template"), number=wanted)
        before, after = _pair(campaign, chosen, to_now=request.GET.get("to") == "now")
        context |= {
            "chosen": chosen,
            "to_now": request.GET.get("to") == "now",
            "fields": _changed_fields(before, after),
            "lines": writing.difference(before.body if before else "", after.body),
        }
    return page(
        request, "admin/mailinglist/campaign/versions.html", f"Versions of “{campaign.name}”", context
    )


def restore(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """``?number=``: which one."""
    campaign = found(request, Campaign, campaign_id, "mailinglist.change_campaign")
    number = whole_number(request.GET.get("number")) or 0
    if not campaign.revisions.filter(number=number).exists():
        raise Http404("No such version.")
    if request.method == "POST":
        try:
            made = writing.restore(campaign.pk, number, by=actor(request))
        except writing.NotEditable as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"This is the text of version {number} again, saved as version {made}.")
        return HttpResponseRedirect(reverse("admin:mailinglist_campaign_change", args=[campaign.pk]))
    return ask(
        request,
        title=f"Bring back version {number} of “{campaign.name}”",
        sentences=[
            "Subject, preview line, format, template and text become those of that version. The present ones stay "
            "among the versions.",
        ],
        button="Bring it back",
        back=reverse("admin:mailinglist_campaign_versions", args=[campaign.pk]),
    )


@require_POST
def keep_typed(request: HttpRequest, campaign_id: int | None = None) -> HttpResponse:
    """What compose.js sends every few seconds. 409 with a sentence where somebody else saved meanwhile."""
    _writable(request, campaign_id)
    form = TypedForm(request.POST)
    if not form.is_valid():
        field, sentences = next(iter(form.errors.items()))
        return JsonResponse({"says": f"Not kept: {field}: {sentences[0]}"}, status=400)
    base = whole_number(request.POST.get("base")) or 0
    try:
        kept = writing.keep_typed(campaign_id, form.cleaned_data, base=base, by=actor(request))
    except writing.NotEditable as refusal:
        return JsonResponse({"says": str(refusal)}, status=409)
    says = conflict(kept.newer) if kept.newer else "Kept as a draft."
    return JsonResponse({"says": says, "kept": kept.mark}, status=409 if kept.newer else 200)


def keep_refused(campaign: Campaign, posted: Mapping[str, Any], *, base: int, by: Actor) -> str:
    """Keep the text of a save that was refused. Returns its mark; "" where the database could not hold it."""
    form = TypedForm(posted)
    return (
        writing.keep_typed(campaign.pk, form.cleaned_data, base=base, by=by).mark if form.is_valid() else ""
    )


def throw_away(request: HttpRequest, campaign_id: int | None = None) -> HttpResponse:
    """Forget what was typed and not saved."""
    campaign = _writable(request, campaign_id)
    back = (
        reverse("admin:mailinglist_campaign_change", args=[campaign.pk])
        if campaign
        else reverse("admin:mailinglist_campaign_add")
    )
    if request.method == "POST":
        writing.forget_typed(campaign, request.user)
        return HttpResponseRedirect(back)
    return ask(
        request,
        title="Throw away what you typed",
        sentences=["What you typed and did not save is forgotten. What is saved stays."],
        button="Throw it away",
        danger=True,
        back=back,
    )


def conflict(newer: CampaignRevision, *, kept: bool = True) -> str:
    """The sentence for who is about to write over somebody else's text."""
    who = str(newer.saved_by) if newer.saved_by else "Somebody"
    where = "kept as your draft" if kept else "on this page"
    return (
        f"{who} saved version {newer.number} at {newer.saved_at:%H:%M} UTC while you were writing. Nothing of yours is "
        f"lost: it is {where}. Compare, then decide when you save."
    )


def as_initial(draft: CampaignDraft) -> dict[str, Any]:
    """The values of the form, with the revision that they were typed over."""
    names = (*TypedForm.Meta.fields, "base")
    return {name: getattr(draft, name) for name in names if name != "template"} | {
        "template": draft.template_id,
        "kept": writing.mark(draft),
    }


def with_draft(form: type[forms.ModelForm], draft: CampaignDraft) -> type[forms.ModelForm]:
    """The form, which shows the draft in place of what is saved."""

    class Continued(form):  # type: ignore[valid-type,misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.initial.update(as_initial(draft))

    return Continued


#: Tail of the address → view, as in campaign_acts.py.
VIEWS: dict[str, Callable[..., HttpResponse]] = {
    "versions": versions,
    "restore": restore,
    "typed": keep_typed,
    "throw-away": throw_away,
}


def _writable(request: HttpRequest, campaign_id: int | None) -> Campaign | None:
    """The campaign that is written on; None: one that was never saved."""
    if campaign_id:
        return found(request, Campaign, campaign_id, "mailinglist.change_campaign")
    require(request, "mailinglist.add_campaign")
    return None


def _pair(campaign: Campaign, chosen: CampaignRevision, *, to_now: bool) -> tuple[Any, Any]:
    if to_now:
        return chosen, campaign
    earlier = campaign.revisions.select_related("template").filter(number__lt=chosen.number)
    return earlier.order_by("-number").first(), chosen


def _changed_fields(before: Any, after: Any) -> list[tuple[str, str, str]]:
    def shown(row: Any, name: str) -> str:
        if row is None:
            return ""
        return str(row.template or "none") if name == "template" else str(getattr(row, name))

    names = {
        "subject": "Subject",
        "preheader": "Preview line",
        "body_format": "Format",
        "template": "Template",
    }
    pairs = [(label, shown(before, name), shown(after, name)) for name, label in names.items()]
    return [pair for pair in pairs if pair[1] != pair[2]]
