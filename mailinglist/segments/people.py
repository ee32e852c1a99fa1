"""Who is in a segment: how many, and twenty of them. Within a few seconds or not at all."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from mailinglist.models import Subscriber
from mailinglist.segments import sql
from mailinglist.segments.rules import Group
from mailinglist.timeouts import TookTooLong, within

#: Seconds for the count, and for the sample.
PATIENCE = 3.0
#: Seconds for a statement of a page that must open at once, and counts when it is there.
QUICK = 0.12
#: People up to here are counted one by one; of more, one in so many tells, unless there are so few in the sample that it
#: tells little: then they are counted after all, if that is quick enough.
EXACT_MOST, SAMPLED, FEW = 50_000, 100, 100
SHOWN = 20
# Whoever a test mail made a person of, and who was never on a list, is no subscriber. Few, found once for all ``s``.
_KNOWN = """NOT EXISTS (
    SELECT 1 FROM mailinglist_delivery t
    WHERE t.subscriber_id = s.id AND t.campaign_id IS NULL AND t.purpose = 'test'
      AND NOT EXISTS (SELECT 1 FROM mailinglist_subscription b WHERE b.subscriber_id = t.subscriber_id))"""


@dataclass(frozen=True, slots=True)
class Found:
    """``number`` None: it took too long. ``about``: it was counted in a sample."""

    number: int | None
    about: bool
    sample: list[Subscriber]


def sampled(column: str) -> str:
    """Whether a person's id is in the sample. By a hash: the order in which people came must not decide."""
    return f"(hashint8({column}) & 2147483647) %% {SAMPLED} = 0"


def find(tree: Group, *, quick: bool = False) -> Found:
    """How many people of all lists and none the rules hold for, and the newest twenty; ``quick``: in QUICK or not.
    Without those who got test mails and were never on a list.
    """
    where, values = sql.condition(tree, timezone.now())
    where = f"{_KNOWN} AND {where}"
    number, about = _count(where, values, quick)
    return Found(number, about, _sample(where, values, quick) if number is not None or not quick else [])


def _count(where: str, values: list[Any], quick: bool) -> tuple[int | None, bool]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM mailinglist_subscriber LIMIT %s) few", [EXACT_MOST + 1]
        )
        about = cursor.fetchone()[0] > EXACT_MOST
    try:
        number = _counted(where, values, one_in_many=about, quick=quick)
        if about and number < FEW:
            if quick:
                raise TookTooLong
            with suppress(TookTooLong):
                return _counted(where, values, one_in_many=False, quick=quick), False
    except TookTooLong:
        return None, about
    return number * SAMPLED if about else number, about


def _counted(where: str, values: list[Any], *, one_in_many: bool, quick: bool) -> int:
    few = f"{sampled('s.id')} AND " if one_in_many else ""
    with within(_seconds(quick)), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM mailinglist_subscriber s WHERE {few}{where}", values)  # noqa: S608
        return int(cursor.fetchone()[0])


def _sample(where: str, values: list[Any], quick: bool) -> list[Subscriber]:
    try:
        with within(_seconds(quick), row_by_row=True):
            return list(
                Subscriber.objects.raw(
                    f"SELECT s.id, s.email, s.name FROM mailinglist_subscriber s WHERE {where} "  # noqa: S608
                    "ORDER BY s.id DESC LIMIT %s",
                    [*values, SHOWN],
                )
            )
    except TookTooLong:
        return []


def _seconds(quick: bool) -> float:
    return QUICK if quick else PATIENCE
