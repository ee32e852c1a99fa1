"""Every public page in every state, for the tests that hold for all of them: HTML, weight, accessibility, look.

A new public page is one more line in ``visits``. What a page needs to exist is made by ``stage``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.utils import timezone
from django.views import csrf, defaults

from mailinglist import lifecycle, looks, subscriptions, tokens
from mailinglist.changes import SYSTEM
from mailinglist.models import Campaign, CampaignVersion, FormStep, MailingList, Subscription
from tests import logos
from tests.factories import make_campaign, make_list, make_subscriber

#: More than a page of the archive holds.
ISSUES = 23


@dataclass(frozen=True, slots=True)
class Visit:
    """One page in one state. With ``post`` it is what that form answers."""

    name: str
    path: str
    post: dict[str, Any] | None = None
    status: int = 200
    #: A page with scripts or a frame of its own: its head and weight are not those of the others.
    special: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """What the pages are about."""

    news: MailingList
    plain: MailingList
    newest: Campaign
    oldest: Campaign
    links: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer, with the path that its relative links start from."""

    name: str
    path: str
    html: str
    special: bool = False


def stage() -> Stage:
    """A list with everything a list can have, one with nothing, an archive of several pages, people in each state."""
    news = make_list(
        "news",
        name="The weekly letter",
        description="What happened, every Friday.\n\nWritten by people, read in five minutes.",
        accent="#e0a100",
        has_archive=True,
        consent_wording="Yes, send me the weekly letter.\n\nI can leave at any time.",
        sign_up_text="Nearly there!\n\nLook into your mailbox.",
        welcome_text="Good to have you.\n\nThe next letter comes on Friday.",
        goodbye_text="Farewell, and thanks for reading.",
    )
    looks.set_logo(news.pk, logos.png(320, 96), by=SYSTEM)
    news.refresh_from_db()
    plain = make_list("plain", name="Board minutes " + "and more " * 8)
    _make_pressed_forms()
    make_subscriber("reader@post.example", news)
    sent = _sent(news)
    found = Stage(news, plain, newest=sent[-1], oldest=sent[0])
    found.links.update(_links(news, plain))
    return found


def visits(found: Stage) -> list[Visit]:
    """All pages and states. Those of ``links`` belong to a person each, so the order does not matter."""
    link, slug = found.links, found.news.slug
    issue = f"/archive/{slug}/{found.newest.public_id}/"
    pages = [
        Visit("home", "/"),
        Visit("list", f"/lists/{slug}/"),
        Visit("list without a look", f"/lists/{found.plain.slug}/"),
        Visit("sign-up", f"/lists/{slug}/subscribe"),
        Visit("sign-up without a look", f"/lists/{found.plain.slug}/subscribe"),
        Visit(
            "sign-up with an error",
            f"/lists/{slug}/subscribe",
            {"email": "ada.post.example", "name": "Ada\nLovelace"},
        ),
        Visit("sign-up with a mistyped domain", f"/lists/{slug}/subscribe", {"email": "ada@gmial.com"}),
        Visit("sign-up without the time", f"/lists/{slug}/subscribe", {"email": "ada@post.example"}),
        Visit("sign-up that asks for tracking", "/lists/busy/subscribe", special=True),
        Visit("sign-up, closed", "/lists/shut/subscribe"),
        *(
            Visit(f"embedded form, {way}", f"/lists/{slug}/embed-preview/{way}", special=True)
            for way in ("html", "script", "short")
        ),
        Visit("check your mail", f"/lists/{slug}/check-your-mail"),
        Visit("check your mail without a text", f"/lists/{found.plain.slug}/check-your-mail"),
        Visit("confirm", link["confirm"]),
        Visit("confirmed", link["confirm"], {}),
        Visit("nothing to confirm", link["confirm-left"], {}),
        Visit("bad link", "/confirm/damaged", status=404),
        Visit("unsubscribe", link["unsubscribe"]),
        Visit("unsubscribe from nothing", link["unsubscribe-left"]),
        Visit("unsubscribed", link["unsubscribe"], {"confirm": "1", "scope": "list"}),
        Visit("unsubscribed everywhere", link["unsubscribe"], {"confirm": "1", "scope": "all"}),
        Visit(
            "why, with an error", link["unsubscribe-left"], {"tell": "1", "words": "x" * 501, "because": "y"}
        ),
        Visit(
            "why, told", link["unsubscribe-left"], {"tell": "1", "because": "too-often", "words": "Sorry!"}
        ),
        Visit("rejoined", link["unsubscribe-left"], {"rejoin": slug}),
        Visit("too late", link["unsubscribe-long-ago"], {"rejoin": slug}),
        Visit("preferences", link["preferences"]),
        Visit("preferences saved", link["preferences"], {"name": "Ada", "shown": [slug], "keep": [slug]}),
        Visit("preferences, one left", link["preferences"], {"shown": [slug], "keep": []}),
        Visit(
            "preferences with an error",
            link["preferences"],
            {"name": "Ada\nLovelace", "shown": [slug], "keep": [slug]},
        ),
        Visit("preferences, paused", link["preferences"], {"pause": "30"}),
        Visit("preferences of somebody paused", link["preferences-paused"]),
        Visit("preferences, back", link["preferences-paused"], {"resume": "1"}),
        Visit("preferences without lists", link["preferences-left"]),
        Visit("preferences with tracking", link["preferences-busy"]),
        Visit("your data by mail", f"{link['preferences']}/data"),
        Visit("your data, mailed", f"{link['preferences']}/data", {}),
        Visit("your data", link["data"]),
        Visit("your data, not sure", link["data"], {"act": "erase"}),
        Visit("your data, erased", link["data"], {"act": "erase", "sure": "1"}),
        Visit("nothing here", "/links/nothing-here"),
        Visit("archive", f"/archive/{slug}/"),
        Visit("archive, last page", f"/archive/{slug}/?page=2"),
        Visit("archived mail", issue),
        Visit("oldest archived mail", f"/archive/{slug}/{found.oldest.public_id}/"),
        Visit("no such page", "/no-such-page", status=404),
    ]
    return pages


