"""Who would get a campaign if it started now, who would not, and why: the snapshot's own conditions, counted.

Exact for as many people as somebody can wait for, else from one in SAMPLED; never longer than PATIENCE, and for a page
that must open at once (``quick``) not longer than people.QUICK.
"""

from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any

from django.db import connection

from mailinglist.models import Campaign
from mailinglist.segments import people
from mailinglist.segments.rules import BadRules
from mailinglist.sending import chosen
from mailinglist.sending.chosen import LeftOut
from mailinglist.timeouts import TookTooLong, part, within

#: Seconds for one count.
PATIENCE = 4.0
#: How far the number of people may move after a manager has typed it: a share, and one for numbers of a sample.
MOVED_MOST, MOVED_MOST_ABOUT = 0.01, 0.10

_JUDGED = """
    SELECT code, count(*), sum(lists - 1) FROM (
        SELECT person.lists, CASE {left_out} WHEN p.key IS NOT NULL THEN 'suppressed'
                                  WHEN s.paused_until > statement_timestamp() THEN 'paused' ELSE 'to-send' END AS code
        FROM (SELECT b.subscriber_id, count(*) AS lists FROM mailinglist_subscription b
              WHERE b.list_id = ANY(%s) AND b.status = 'confirmed' {sample} GROUP BY b.subscriber_id) person
        JOIN mailinglist_subscriber s ON s.id = person.subscriber_id
        LEFT JOIN mailinglist_suppression p ON p.key = s.suppression_key AND p.released_at IS NULL) judged
    GROUP BY code"""
_OTHERS = """
    SELECT count(*) FILTER (WHERE pending), count(*) FILTER (WHERE NOT pending) FROM (
        SELECT bool_or(b.status = 'pending') AS pending FROM mailinglist_subscription b
        WHERE b.list_id = ANY(%s) {sample} GROUP BY b.subscriber_id
        HAVING NOT bool_or(b.status = 'confirmed')) others"""
_ANYBODY = """
    SELECT EXISTS (
        SELECT 1 FROM mailinglist_subscription b JOIN mailinglist_subscriber s ON s.id = b.subscriber_id
        LEFT JOIN mailinglist_suppression p ON p.key = s.suppression_key AND p.released_at IS NULL
        WHERE b.list_id = ANY(%s) AND b.status = 'confirmed' AND p.key IS NULL
          AND (s.paused_until IS NULL OR s.paused_until <= statement_timestamp()){chosen})"""
_MANY = """
    SELECT (SELECT count(*) FROM (SELECT 1 FROM mailinglist_subscription
                                  WHERE list_id = ANY(%(lists)s) AND status = 'confirmed' LIMIT %(most)s) first_ones),
           (SELECT count(*) FROM (SELECT 1 FROM mailinglist_subscription
                                  WHERE list_id = ANY(%(lists)s) LIMIT %(most)s) first_ones)"""


@dataclass(frozen=True, slots=True)
class Preview:
    """Numbers of people. ``to_send`` None: nobody could count them in time."""

    to_send: int | None
    #: Whether the numbers are those of a sample.
    about: bool = False
    suppressed: int = 0
    paused: int = 0
    #: (why, how many) of those whom the campaign leaves out.
    left_out: tuple[tuple[str, int], ...] = ()
    #: Subscriptions beyond the first of people who are on several of the lists: one mail each all the same.
    duplicates: int = 0
    #: People on the lists who have not confirmed, and who left.
    pending: int = 0
    unsubscribed: int = 0
    #: Whether the last two are those of a sample.
    others_about: bool = False


def preview(campaign: Campaign, *, quick: bool = False) -> Preview:
    """Raises segments.rules.BadRules."""
    lists = [found.pk for found in campaign.lists.all()]
    reasons = chosen.left_out(campaign)
    many, others_about = _many(lists)
    try:
        numbers, doubles, about, (pending, unsubscribed) = _in_time(
            lists, reasons, many, others_about, quick=quick
        )
    except TookTooLong:
        return Preview(None)
    return Preview(
        to_send=numbers.get("to-send", 0),
        about=about,
        suppressed=numbers.get("suppressed", 0),
        paused=numbers.get("paused", 0),
        left_out=tuple((one.why, numbers[one.code]) for one in reasons if numbers.get(one.code)),
        duplicates=doubles,
        pending=pending,
        unsubscribed=unsubscribed,
        others_about=others_about,
    )


