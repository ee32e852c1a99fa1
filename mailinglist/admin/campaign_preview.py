"""How a mail looks to one person, in frames that can run nothing and read nothing (frames.py)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin

from mailinglist import access, links, writing
from mailinglist.admin import frames
from mailinglist.composing import body
from mailinglist.models import Campaign, MailingList, Subscriber, Subscription
from mailinglist.sending import messages
from mailinglist.staff import find_subscribers, found, page, require
from mailinglist.whole_numbers import whole_number

EXAMPLE = {"email": "anna@example.com", "name": "Anna Example", "attributes": {}}


def show(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The page with both parts; ``?to=address`` chooses whose mail it is."""
    campaign = _campaign(request, campaign_id)
    subscriber, is_wanted = _subscriber(request, campaign)
    mailing_list = _list(campaign, subscriber)
    context = {
        "campaign": campaign,
        "subscriber": subscriber,
        "to": request.GET.get("to", ""),
        "found": is_wanted,
        "draft": "draft" in request.GET,
        "back": reverse("admin:mailinglist_campaign_change", args=[campaign.pk]),
        "problem": "" if mailing_list else "Choose a list and save: the sender and the links come from it.",
    }
    try:
        mail = _mail(campaign, subscriber, mailing_list) if mailing_list else None
    except body.CannotCompile as bad:
        mail, context["problem"] = None, str(bad)
    if mail and mailing_list:
        wanted = {name: request.GET[name] for name in ("to", "draft") if request.GET.get(name)}
        draft = {"draft": "1"} if "draft" in request.GET else {}
        address = reverse("admin:mailinglist_campaign_preview_html", args=[campaign.pk])
        context |= {
            "mail": mail,
            "sender": f"{mailing_list.from_name} <{mailing_list.from_email}>",
            **frames.choices(
                request, address, of_frame={"subscriber": str(subscriber.pk or ""), **draft}, of_page=wanted
            ),
        }
    return page(request, "admin/mailinglist/campaign/preview.html", f"Preview of “{campaign.name}”", context)


@xframe_options_sameorigin
def html_part(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The HTML part alone, sandboxed."""
    campaign = _campaign(request, campaign_id)
    people = access.visible(Subscriber.objects.all(), request.user, "mailinglist.view_subscriber")
    chosen = people.filter(pk=whole_number(request.GET.get("subscriber"))).first()
    subscriber = chosen or Subscriber(**EXAMPLE)
    mailing_list = _list(campaign, subscriber)
    try:
        html = _mail(campaign, subscriber, mailing_list).html if mailing_list else ""
    except body.CannotCompile:
        html = ""
    return frames.sealed(request, html)


def _mail(campaign: Campaign, subscriber: Subscriber, mailing_list: MailingList) -> messages.Filled:
    version = campaign.version
    if version:
        parsed = messages.parse(subject=version.subject, html=version.html, text=version.text)
    else:
        compiled = body.compile(campaign)
        parsed = messages.parse(subject=campaign.subject, html=compiled.html, text=compiled.text)
    # A preview must not hand out links that act for the person.
    harmless = {
        name: f"{settings.PUBLIC_URL}/{page_name}/preview"
        for name, page_name in (("unsubscribe_url", "unsubscribe"), ("preferences_url", "preferences"))
    }
    harmless["archive_url"] = links.archived(campaign, mailing_list)
    return parsed.fill(messages.values_for(subscriber, mailing_list) | harmless)


def _subscriber(request: HttpRequest, campaign: Campaign) -> tuple[Subscriber, bool]:
    """The person asked for, else the first one who would get it, else an example. Second: as asked for."""
    wanted = request.GET.get("to", "").strip()
    people = access.visible(find_subscribers(wanted), request.user, "mailinglist.view_subscriber")
    chosen = people.order_by("email_key").first() if wanted else None
    if chosen:
        return chosen, True
    first = (
        Subscription.objects.filter(list__in=campaign.lists.all(), status=Subscription.Status.CONFIRMED)
        .select_related("subscriber")
        .order_by("pk")
        .first()
    )
    return (first.subscriber, False) if first else (Subscriber(**EXAMPLE), False)


def _list(campaign: Campaign, subscriber: Subscriber) -> MailingList | None:
    """The list the mail would be sent for: the first of the campaign's that the person is on."""
    lists = campaign.lists.order_by("pk")
    if subscriber.pk:
        own = lists.filter(
            subscriptions__subscriber=subscriber, subscriptions__status=Subscription.Status.CONFIRMED
        )
        return own.first() or lists.first()
    return lists.first()


def _campaign(request: HttpRequest, campaign_id: int) -> Campaign:
    """``?draft=1``: with what this manager typed and did not save yet."""
    require(request, "mailinglist.view_subscriber")
    campaigns = Campaign.objects.select_related("version", "template")
    campaign = found(request, campaigns, campaign_id, "mailinglist.view_campaign")
    draft = writing.typed(campaign, request.user) if "draft" in request.GET and campaign.editable else None
    for name in writing.TEXT if draft else ():
        setattr(campaign, name, getattr(draft, name))
    return campaign
