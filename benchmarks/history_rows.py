"""Three campaigns of a big list with all that came back, written by a few statements. Runs after ``django.setup``.

The rows have the shape that the product gives them; what the policy does with them is left to the measured commands.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from benchmarks import people
from bounces import ingest
from bounces.models import Event, Notification
from mailinglist.models import Campaign, CampaignVersion, Delivery, MailingList
from tests import ses_events as ses


@dataclass(frozen=True, slots=True)
class Mailing:
    """A campaign to everybody, so many days ago, and what SES reported besides bounces and complaints."""

    days: int
    #: Its soft bounces wait for a retry, and it is not finished.
    going_on: bool = False
    delivered: bool = True
    sends: bool = False
    #: Half of the delivered mails were opened, an eighth was followed.
    tracked: bool = False


#: The newest is the last.
MAILINGS = (Mailing(60), Mailing(30), Mailing(3, going_on=True, sends=True, tracked=True))
#: The provider whose share of the addresses is the largest.
LARGEST = "gmail.com"
_DOMAIN = (
    "CASE WHEN i %% 10 < 4 THEN 'gmail.com' WHEN i %% 10 < 6 THEN 'outlook.com' WHEN i %% 10 = 6 THEN 'yahoo.com' "
    "ELSE 'city' || i %% 1000 || '.example' END"
)

#: What becomes of each mail: the same share of every campaign, other people each time.
_ENDS = """
    CREATE TEMP TABLE history_end ON COMMIT DROP AS
    SELECT mail.id AS delivery_id, mail.subscriber_id, s.email, %(at)s::timestamptz AS created_at, end_of.*
    FROM (SELECT nextval(pg_get_serial_sequence('mailinglist_delivery', 'id')) AS id, subscriber_id FROM (
              SELECT subscriber_id FROM mailinglist_subscription WHERE list_id = %(list)s AND status = 'confirmed'
              ORDER BY subscriber_id) on_list) mail
    JOIN mailinglist_subscriber s ON s.id = mail.subscriber_id
    CROSS JOIN LATERAL (SELECT abs(hashint8(mail.id)) %% 1000 AS chance) AS chances
    JOIN (VALUES
        (0, 12, 'bounce', 'Permanent', 'General', 'failed', '5.1.1', 'smtp; 550 5.1.1 user unknown', 'hard',
         'no-such-user', 'The address does not exist.', 'bounced'),
        (12, 40, 'bounce', 'Transient', 'MailboxFull', 'failed', '5.2.2', 'smtp; 552 5.2.2 over quota', 'soft',
         'mailbox-full', 'The mailbox is full.', 'expired'),
        (40, 50, 'bounce', 'Permanent', 'General', 'failed', '5.7.1', 'smtp; 550 5.7.1 blocked by policy', 'block',
         'policy', 'The provider blocks our mail.', 'expired'),
        (50, 51, 'complaint', '', '', '', '', '', 'complaint', 'abuse', 'The person reported the mail as spam.',
         'complained'),
        (51, 1000, 'delivery', '', '', '', '', '', 'delivered', '', '', 'delivered')
    ) AS end_of (low, high, kind, type, subtype, action, status, diagnostic, verdict, reason, explanation, state)
      ON chance >= low AND chance < high"""
_DELIVERIES = """
    INSERT INTO mailinglist_delivery (id, campaign_id, version_id, list_id, subscriber_id, purpose, state, reason,
                                      attempts, crashes, fence, next_attempt_at, created_at, changed_at)
    SELECT delivery_id, %(campaign)s, %(version)s, %(list)s, subscriber_id, 'campaign',
           CASE WHEN waits THEN 'waiting' ELSE state END,
           CASE verdict WHEN 'delivered' THEN '' ELSE verdict || ':' || reason END, 1, 0, 1,
           CASE WHEN waits THEN created_at + interval '1 day' END, created_at, created_at
    FROM history_end CROSS JOIN LATERAL (SELECT %(waits)s AND state = 'expired' AS waits) again ORDER BY delivery_id"""
_ATTEMPTS = """
    INSERT INTO mailinglist_attempt (delivery_id, number, started_at, finished_at, result, message_id, error_code,
                                     error_text, possible_duplicate, verdict, reason)
    SELECT delivery_id, 1, created_at, created_at, 'accepted', '0100-' || delivery_id || '-1', '', '', false, verdict,
           reason
    FROM history_end ORDER BY delivery_id"""
_EVENTS = """
    WITH said AS (
        SELECT nextval(pg_get_serial_sequence('bounces_notification', 'id')) AS notification, e.*,
               told.name, told.at, told.link
        FROM history_end e CROSS JOIN LATERAL (
            SELECT e.kind AS name, e.created_at + interval '1 second' * (e.delivery_id %% 7200) AS at, '' AS link
            WHERE %(delivered)s OR e.verdict <> 'delivered'
            UNION ALL SELECT 'send', e.created_at, '' WHERE %(sends)s
            UNION ALL SELECT 'open', e.created_at + interval '3 hours', ''
                      WHERE %(tracked)s AND e.verdict = 'delivered' AND e.delivery_id %% 2 = 0
            UNION ALL SELECT 'click', e.created_at + interval '4 hours', 'https://www.example.org/garden'
                      WHERE %(tracked)s AND e.verdict = 'delivered' AND e.delivery_id %% 8 = 0
        ) AS told
    ), stored AS (
        INSERT INTO bounces_notification (id, source, raw, dedupe_key, topic_arn, published_at, received_at, state,
                                          error, tries, processed_at, copies)
        SELECT notification, 'sqs', convert_to('{"eventType": "' || name || '", "mail": {"messageId": "0100-' ||
               delivery_id || '-1", "destination": ["' || email || '"], "padding": "' || repeat('x', 400) || '"}}',
               'UTF8'), 'history:' || notification, '', at, at, 'processed', '', 1, at, 1 FROM said RETURNING id
    )
    INSERT INTO bounces_event (notification_id, kind, type, subtype, recipient, message_id, action, status, diagnostic,
                               mta, occurred_at, extra, dedupe_key, delivery_id, attempt_number, subscriber_id, verdict,
                               reason, explanation, effect, effect_text, created_at)
    SELECT said.notification, name, w.type, w.subtype, email, '0100-' || delivery_id || '-1', w.action, w.status,
           w.diagnostic, '', at,
           CASE WHEN name IN ('open', 'click') THEN jsonb_build_object('ipAddress', '192.0.2.' || delivery_id %% 200,
                'userAgent', 'Mozilla/5.0', 'link', link) ELSE '{}' END,
           'history:' || said.notification, delivery_id, 1, subscriber_id, w.verdict, w.reason, w.explanation, '', '', at
    FROM said JOIN stored ON stored.id = said.notification
    CROSS JOIN LATERAL (
        SELECT said.type, said.subtype, said.action, said.status, said.diagnostic, said.verdict, said.reason,
               said.explanation WHERE name = said.kind
        UNION ALL SELECT '', '', '', '', '', 'not-a-bounce', '', '' WHERE name <> said.kind
    ) AS w"""


def make(
    number: int, *, mailings: Sequence[Mailing] = MAILINGS, stored: int = 5000, quarantined: int = 2000
) -> dict[str, int]:
    """``number`` people and their history; so many notifications wait to be processed. What there is then."""
    mailing_list = MailingList.objects.get(pk=people.make_list(number, domain=_DOMAIN))
    for mailing in mailings:
        _campaign(mailing_list, mailing)
    _notifications(stored, quarantined)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # the time for autovacuum to come by
    return {
        "people": number,
        "deliveries": Delivery.objects.count(),
        "events": Event.objects.count(),
        "notifications": Notification.objects.count(),
    }


def _campaign(mailing_list: MailingList, mailing: Mailing) -> None:
    at = timezone.now() - timedelta(days=mailing.days)
    campaign = Campaign.objects.create(name=f"{mailing.days} days ago", subject="News", body=people.BODY)
    campaign.lists.add(mailing_list)
    version = CampaignVersion.objects.create(
        campaign=campaign,
        number=1,
        subject="News",
        html='<p><a href="https://www.example.org/garden">The garden</a></p>',
        text="The garden",
    )
    Campaign.objects.filter(pk=campaign.pk).update(
        status="sending" if mailing.going_on else "finished",
        version=version,
        started_at=at,
        finished_at=None if mailing.going_on else at + timedelta(days=10),
        retry_until=at + timedelta(days=10),
    )
    values = {
        "campaign": campaign.pk,
        "version": version.pk,
        "list": mailing_list.pk,
        "at": at,
        "waits": mailing.going_on,
        "delivered": mailing.delivered,
        "sends": mailing.sends,
        "tracked": mailing.tracked,
    }
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for statement in (_ENDS, "ANALYZE history_end", _DELIVERIES, _ATTEMPTS, _EVENTS):
            cursor.execute(statement, values)
        cursor.execute("COMMIT")


def _notifications(stored: int, quarantined: int) -> None:
    """Reports that nobody has interpreted, one in twenty a late hard bounce, and what nobody understands."""
    late = Delivery.objects.filter(state="delivered").select_related("subscriber").order_by("-pk")[:stored]
    rows = [
        ses.raw(ses.opened(delivery) if number % 20 else ses.bounced(delivery))
        for number, delivery in enumerate(late)
    ]
    rows += [
        json.dumps({"eventType": "BrandNew", "mail": {"n": number}}).encode() for number in range(quarantined)
    ]
    for start in range(0, len(rows), 500):
        together = [
            ingest.Incoming(raw, Notification.Source.SQS, hashlib.sha256(raw).hexdigest())
            for raw in rows[start : start + 500]
        ]
        ingest.store_many(together, wake=False)
