"""The page that says who would get a campaign, who would not, and why; and its fields in the campaign's form."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from mailinglist.admin.campaign_form import SEARCHED
from mailinglist.models import Campaign
from mailinglist.segments.rules import BadRules
from mailinglist.sending import audience_preview, chosen
from mailinglist.sending.audience_preview import Preview
from mailinglist.staff import found, page

#: Few enough to be shown as boxes; the others are searched for.
BOXES = ("include_segments", "exclude_segments", "exclude_lists")
FIELDS = (*BOXES, *SEARCHED)
FIELDSET = (
    "Who of them",
    {
        "fields": FIELDS,
        "description": "Empty: every subscriber of the lists. “Who gets it” counts them once this is saved.",
    },
)


def show(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """Counted now, by the conditions of the start itself; of a started campaign, what it chose. Changes nothing."""
    campaign = loaded(request, campaign_id, "mailinglist.view_campaign")
    context = {
        "campaign": campaign,
        "audience": preview(campaign, quick=is_quick(request)) if campaign.editable else None,
        "quick": is_quick(request),
        "choice": choice(campaign),
        "back": reverse("admin:mailinglist_campaign_change", args=[campaign.pk]),
    }
    return page(
        request, "admin/mailinglist/campaign/audience_page.html", f"Who gets “{campaign.name}”", context
    )


def loaded(request: HttpRequest, campaign_id: int, permission: str) -> Campaign:
    """The campaign with what the pages about its people read more than once."""
    rows = Campaign.objects.select_related("template").prefetch_related("lists")
    campaign = found(request, rows, campaign_id, permission)
    chosen.prefetch(campaign)
    return campaign


def is_quick(request: HttpRequest) -> bool:
    """Whether the page is to open at once: where that is too soon for a count, it asks for itself again with ?count=1."""
    return request.method != "POST" and "count" not in request.GET


def preview(campaign: Campaign, *, quick: bool) -> Preview:
    """The numbers; those of nobody where a segment cannot be used (the list of problems says so)."""
    try:
        return audience_preview.preview(campaign, quick=quick)
    except BadRules:
        return Preview(0)


def people(counted: Preview) -> str:
    """For a sentence: "about 12,000 people"."""
    if counted.to_send is None:
        return "more people than could be counted in time"
    return f"{'about ' * counted.about}{counted.to_send:,} people"


def choice(campaign: Campaign) -> list[tuple[str, str]]:
    """What the campaign chooses by, as lines of a page."""
    lines = [
        (str(Campaign._meta.get_field(name).verbose_name), ", ".join(map(str, getattr(campaign, name).all())))  # type: ignore[union-attr]
        for name in FIELDS
    ]
    if campaign.follows:
        who = f"those whom “{campaign.follows}” did not reach"
        lines.insert(0, ("only", who + " and new subscribers" * campaign.follow_newcomers))
    return [(label[:1].upper() + label[1:], text) for label, text in lines if text]
