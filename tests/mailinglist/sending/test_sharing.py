"""Real runs on real connections share one limited budget."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from mailinglist.models import Delivery, SendBudget, Subscription
from mailinglist.sending import engine, pacing, queue
from mailinglist.sending.transport import Raw
from tests.factories import make_list, make_subscriber
from tests.mailinglist.sending.helpers import FakeSES, started
from tests.mailinglist.sending.test_concurrency import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rung"), pytest.mark.no_cover]
#: Permits reach a second ahead, so a run needs as many rows in hand as it gets in a second.
RATE, SECONDS = 40, 5


@pytest.fixture
def limited() -> None:
    SendBudget.objects.create(
        name=pacing._name(),
        max_send_rate=RATE,
        max_24_hour=-1,
        tokens=0,
        refilled_at=timezone.now(),
        fetched_at=timezone.now() + timedelta(days=1),
    )


def test_two_campaigns_get_the_same_part_of_the_rate(limited: None) -> None:
    one, two = started(250), started(250, mailing_list=make_list("other"))
    ses = FakeSES(), FakeSES()
    at_once(
        lambda: engine.run(one.pk, transport=Raw(ses[0]), seconds=SECONDS),
        lambda: engine.run(two.pk, transport=Raw(ses[1]), seconds=SECONDS, concurrency=RATE),
    )
    sent = [len(fake.mails) for fake in ses]
    assert sum(sent) >= 0.6 * RATE * SECONDS
    assert min(sent) >= 0.25 * sum(sent)


def test_a_confirmation_leaves_within_seconds_beside_a_campaign_at_full_speed(limited: None) -> None:
    campaign = started(250)
    news, person = campaign.lists.get(), make_subscriber("new@post.example")
    took: list[float] = []

    def confirm() -> None:
        time.sleep(1.5)
        Subscription.objects.create(list=news, subscriber=person, status="pending", source="form")
        queue.enqueue(subscriber_id=person.pk, list_id=news.pk, purpose=Delivery.Purpose.CONFIRMATION)
        begun = time.monotonic()
        assert engine.run(None, transport=Raw(FakeSES()), seconds=5) == engine.Drained()
        took.append(time.monotonic() - begun)

    at_once(lambda: engine.run(campaign.pk, transport=Raw(FakeSES()), seconds=SECONDS), confirm)
    assert took[0] < 3
    assert Delivery.objects.get(purpose="confirmation").state == "sent"


def test_a_run_ends_for_a_confirmation_that_finds_no_worker_free(limited: None) -> None:
    campaign = started(250)
    news, person = campaign.lists.get(), make_subscriber("new@post.example")
    Subscription.objects.create(list=news, subscriber=person, status="pending", source="form")
    queue.enqueue(subscriber_id=person.pk, list_id=news.pk, purpose=Delivery.Purpose.CONFIRMATION)
    begun = time.monotonic()
    assert engine.run(campaign.pk, transport=Raw(FakeSES()), seconds=10) == engine.More(0, "")
    assert 1 <= time.monotonic() - begun < 4
    assert campaign.deliveries.filter(state="sent").count() > 0
