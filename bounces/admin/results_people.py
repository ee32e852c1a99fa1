"""Who is behind a number of a campaign, with what became of each mail and why; and why one address got it or not.

URL name: ``admin:bounces_results_people``. ?who= is a group of mailinglist/who_got_it.py; ?reason=, ?link= and ?provider=
narrow it; ?q= looks for an address; ?before= is the id that the page goes on below.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from bounces import providers
from mailinglist import access, addresses, engagement, why_not, words
from mailinglist.models import Campaign, Delivery, Subscription
from mailinglist.staff import (
    SEARCH_CAP,
    find_subscriber_ids,
    find_subscribers,
    found,
    page,
    recipient_url,
    require,
)
from mailinglist.who_got_it import GROUPS, newest, sentence, tables
from mailinglist.whole_numbers import whole_number

VIEW = "mailinglist.view_delivery"
PER_PAGE = 50
#: Links are numbered with small integers.
MOST_LINKS = 32_767
#: What the filter offers; the other groups are reached by their numbers.
SECTIONS = (
    ("By and large", ("all", "got", "without", "moving", "unknown", "came-back")),
    ("Where the mail is", tuple(state.value for state in Delivery.State if state != Delivery.State.UNKNOWN)),
    ("What came back", ("verdict-hard", "verdict-soft", "verdict-block", "verdict-complaint", "recovered")),
    ("What people did", ("opened", "clicked", "readers", "left")),
)


def urls() -> list[URLPattern]:
    """The address of this page."""
    view = admin.site.admin_view(show)
    return [path("bounces/results/<int:campaign_id>/people/", view, name="bounces_results_people")]


def show(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """One page of a group, newest first; or what an address was to the campaign."""
    require(request, VIEW)
    campaign = found(request, Campaign.objects.defer("body"), campaign_id, "mailinglist.view_campaign")
    who = request.GET.get("who", "")
    who = who if who in GROUPS else "all"
    narrow = _narrow(request)
    typed = request.GET.get("q", "").strip()[:254]
    context: dict[str, Any] = {
        "campaign": campaign,
        "q": typed,
        "who": who,
        "group": GROUPS[who],
        "sections": [(title, [(code, GROUPS[code].label) for code in codes]) for title, codes in SECTIONS],
        "narrowed": _narrowed(request),
        "listed": any(who in codes for _, codes in SECTIONS),
        **_narrowed_words(campaign, who, narrow),
        "search_cap": SEARCH_CAP,
    }
    if typed and "@" in typed.strip("@"):
        context |= _answer(request, campaign, typed)
    if "answer" not in context:
        context |= _rows(request, campaign.pk, who, narrow, typed)
    title = f"Who got “{campaign}”, and who did not"
    return page(request, "admin/bounces/results/people.html", title, context)


def _narrow(request: HttpRequest) -> dict[str, Any]:
    asked = request.GET
    provider = asked.get("provider", "")[:253]
    return {
        "reason": asked["reason"][:60] if "reason" in asked else None,
        "link": min(whole_number(asked["link"]), MOST_LINKS) if "link" in asked else None,
        "domains": providers.domains(provider) if provider else (),
    }


def _narrowed(request: HttpRequest) -> dict[str, str]:
    """What narrows the group, to be kept by the links of the page."""
    return {name: request.GET[name][:253] for name in ("reason", "link", "provider") if name in request.GET}


def _narrowed_words(campaign: Campaign, who: str, narrow: dict[str, Any]) -> dict[str, str]:
    """The reason and the link as people know them."""
    told_words = {}
    if (code := narrow["reason"]) is not None:
        told = (
            Subscription.LeftBecause(code).label if who == "left" and code in Subscription.LeftBecause else ""
        )
        told_words["reason_words"] = str(told) if code and told else words.reason(code) or "no reason told"
    if narrow["link"] is not None and campaign.version_id:
        address = engagement.links_of(campaign.version_id).address(narrow["link"])
        told_words["link_words"] = address or "another address"
    return told_words


def _answer(request: HttpRequest, campaign: Campaign, typed: str) -> dict[str, Any]:
    """The story of one address; nothing where the address is only the beginning of one."""
    try:
        answer = why_not.of_address(campaign, typed)
    except addresses.BadAddress as error:
        return {} if _begins_one(request, typed) else {"bad_address": str(error)}
    if answer.subscriber is None and _begins_one(request, typed):
        return {}
    if not _may_hear(request, answer):
        answer = why_not.Answer(
            answer.address, ("Nobody with this address is on the lists that you manage.",)
        )
    link = recipient_url(answer.subscriber.pk) if answer.subscriber else ""
    return {"answer": answer, "answer_link": link}


def _begins_one(request: HttpRequest, typed: str) -> bool:
    """Whether it is the beginning of an address of somebody whom the manager may see."""
    people = find_subscribers(typed)
    return access.visible(people, request.user, "mailinglist.view_subscriber").exists()


def _may_hear(request: HttpRequest, answer: why_not.Answer) -> bool:
    """What is known of an address beyond a manager's lists is not for them."""
    permission = "mailinglist.view_subscriber"
    if answer.subscriber:
        return access.may(request.user, permission, answer.subscriber)
    return access.lists_for(request.user, permission) is None


def _rows(
    request: HttpRequest, campaign_id: int, who: str, narrow: dict[str, Any], typed: str
) -> dict[str, Any]:
    before = whole_number(request.GET.get("before", "")) or None
    groups = tables(campaign_id, who, **narrow)
    if typed:
        ids = find_subscriber_ids(typed)
        groups = [rows.filter(subscriber_id__in=ids) for rows in groups]
    rows = newest(groups, before=before, most=PER_PAGE + 1)
    shown = rows[:PER_PAGE]
    kept = {"who": who, **_narrowed(request), **({"q": typed} if typed else {})}
    return {
        "rows": [
            {
                "mail": row,
                "why": sentence(row.state, row.reason, row.attempts),
                "link": recipient_url(row.subscriber_id) if row.subscriber_id else "",
                "read": getattr(row, "engagement", None),
            }
            for row in shown
        ],
        "older": f"?{urlencode({**kept, 'before': shown[-1].pk})}" if len(rows) > PER_PAGE else "",
        "first": f"?{urlencode(kept)}" if before else "",
        "export": _export(request, campaign_id, who, narrow),
    }


def _export(request: HttpRequest, campaign_id: int, who: str, narrow: dict[str, Any]) -> str:
    """The address that makes a file of this group; "" for managers who may not."""
    if not request.user.has_perm("mailinglist.export_subscriber"):
        return ""
    asked: dict[str, Any] = {"who": who}
    if narrow["reason"] is not None:
        asked["reason"] = narrow["reason"]
    if narrow["link"] is not None:
        asked["link"] = narrow["link"]
    if narrow["domains"]:
        asked["domains"] = ",".join(narrow["domains"])
    return f"{reverse('admin:mailinglist_delivery_export', args=[campaign_id])}?{urlencode(asked)}"
