"""The story of a person, in words, complete and in few queries."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bounces import timeline
from mailinglist import subscriptions, suppression
from mailinglist.changes import SYSTEM, Actor, Kind
from mailinglist.models import Delivery, Subscription, Suppression
from tests.factories import make_list, make_subscriber
from tests.staff import T0, make_delivery, make_event, make_started, make_story

pytestmark = pytest.mark.django_db


def headlines(subscriber_id: int) -> list[str]:
    return [entry.headline for entry in timeline.page(subscriber_id).entries]


def test_the_newest_comes_first_and_a_report_after_its_mail() -> None:
    ada = make_story()
    entries = timeline.page(ada.pk).entries
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
    told = headlines(ada.pk)
    (attempt,) = [number for number, line in enumerate(told) if line.startswith("Attempt 1 of “Week 47”")]
    assert told.index("The mailbox is full.") < attempt
    assert "Subscribed to News" in told


def test_an_automatic_end_shows_its_evidence_and_its_undoing() -> None:
    news = make_list("news")
    ada = make_subscriber("ada@post.example", news)
    event = make_event(make_delivery(make_started(news), ada, "bounced"), "hard", "No such user.")
    by = Actor(Kind.RULE, evidence={"event": event.pk})
    subscriptions.unsubscribe(ada.pk, reason=Subscription.Reason.HARD_BOUNCE, by=by, why="Gone.")
    suppression.suppress(ada.pk, reason=Suppression.Reason.HARD_BOUNCE, by=by, why="Gone.")
    suppression.release(Suppression.objects.get().pk, by=SYSTEM, why="x")
    entries = {entry.headline: entry for entry in timeline.page(ada.pk).entries}
    ended = entries["Unsubscribed from News"]
    assert ended.who == "bounce policy"
    assert ("admin:bounces_event_change", event.pk, f"Evidence: event {event.pk}") in ended.links
    assert "Address suppressed: hard bounce" in entries
    assert entries["Address released: mail may be sent again"].tone == "success"


@pytest.mark.parametrize(("hours", "words"), [(3, "Held until"), (-3, "Takes effect in a moment.")])
def test_a_held_effect_says_until_when(hours: int, words: str) -> None:
    news = make_list("news")
    ada = make_subscriber("ada@post.example", news)
    make_event(
        make_delivery(make_started(news), ada, "bounced"),
        "hard",
        "No such user.",
        effect="unsubscribe-and-suppress",
        effect_text="The decision.",
        effect_at=timezone.now() + timedelta(hours=hours),
    )
    (entry,) = [entry for entry in timeline.page(ada.pk).entries if entry.headline == "No such user."]
    assert entry.details[0] == "The decision."
    assert entry.details[1].startswith(words)


def test_a_mail_in_doubt_offers_to_be_sent_again() -> None:
    ada = make_story()
    doubtful = Delivery.objects.get(state="unknown")
    offers = [entry.resend for entry in timeline.page(ada.pk).entries if entry.resend]
    assert offers == [doubtful.pk]


def test_pages_lose_and_repeat_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "PER_PAGE", 7)
    news = make_list("news")
    ada = make_subscriber("ada@post.example", news)
    delivery = make_delivery(make_started(news), ada, "waiting")
    for number in range(20):
        make_event(delivery, "soft", f"report {number}", occurred_at=T0 + timedelta(minutes=number))
    seen, number = [], 1
    while True:
        page = timeline.page(ada.pk, number)
        seen += [(entry.rank, entry.key) for entry in page.entries]
        assert page.newer == (number - 1 if number > 1 else None)
        if page.older is None:
            break
        number = page.older
    assert len(seen) == len(set(seen)) == 22
    assert timeline.page(ada.pk, 99).entries == []


def test_a_page_takes_five_queries_and_one_for_who_opened(django_assert_num_queries: object) -> None:
    ada = make_story()
    with django_assert_num_queries(6):  # type: ignore[operator]
        timeline.page(ada.pk)


def test_a_confirmation_mail_is_called_by_its_purpose() -> None:
    news = make_list("news")
    ada = make_subscriber("ada@post.example", news)
    mail = Delivery.objects.create(list=news, subscriber=ada, purpose="confirmation", state="queued")
    assert f"{mail.get_purpose_display().capitalize()} was put in the queue" in headlines(ada.pk)