def shown(client: Client, visit: Visit) -> Shown:
    """The page of a visit, checked for its status."""
    answer = client.get(visit.path) if visit.post is None else client.post(visit.path, visit.post)
    assert answer.status_code == visit.status, (visit.name, answer.status_code)
    return Shown(visit.name, visit.path, answer.content.decode(), visit.special)


def errors(rf: RequestFactory) -> Iterator[Shown]:
    """The pages of Django's own errors."""
    request = rf.get("/broken")
    get_token(request)
    answers: dict[str, HttpResponse] = {
        "400": defaults.bad_request(request, SuspiciousOperation()),
        "403": defaults.permission_denied(request, PermissionDenied()),
        "403 CSRF": csrf.csrf_failure(request),
        "500": defaults.server_error(request),
    }
    for name, answer in answers.items():
        yield Shown(name, "/broken", answer.content.decode())


def empty_pages(client: Client) -> Iterator[Shown]:
    """What there is before there is anything. Call it on an empty database."""
    yield shown(client, Visit("home without lists", "/"))
    make_list("young", has_archive=True, is_public=False)
    yield shown(client, Visit("archive without issues", "/archive/young/"))
    MailingList.objects.all().delete()


def _sent(news: MailingList) -> list[Campaign]:
    """The archive, oldest first: one mail started as managers do, all others made of its content."""
    first = make_campaign(
        news,
        subject='The first letter for {{ name|default:"friends" }}',
        preheader="What the first week brought",
        body="# Hello {{ name }}\n\n"
        + "A line of what happened this week. " * 9
        + "[Read it](https://example.com/)",
    )
    lifecycle.start(first.pk, by=SYSTEM)
    first.refresh_from_db()
    assert first.version
    found = [first]
    for number in range(1, ISSUES):
        at = timezone.now() - timedelta(weeks=ISSUES - number)
        campaign = Campaign.objects.create(name=f"Letter {number}", subject=f"Letter {number}")
        version = CampaignVersion.objects.create(
            campaign=campaign,
            number=1,
            subject=f"Letter {number}",
            html=first.version.html,
            text=first.version.text * (number % 3 + 1),
        )
        campaign.status, campaign.version = "finished", version
        campaign.started_at = campaign.retry_until = at
        campaign.save()
        found.append(campaign)
    Campaign.lists.through.objects.bulk_create(
        Campaign.lists.through(campaign=campaign, mailinglist=news) for campaign in found[1:]
    )
    Campaign.objects.filter(pk=first.pk).update(started_at=timezone.now() - timedelta(weeks=ISSUES))
    return found


def _links(news: MailingList, plain: MailingList) -> dict[str, str]:
    """The links of mails, each of a person of its own."""
    consent = subscriptions.Consent(at=timezone.now())
    found: dict[str, str] = {}
    for name, left in (("confirm", False), ("confirm-left", True)):
        subscriptions.subscribe(news, f"{name}@post.example", consent=consent, source="form", by=SYSTEM)
        row = Subscription.objects.select_related("subscriber", "list").get(
            list=news, subscriber__email=f"{name}@post.example"
        )
        found[name] = _path(tokens.confirm_url(row))
        if left:
            _leave(row.subscriber_id)
    for name, lists in (
        ("unsubscribe", [news, plain]),
        ("unsubscribe-left", [news]),
        ("unsubscribe-long-ago", [news]),
        ("preferences", [news, plain]),
        ("preferences-paused", [news]),
        ("preferences-left", [news]),
    ):
        person = make_subscriber(f"{name}@post.example", *lists)
        make = tokens.unsubscribe_url if name.startswith("unsubscribe") else tokens.preferences_url
        found[name] = _path(make(person, news))
        if "left" in name:
            _leave(person.pk)
        if "long-ago" in name:
            _leave(person.pk, days=2)
        if "paused" in name:
            type(person).objects.filter(pk=person.pk).update(paused_until=timezone.now() + timedelta(days=9))
    person = make_subscriber("tracked@post.example", news, MailingList.objects.get(slug="busy"))
    found["data"] = _path(tokens.data_url(person, news))
    found["preferences-busy"] = _path(tokens.preferences_url(person, news))
    return found


def _make_pressed_forms() -> None:
    """A form that asks for a captcha and for the consent to tracking, and one that is closed."""
    now = timezone.now()
    for slug, step in (("busy", FormStep.Step.CAPTCHA), ("shut", FormStep.Step.CLOSED)):
        pressed = make_list(slug, tracking="consent")
        FormStep.objects.create(
            list=pressed, step=step, since=now, until=now + timedelta(hours=1), counted_from=now
        )


def _leave(subscriber_id: int, *, days: int = 0) -> None:
    subscriptions.unsubscribe(
        subscriber_id,
        reason=Subscription.Reason.PAGE,
        by=SYSTEM,
        why="Left.",
        at=timezone.now() - timedelta(days=days),
    )


def _path(url: str) -> str:
    return urlsplit(url).path
