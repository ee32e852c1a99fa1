"""Counters of sign-ups: exact under any number of requests at once, in an hour that is never shorter than one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from mailinglist import sign_up_counts
from mailinglist.models import SignUpCount
from mailinglist.sign_up_counts import Limit, Scope, Taken, take_in_turn

NOON = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)


def take(
    scope: SignUpCount.Scope, key: str, *, limit: int, now: datetime, begin: datetime | None = None
) -> Taken:
    return take_in_turn([Limit(scope, key, limit, begin)], now=now)[0]


def passes(limit: int, *, at: datetime, times: int, key: str = "a") -> int:
    return sum(take(Scope.NETWORK, key, limit=limit, now=at).passed for _ in range(times))


@pytest.mark.django_db
def test_as_many_pass_in_an_hour_as_the_limit_says() -> None:
    assert passes(10, at=NOON, times=15) == 10
    assert passes(10, at=NOON + timedelta(minutes=30), times=5) == 0
    assert passes(10, at=NOON, times=3, key="b") == 3
    assert SignUpCount.objects.filter(key="a").count() == 2


@pytest.mark.django_db
def test_an_hour_later_there_is_room_again_and_never_earlier() -> None:
    passes(10, at=NOON, times=10)
    assert passes(10, at=NOON + timedelta(minutes=59, seconds=59), times=1) == 0
    assert passes(10, at=NOON + timedelta(minutes=71), times=11) == 10


@pytest.mark.django_db
def test_room_left_over_by_earlier_minutes_is_used() -> None:
    assert passes(10, at=NOON, times=4) == 4
    assert passes(10, at=NOON + timedelta(minutes=20), times=20) == 6


@pytest.mark.django_db
def test_those_who_were_refused_use_up_nothing() -> None:
    passes(2, at=NOON, times=50)
    assert passes(2, at=NOON + timedelta(minutes=71), times=5) == 2


@pytest.mark.django_db
def test_what_came_before_the_begin_does_not_count() -> None:
    passes(2, at=NOON, times=5)
    begin = NOON + timedelta(seconds=10)
    found = [take(Scope.NETWORK, "a", limit=2, now=begin + timedelta(seconds=1), begin=begin) for _ in "abc"]
    assert [one.passed for one in found] == [True, True, False]
    assert found[-1].asked == 3


@pytest.mark.django_db
def test_a_limit_that_was_lowered_meanwhile_breaks_nothing() -> None:
    assert passes(10, at=NOON, times=8) == 8
    assert passes(3, at=NOON, times=2) == 0


@pytest.mark.django_db(transaction=True)
def test_a_hundred_requests_at_once_never_pass_more_than_the_limit() -> None:
    now = timezone.now()
    found = at_once(lambda: take(Scope.NETWORK, "a", limit=10, now=now).passed, times=100)
    assert (len(found), sum(found)) == (100, 10)
    row = SignUpCount.objects.get()
    assert (row.asked, row.passed) == (100, 10)


@pytest.mark.django_db
def test_whom_one_limit_does_not_let_pass_uses_up_nothing_of_the_next() -> None:
    limits = [Limit(Scope.NETWORK, "n", 3), Limit(Scope.DOMAIN, "d", 2), Limit(Scope.FORM, "f", 1)]
    found = [[one.passed for one in take_in_turn(limits, now=NOON)] for _ in range(5)]
    assert found == [[True, True, True], [True, True, False], [True, False], [False], [False]]
    rows = SignUpCount.objects.order_by("-asked").values_list("scope", "asked", "passed")
    assert list(rows) == [("network", 5, 3), ("domain", 3, 2), ("form", 2, 1)]
    assert [one.asked for one in take_in_turn(limits[1:], now=NOON + timedelta(minutes=71))] == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_limits_in_turn_are_exact_for_a_hundred_requests_at_once() -> None:
    now = timezone.now()
    limits = [Limit(Scope.NETWORK, "n", 30), Limit(Scope.DOMAIN, "d", 20), Limit(Scope.FORM, "f", 10)]
    found = at_once(lambda: [one.passed for one in take_in_turn(limits, now=now)] == [True] * 3, times=100)
    assert sum(found) == 10
    rows = SignUpCount.objects.order_by("-asked").values_list("scope", "asked", "passed")
    assert list(rows) == [("network", 100, 30), ("domain", 30, 20), ("form", 20, 10)]


@pytest.mark.django_db(transaction=True)
def test_only_one_of_many_at_once_is_the_first() -> None:
    now = timezone.now()
    assert sum(at_once(lambda: sign_up_counts.first_time(Scope.CAPTCHA, "x", at=now), times=20)) == 1


@pytest.mark.django_db
def test_old_counts_are_deleted_and_the_days_before_are_kept() -> None:
    for days in (0, 1, 3):
        take(Scope.NETWORK, "a", limit=10, now=NOON - timedelta(days=days))
    assert sign_up_counts.prune(now=NOON) == 1
    assert SignUpCount.objects.count() == 2


@pytest.mark.django_db
def test_nobody_is_named_by_a_key() -> None:
    key = sign_up_counts.hidden(Scope.NETWORK, "203.0.113.0/24")
    assert len(key) == 64 and key == sign_up_counts.hidden(Scope.NETWORK, "203.0.113.0/24")
    assert key != sign_up_counts.hidden(Scope.DOMAIN, "203.0.113.0/24")


def at_once(act: Callable[[], bool], *, times: int) -> list[bool]:
    def one(_: int) -> bool:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(one, range(times)))


@pytest.mark.django_db(transaction=True)
def test_counting_does_not_take_the_safety_of_a_commit_from_whoever_counts_within_a_transaction() -> None:
    def safety() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            found: str = cursor.fetchone()[0]
            return found

    before = safety()
    take(Scope.NETWORK, "a", limit=10, now=NOON)
    assert safety() == before
    with transaction.atomic():
        take(Scope.NETWORK, "a", limit=10, now=NOON)
        sign_up_counts.note(Scope.ANSWER, "a", now=NOON)
        assert safety() == before != "off"
