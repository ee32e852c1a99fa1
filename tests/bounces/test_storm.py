"""F12, small: a storm of opens and clicks while a campaign is being sent. Figures of large ones: benchmarks/events.py."""

import random
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from bounces import ingest, pipeline
from bounces.ingest import Incoming
from bounces.models import Event, Notification
from mailinglist import lifecycle
from mailinglist.changes import SYSTEM
from mailinglist.models import Delivery, SendBudget
from mailinglist.sending import engine, pacing
from mailinglist.sending.transport import Raw
from tests import ses_events as ses
from tests.factories import make_campaign, make_list, make_readers
from tests.mailinglist.sending.helpers import FakeSES

READERS, LOOKS, TOGETHER = 40, 30, 100


@pytest.mark.django_db(transaction=True)
def test_a_storm_of_opens_loses_nothing_and_stops_no_campaign() -> None:
    pace = {"max_send_rate": -1, "max_24_hour": -1, "tokens": 0, "refilled_at": timezone.now()}
    pace["fetched_at"] = timezone.now() + timedelta(days=1)
    SendBudget.objects.update_or_create(name=pacing._name(), defaults=pace)
    news = make_list()
    make_readers(news, READERS)
    read, under_way = (make_campaign(news, name=name) for name in ("Read", "Under way"))
    lifecycle.start(read.pk, by=SYSTEM)
    bodies = _storm(ses.accept_all(read.pk))
    lifecycle.start(under_way.pk, by=SYSTEM)
    amazon, troubles = FakeSES(), []

    def work() -> None:
        try:
            while not stored.is_set() or pipeline.process_stored(limit=TOGETHER).taken:
                pipeline.process_stored(limit=TOGETHER)
        except Exception as error:
            troubles.append(error)
        finally:
            connections.close_all()

    def send() -> None:
        try:
            engine.run(under_way.pk, transport=Raw(amazon), seconds=30)
        except Exception as error:
            troubles.append(error)
        finally:
            connections.close_all()

    stored = threading.Event()
    threads = [threading.Thread(target=target) for target in (work, work, send)]
    for thread in threads:
        thread.start()
    for at in range(0, len(bodies), TOGETHER):
        ingest.store_many([_incoming(body) for body in bodies[at : at + TOGETHER]], wake=False)
    stored.set()
    for thread in threads:
        thread.join()
    pipeline.process_everything()

    assert troubles == []
    assert len(amazon.mails) == READERS, "the campaign went out meanwhile"
    assert not Notification.objects.exclude(state="processed").exists()
    assert Notification.objects.count() == len(set(bodies)) == READERS * (LOOKS + 1)
    assert Event.objects.filter(kind="open").count() == READERS * LOOKS
    assert set(Delivery.objects.filter(campaign=read).values_list("state", flat=True)) == {"delivered"}


def _storm(sent: list[Delivery]) -> list[bytes]:
    """The report of each arrival, and a look at each mail every minute; a tenth of them twice, in any order."""
    documents: list[dict[str, Any]] = []
    for delivery in sent:
        documents.append(ses.delivered(delivery))
        documents += [ses.opened(delivery, at=ses.T0 + timedelta(minutes=look)) for look in range(LOOKS)]
    bodies = [ses.raw(document) for document in documents]
    chance = random.Random(1)
    bodies += chance.sample(bodies, len(bodies) // 10)
    chance.shuffle(bodies)
    return bodies


def _incoming(body: bytes) -> Incoming:
    return Incoming(body, source=Notification.Source.FILE, dedupe_key=ingest.content_key(body))
