"""Sign-ups that wait for their confirmation: one reminder, then they expire.

Called nightly and by the command expire_sign_ups. What a sign-up by a stranger brought into the database leaves it
again: the subscription, and the person where nothing else is known of them. Sets of a few hundred people, each in a
transaction of its own; what was interrupted goes on where it stopped. People who were imported as pending got no mail,
so nothing of theirs expires.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from mailinglist import asked_addresses, erasure
from mailinglist.changes import SYSTEM, Actor, Noun, record
from mailinglist.models import Delivery, MailingList, Subscriber, Subscription
from mailinglist.sending import queue

BATCH = 500
#: Beyond the life of the link: a mail may have waited in the queue before it was signed.
MARGIN_DAYS = 1.0
Status = Subscription.Status


@dataclass(slots=True)
class Tidied:
    """``reminded``: mails queued. ``removed`` + ``left_again`` sign-ups expired; ``forgotten`` people with them."""

    reminded: int = 0
    removed: int = 0
    left_again: int = 0
    forgotten: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def tidy(
    *, by: Actor = SYSTEM, dry_run: bool = False, progress: Callable[[Tidied], None] | None = None
) -> Tidied:
    """Remind and expire whatever is due. ``dry_run`` counts and changes nothing."""
    done = Tidied()
    expire_after = settings.CONFIRM_TOKEN_DAYS + MARGIN_DAYS
    for rows in _batches(_EXPIRED, {"days": expire_after}):
        _expire(rows, {"days": expire_after}, done, by=by, dry_run=dry_run)
        if progress:
            progress(done)
    if settings.REMIND_AFTER_DAYS:
        asked = {"days": settings.REMIND_AFTER_DAYS, "until": settings.CONFIRM_TOKEN_DAYS}
        for rows in _batches(_TO_REMIND, asked):
            _remind(rows, asked, done, dry_run=dry_run)
            if progress:
                progress(done)
    return done


def _batches(sql: str, values: dict[str, float]) -> Iterator[list[int]]:
    """Ids of subscriptions that ``sql`` finds, a few hundred at a time."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} ORDER BY b.id LIMIT {BATCH}", {**values, "after": last, "ids": None})
            rows = [row[0] for row in cursor.fetchall()]
        if not rows:
            return
        yield rows
        last = rows[-1]


def _locked(sql: str, values: dict[str, float], rows: Collection[int]) -> list[Subscription]:
    """The rows that are still as ``sql`` wants them; mails and people are locked, in the order that all lockers keep."""
    found = Subscription.objects.filter(pk__in=rows)
    mails = Delivery.objects.select_for_update(no_key=True)
    list(mails.filter(subscriber_id__in=found.values("subscriber_id")).order_by("pk").values_list("pk"))
    people = Subscriber.objects.select_for_update(no_key=True)
    list(people.filter(pk__in=found.values("subscriber_id")).order_by("pk").values_list("pk"))
    with connection.cursor() as cursor:
        cursor.execute(sql, {**values, "after": 0, "ids": list(rows)})
        still = [row[0] for row in cursor.fetchall()]
    return list(Subscription.objects.filter(pk__in=still).order_by("pk"))


@transaction.atomic
def _remind(rows: Collection[int], values: dict[str, float], done: Tidied, *, dry_run: bool) -> None:
    wanted = _locked(_TO_REMIND, values, rows)
    people = Subscriber.objects.in_bulk([row.subscriber_id for row in wanted])
    now = timezone.now()
    # A mailbox may have been asked for another list, or under another spelling, a moment ago.
    found = [row for row in wanted if asked_addresses.claim(people[row.subscriber_id], now=now)]
    done.reminded += queue.enqueue_many(
        [(row.subscriber_id, row.list_id) for row in found], purpose=Delivery.Purpose.REMINDER
    )
    if dry_run:
        transaction.set_rollback(True)