def _in_time(
    lists: list[int], reasons: list[LeftOut], about: bool, others_about: bool, *, quick: bool
) -> tuple[dict[str, int], int, bool, list[int]]:
    """What ``_judged`` finds, whether in a sample, and what ``_others`` does. A sample is taken ``about`` many people,
    unless so few of it get the mail that it tells little, and where everybody would take too long.
    """
    try:
        with within(people.QUICK if quick else PATIENCE):
            numbers, doubles = _judged(lists, reasons, about)
            others = _others(lists, others_about)
        if about and numbers.get("to-send", 0) < people.FEW * people.SAMPLED:
            if quick:
                raise TookTooLong
            with suppress(TookTooLong), within(PATIENCE):
                return *_judged(lists, reasons, False), False, others
    except TookTooLong:
        if about or quick:
            raise
        with within(PATIENCE):
            numbers, doubles = _judged(lists, reasons, True)
            others = _others(lists, others_about)
        if not numbers.get("to-send"):
            raise  # of few people a sample may be empty
        about = True
    return numbers, doubles, about, others


def reaches_anybody(campaign: Campaign, *, quick: bool = False) -> bool:
    """Whether a start now would send at least one mail; True where that takes too long to find out: longer than PATIENCE,
    or with ``quick`` than the ``within`` around it allows. Raises BadRules.
    """
    lists = [found.pk for found in campaign.lists.all()]
    reasons = chosen.left_out(campaign)
    where, values = chosen.condition(reasons)
    always = within(PATIENCE) if reasons else nullcontext()
    try:
        with part() if quick else always, connection.cursor() as cursor:
            cursor.execute(_ANYBODY.format(chosen=where), [lists, *values])
            return bool(cursor.fetchone()[0])
    except TookTooLong:
        return True


def trouble(campaign: Campaign, *, quick: bool = False) -> str:
    """Why nobody would get it, or it cannot be found out who; "" where somebody would."""
    try:
        anybody = reaches_anybody(campaign, quick=quick)
    except BadRules as bad:
        return str(bad)
    return "" if anybody else "Nobody would get it: no confirmed subscriber who may be mailed."


def near(confirmed: int, now: int, *, about: bool) -> bool:
    """Whether so many people now are what a manager meant who typed ``confirmed``."""
    return abs(now - confirmed) <= confirmed * (MOVED_MOST_ABOUT if about else MOVED_MOST)


def _judged(lists: list[int], reasons: list[LeftOut], about: bool) -> tuple[dict[str, int], int]:
    """(code → people, subscriptions too many)."""
    cases = " ".join(f"WHEN {one.condition[0]} THEN '{one.code}'" for one in reasons)
    values: list[Any] = [value for one in reasons for value in one.condition[1]]
    with connection.cursor() as cursor:
        cursor.execute(_JUDGED.format(left_out=cases, sample=_sample(about)), [*values, lists])
        rows = cursor.fetchall()
    doubles = sum(int(more) for code, _, more in rows if code == "to-send")
    return {code: _scaled(number, about) for code, number, _ in rows}, _scaled(doubles, about)


def _others(lists: list[int], about: bool) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS.format(sample=_sample(about)), [lists])
        return [_scaled(number, about) for number in cursor.fetchone()]


def _many(lists: list[int]) -> tuple[bool, bool]:
    """Whether too many to be counted one by one are confirmed, and are on the lists at all."""
    with connection.cursor() as cursor:
        cursor.execute(_MANY, {"lists": lists, "most": people.EXACT_MOST + 1})
        confirmed, on_them = cursor.fetchone()
    return confirmed > people.EXACT_MOST, on_them > people.EXACT_MOST


def _sample(about: bool) -> str:
    return f"AND {people.sampled('b.subscriber_id')}" if about else ""


def _scaled(number: int, about: bool) -> int:
    """A number of a sample to three digits: it tells no more, and stays while somebody reads it."""
    if not about:
        return int(number)
    many = int(number) * people.SAMPLED
    return round(many, 3 - len(str(many)))
