"""Rows for the staff pages: a campaign that ran, with every kind of outcome, made without the engine."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from bounces.models import AddressHealth, Event, Notification
from mailinglist import suppression
from mailinglist.changes import Actor, Kind, Noun, record
from mailinglist.models import (
    Attempt,
    Campaign,
    CampaignVersion,
    Delivery,
    MailingList,
    Subscriber,
    Suppression,
)
from tests.factories import make_campaign, make_list, make_subscriber

T0 = datetime(2025, 11, 20, 9, 0, 0, tzinfo=UTC)
#: What must never reach a page unescaped.
NASTY = "<script>alert('x')</script><img src=x onerror=alert(1)>"


def make_started(*lists: MailingList, **values: Any) -> Campaign:
    """A campaign that is sending, with a frozen version."""
    campaign = make_campaign(*lists, **{"name": "Week 47", **values})
    version = CampaignVersion.objects.create(
        campaign=campaign,
        number=1,
        subject=campaign.subject,
        html="<p>Hello {{ name }}</p>",
        text="Hello {{ name }}",
    )
    Campaign.objects.filter(pk=campaign.pk).update(
        **{"status": "sending", "version": version, "started_at": T0, "retry_until": T0 + timedelta(days=10)}
    )
    campaign.refresh_from_db()
    return campaign


def make_delivery(campaign: Campaign, subscriber: Subscriber, state: str, **values: Any) -> Delivery:
    """One recipient's row, with an accepted attempt where the state says that there was one."""
    if state == "waiting":
        values.setdefault("next_attempt_at", T0 + timedelta(days=1))
    if state == "sending":
        values.setdefault("lease_until", T0)
    delivery = Delivery.objects.create(
        campaign=campaign,
        version=campaign.version,
        list=campaign.lists.order_by("pk")[0],
        subscriber=subscriber,
        state=state,
        attempts=0 if state in ("queued", "skipped") else 1,
        **values,
    )
    if delivery.attempts:
        unknown = state == "unknown"
        Attempt.objects.create(
            delivery=delivery,
            number=1,
            started_at=T0,
            finished_at=None if unknown else T0 + timedelta(seconds=1),
            result="unknown" if unknown else "accepted",
            message_id=None if unknown else f"0100-{delivery.pk}",
        )
    return delivery


def make_event(delivery: Delivery, verdict: str, explanation: str, **values: Any) -> Event:
    """One report about a delivery, with its raw notification."""
    number = Notification.objects.count()
    notification = Notification.objects.create(
        source="sns",
        raw=json.dumps({"eventType": "Bounce", "note": explanation, "n": number}).encode(),
        dedupe_key=f"sns:{number}",
        state="processed",
    )
    defaults = {
        "kind": "bounce",
        "type": "Transient",
        "subtype": "MailboxFull",
        "recipient": delivery.subscriber.email,
        "status": "4.2.2",
        "diagnostic": "smtp; 452 4.2.2 mailbox full",
        "mta": "mx.post.example",
        "occurred_at": T0 + timedelta(seconds=2),
        "attempt_number": 1,
    }
    return Event.objects.create(
        **{**defaults, **values},
        notification=notification,
        dedupe_key=f"event:{number}",
        delivery=delivery,
        subscriber=delivery.subscriber,
        verdict=verdict,
        explanation=explanation,
    )


def make_quarantined(raw: bytes = b"not JSON", error: str = "It is not JSON.") -> Notification:
    return Notification.objects.create(
        source="sns",
        raw=raw,
        dedupe_key=f"sns:q{Notification.objects.count()}",
        state="quarantined",
        error=error,
    )


def make_story(
    email: str = "ada@post.example", text: str = "The mailbox is full.", name: str = "Ada"
) -> Subscriber:
    """One person with two lists and something of every kind in their timeline; ``text`` in every free field."""
    news = MailingList.objects.filter(slug="news").first() or make_list("news")
    tips = MailingList.objects.filter(slug="tips").first() or make_list("tips")
    ada = make_subscriber(email, news, tips, name=name, attributes={"city": text})
    campaign = Campaign.objects.filter(status="sending").first() or make_started(news)
    waiting = make_delivery(campaign, ada, "waiting", reason="soft:mailbox-full")
    effect = "The same mail is sent again on 21 Nov 2025."
    make_event(waiting, "soft", text, effect="retry", effect_text=effect, diagnostic=text)
    late = make_delivery(make_started(news, name="Week 48"), ada, "unknown", reason="held")
    make_event(late, "not-a-bounce", "", kind="open", diagnostic="")
    AddressHealth.objects.create(subscriber=ada, state="wavering", consecutive_soft=1, last_bounce_at=T0)
    record(
        Noun.SUBSCRIPTION,
        1,
        before="pending",
        after="confirmed",
        why=text,
        by=Actor(Kind.PERSON),
        subscriber_id=ada.pk,
        list_id=news.pk,
        at=T0 - timedelta(days=30),
    )
    return ada


def make_suppressed(subscriber: Subscriber, why: str = "550 5.1.1 no such user") -> Suppression:
    suppression.suppress(
        subscriber.pk, reason=Suppression.Reason.HARD_BOUNCE, by=Actor(Kind.RULE), why=why, since=T0
    )
    return Suppression.objects.get(key=subscriber.suppression_key)
