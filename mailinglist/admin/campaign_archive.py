"""A campaign and the public archives of its lists: where it stands there, and how to take it off after it was sent."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from mailinglist import archive, links
from mailinglist.models import Campaign, MailingList
from mailinglist.staff import actor, ask, found


def addresses(campaign: Campaign) -> list[tuple[MailingList, str]]:
    """(list, address there) for each of its lists that has an archive, once it was started; else nothing."""
    if campaign.status not in archive.SHOWN:
        return []
    lists = campaign.lists.filter(has_archive=True).order_by("name")
    return [(mailing_list, links.archived(campaign, mailing_list)) for mailing_list in lists]


def put_in(request: HttpRequest, campaign_id: int) -> HttpResponse:
    return _act(
        request,
        campaign_id,
        wanted=True,
        button="Put into the archive",
        sentence="Anybody can then read it in the public archive of its lists, where they have one.",
    )


def take_off(request: HttpRequest, campaign_id: int) -> HttpResponse:
    return _act(
        request,
        campaign_id,
        wanted=False,
        button="Take off the archive",
        sentence="Its page and its place in the feed disappear. Copies that search engines and feed readers made "
        "stay with them.",
    )


#: Tail of the address → view, as in campaign_acts.py.
VIEWS = {"archive": put_in, "unarchive": take_off}


def _act(request: HttpRequest, campaign_id: int, *, wanted: bool, button: str, sentence: str) -> HttpResponse:
    campaign = found(request, Campaign, campaign_id, "mailinglist.change_campaign")
    back = reverse("admin:mailinglist_campaign_change", args=[campaign.pk])
    if request.method == "POST":
        if archive.put_in(campaign.pk, wanted, by=actor(request)):
            messages.success(request, f"It is {'in' if wanted else 'off'} the archive.")
        else:
            messages.info(request, "Nothing was changed: it was so already.")
        return HttpResponseRedirect(back)
    names = ", ".join(campaign.lists.order_by("name").values_list("name", flat=True))
    return ask(
        request,
        title=f"{button}: “{campaign.name}”",
        sentences=[sentence, f"Its lists: {names}."],
        button=button,
        back=back,
    )
