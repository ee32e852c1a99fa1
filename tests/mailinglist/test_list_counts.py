"""Sizes and growth of lists: from the history, by day, each change once."""

from datetime import UTC, datetime, timedelta

import pytest

from mailinglist import list_counts, subscriptions
from mailinglist.changes import SYSTEM, Noun, record
from mailinglist.models import ListDay, MailingList, Subscription
from tests.factories import make_list, make_readers, make_subscriber

pytestmark = pytest.mark.django_db
#: A Thursday.
NOW = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)


def change(news: MailingList, before: str, after: str, *, days: int) -> None:
    at = NOW - timedelta(days=days)
    record(Noun.SUBSCRIPTION, 1, before=before, after=after, why="x", by=SYSTEM, list_id=news.pk, at=at)


def test_who_came_and_who_left_by_week() -> None:
    news = make_list()
    change(news, "pending", "confirmed", days=10)
    change(news, "", "confirmed", days=10)
    change(news, "", "pending", days=10)
    change(news, "confirmed", "unsubscribed", days=2)
    change(news, "unsubscribed", "confirmed", days=1)
    list_counts.refresh(NOW)
    weeks = list_counts.weeks([news.pk], now=NOW)
    assert len(weeks) == list_counts.WEEKS
    assert [(week.monday.isoformat(), week.joined, week.left) for week in weeks[-2:]] == [
        ("2025-11-10", 2, 0),
        ("2025-11-17", 1, 1),
    ]
    assert list_counts.total(list_counts.weeks([make_list("tips").pk], now=NOW)) == (0, 0)


def test_counting_again_counts_nothing_twice_and_finds_what_came_late() -> None:
    news = make_list()
    change(news, "", "confirmed", days=1)
    list_counts.refresh(NOW)
    change(news, "", "confirmed", days=1)
    change(news, "", "confirmed", days=0)
    for _ in range(2):
        list_counts.refresh(NOW)
    assert list(ListDay.objects.order_by("day").values_list("joined", flat=True)) == [2, 1]


def test_the_subscriptions_module_writes_what_growth_reads() -> None:
    news = make_list()
    ada = make_subscriber("ada@post.example", news)
    subscriptions.unsubscribe(ada.pk, reason=Subscription.Reason.PAGE, by=SYSTEM, why="x")
    list_counts.refresh()
    assert list_counts.total(list_counts.weeks([news.pk])) == (0, 1)


def test_a_small_list_is_counted_at_once_and_a_large_one_by_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    news = make_list()
    make_readers(news, 5)
    assert list_counts.sizes([news.pk])[news.pk] == list_counts.Size(confirmed=5)
    monkeypatch.setattr(list_counts, "LIVE_MOST", 3)
    assert list_counts.sizes([news.pk])[news.pk] == list_counts.Size(confirmed=3, at_least=True)
    list_counts.refresh(NOW)
    assert list_counts.sizes([news.pk])[news.pk] == list_counts.Size(confirmed=5, counted_at=NOW)
