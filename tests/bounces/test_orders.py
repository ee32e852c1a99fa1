"""Events in any order: as many as one likes, doubled, shuffled, before the answers of SES: one end."""

import os
import random
from typing import Any

import pytest
from django.db import transaction

from bounces import ingest, pipeline
from bounces.models import AddressHealth, Event, Notification
from mailinglist import lifecycle
from mailinglist.changes import SYSTEM
from mailinglist.models import Attempt, Campaign, Delivery, Subscription, Suppression
from mailinglist.sending import queue
from mailinglist.sending.outcomes import Accepted
from tests import ses_events as ses
from tests.bounces.helpers import take
from tests.factories import make_campaign, make_list, make_readers

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


def snapshot_of_the_end() -> list[Any]:
    """Everything that must not depend on the order of arrival."""
    subscribers = Subscription.objects.order_by("subscriber__email_key").values_list(
        "subscriber__email_key", "list__slug", "status", "unsubscribe_reason", "unsubscribed_at"
    )
    deliveries = Delivery.objects.order_by("subscriber__email_key", "pk").values_list(
        "subscriber__email_key", "state", "reason", "next_attempt_at"
    )
    events = Event.objects.order_by("dedupe_key").values_list(
        "dedupe_key", "verdict", "reason", "effect", "effect_at", "delivery_id", "attempt_number"
    )
    return [
        list(subscribers),
        list(deliveries),
        list(events),
        list(Suppression.objects.order_by("key").values_list("key", "reason", "since", "released_at")),
        list(
            Attempt.objects.order_by("delivery_id", "number").values_list("message_id", "result", "verdict")
        ),
        list(
            AddressHealth.objects.order_by("subscriber__email_key").values_list(
                "subscriber__email_key", "state", "consecutive_soft", "last_delivered_at", "last_bounce_at"
            )
        ),
    ]


def test_any_order_of_a_campaigns_notifications_gives_the_same_end() -> None:
    mailing_list = make_list()
    make_readers(mailing_list, 8)
    campaign = make_campaign(mailing_list)
    lifecycle.start(campaign.pk, by=SYSTEM)
    deliveries = ses.accept_all(campaign.pk)
    documents = [ses.sent(delivery) for delivery in deliveries]
    for number, delivery in enumerate(deliveries):
        story = number
        if story in (0, 1, 2, 7):
            documents.append(ses.delivered(delivery))
        if story in (1, 3):
            documents.append(ses.bounced(delivery))
        if story in (2, 3):
            documents.append(ses.complained(delivery))
        if story in (4, 7):
            documents.append(ses.full(delivery))
        if story == 5:
            documents += [ses.blocked(delivery), ses.delivered(delivery)]
        if story == 6:
            documents += [ses.out_of_office(delivery), ses.delivered(delivery)]
    ends = []
    for seed in range(20):
        order = documents * (2 if seed % 2 else 1)
        random.Random(seed).shuffle(order)
        with transaction.atomic():
            size = random.Random(seed).choice([1, 3, 17, 200])
            for start in range(0, len(order), size):
                take(*order[start : start + size])
            ends.append(snapshot_of_the_end())
            transaction.set_rollback(True)
    assert all(end == ends[0] for end in ends)
    assert {row[1] for row in ends[0][1]} == {"delivered", "bounced", "complained", "waiting"}


STORIES: tuple[tuple[Any, ...], ...] = (
    (ses.delivered,),
    (ses.delivered, ses.opened),
    (ses.delivered, ses.opened, ses.complained),
    (ses.bounced,),
    (ses.delivered, ses.bounced),
    (ses.full,),
    (ses.blocked, ses.delivered),
    (ses.out_of_office, ses.delivered, ses.opened),
    (ses.full, ses.complained),
)


#: About 2.9 events each. With 1,800 people the twenty orders have 100,000 events, which takes some minutes.
PEOPLE = int(os.environ.get("ORDERS_PEOPLE", "18"))


@pytest.mark.slow
def test_thousands_of_events_in_twenty_orders_give_one_end() -> None:
    """Half of the orders come before the answers of SES are written down; some notifications come twice."""
    mailing_list = make_list()
    make_readers(mailing_list, PEOPLE)
    campaign = make_campaign(mailing_list)
    lifecycle.start(campaign.pk, by=SYSTEM)
    claimed = queue.claim(5000, campaign_id=campaign.pk, lease_seconds=6000)
    documents = []
    for number, delivery in enumerate(Delivery.objects.select_related("subscriber").order_by("pk")):
        events = (ses.sent, *STORIES[number % len(STORIES)])
        documents += [ses.raw(event(delivery)) for event in events]
    assert len(documents) > 2.5 * PEOPLE
    ends = {_end_of(campaign, documents, claimed, seed) for seed in range(20)}
    assert len(ends) == 1
    assert not Notification.objects.exists()


def _end_of(campaign: Campaign, documents: list[bytes], claimed: Any, seed: int) -> str:
    """What is left after one order, as text; the database is then as before."""
    chance = random.Random(seed)
    order = documents + chance.sample(documents, len(documents) // 10)
    chance.shuffle(order)
    with transaction.atomic():
        answers = [(row, Accepted(f"0100-{row.delivery_id}-{row.attempt}")) for row in claimed]
        if seed < 10:
            queue.finish(answers)
        for start in range(0, len(order), 700):
            rows = [
                ingest.Incoming(raw, Notification.Source.SQS, ingest.content_key(raw))
                for raw in order[start : start + 700]
            ]
            done = pipeline.process([row.notification_id for row in ingest.store_many(rows, wake=False)])
            assert not done.failed and not done.quarantined
        if seed >= 10:
            queue.finish(answers)
        end = repr(snapshot_of_the_end())
        transaction.set_rollback(True)
    return end