@transaction.atomic
def _expire(
    rows: Collection[int], values: dict[str, float], done: Tidied, *, by: Actor, dry_run: bool
) -> None:
    found = _locked(_EXPIRED, values, rows)
    names = dict(MailingList.objects.values_list("pk", "name"))
    had_left = [row for row in found if row.unsubscribe_reason]
    gone = [row for row in found if not row.unsubscribe_reason]
    for row in had_left:
        row.status = Status.UNSUBSCRIBED
        _record(row, Status.UNSUBSCRIBED, "Not confirmed in time, so it stays as it was: left before.", by)
    Subscription.objects.bulk_update(had_left, ["status"])
    for row in gone:
        _record(row, "expired", "Not confirmed in time.", by)
    Subscription.objects.filter(pk__in=[row.pk for row in gone]).delete()
    for list_id in sorted({row.list_id for row in gone}):
        count = sum(row.list_id == list_id for row in gone)
        why = f"{count} sign-ups for {names[list_id]} were never confirmed and are removed."
        record(Noun.LIST, list_id, before="", after="sign-ups expired", why=why, by=by, list_id=list_id)
    strangers = _of_whom_nothing_is_known({row.subscriber_id for row in gone})
    why = "Never confirmed a sign-up, and nothing else is known."
    forgotten = erasure.forget_all(strangers, by=by, why=why, block=False)
    done.removed += len(gone)
    done.left_again += len(had_left)
    done.forgotten += forgotten.people
    if dry_run:
        transaction.set_rollback(True)


def _record(row: Subscription, after: str, why: str, by: Actor) -> None:
    record(
        Noun.SUBSCRIPTION,
        row.pk,
        before=Status.PENDING,
        after=after,
        why=why,
        by=by,
        subscriber_id=row.subscriber_id,
        list_id=row.list_id,
    )


def _of_whom_nothing_is_known(subscriber_ids: Collection[int]) -> list[int]:
    """People whom no list, campaign, import or manager knows."""
    with connection.cursor() as cursor:
        cursor.execute(_STRANGERS, [list(subscriber_ids)])
        return [row[0] for row in cursor.fetchall()]


_WAITING = """
    SELECT b.id FROM mailinglist_subscription b
    JOIN mailinglist_subscriber s ON s.id = b.subscriber_id
    CROSS JOIN LATERAL (
        SELECT max(d.created_at) AS last, count(*) FILTER (WHERE d.purpose = 'reminder') AS reminders,
               bool_or(d.state IN ('queued', 'sending', 'waiting')) AS on_its_way,
               bool_or(d.state IN ('sent', 'delivered')) AS arrived,
               bool_or(d.state IN ('bounced', 'complained', 'failed')) AS came_back
        FROM mailinglist_delivery d
        WHERE d.subscriber_id = b.subscriber_id AND d.list_id = b.list_id
          AND d.purpose IN ('confirmation', 'reminder')) mail
    WHERE b.status = 'pending' AND b.id > %(after)s
      AND (%(ids)s::bigint[] IS NULL OR b.id = ANY(%(ids)s::bigint[]))
      AND NOT mail.on_its_way AND mail.last < statement_timestamp() - make_interval(secs => %(days)s * 86400)"""
_EXPIRED = _WAITING
# A fresh link, while the first one still works: later the sign-up is as good as expired.
_TO_REMIND = f"""{_WAITING}
      AND mail.last > statement_timestamp() - make_interval(secs => %(until)s * 86400)
      AND mail.reminders = 0 AND mail.arrived AND NOT mail.came_back
      AND (SELECT count(*) FROM mailinglist_suppression p
           WHERE p.key = s.suppression_key AND p.released_at IS NULL AND p.reason <> 'erased') = 0"""  # noqa: S608
# A person whom a manager or a file brought in has a change of theirs; one who got a campaign or a test has a mail.
_STRANGERS = """
    SELECT s.id FROM mailinglist_subscriber s
    WHERE s.id = ANY(%s) AND s.attributes = '{}'
      AND NOT EXISTS (SELECT FROM mailinglist_subscription b WHERE b.subscriber_id = s.id)
      AND NOT EXISTS (SELECT FROM mailinglist_delivery d
                      WHERE d.subscriber_id = s.id AND d.purpose IN ('campaign', 'test'))
      AND NOT EXISTS (SELECT FROM mailinglist_change c
                      WHERE c.subscriber_id = s.id AND c.actor IN ('user', 'command') AND c.after <> 'expired')
    ORDER BY s.id"""
