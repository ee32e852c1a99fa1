"""Three campaigns of a big list with all that came back, written by a few statements. Runs after ``django.setup``.

The rows have the shape that the product gives them; what the policy does with them is left to the measured commands.
"""

import hashlib
import json
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from benchmarks import people
from bounces import ingest
from bounces.models import Event, Notification
from mailinglist.models import Campaign, CampaignVersion, Delivery, MailingList
from tests import ses_events as ses

#: Days since each campaign, the newest last; of that one SES also reported each Send, and opens and clicks.
DAYS_AGO = (60, 30, 3)
#: The provider whose share of the addresses is the largest.
LARGEST = "gmail.com"
_DOMAIN = (
    "CASE WHEN i %% 10 < 4 THEN 'gmail.com' WHEN i %% 10 < 6 THEN 'outlook.com' WHEN i %% 10 = 6 THEN 'yahoo.com' "
    "ELSE 'city' || i %% 1000 || '.example' END"
)

_DELIVERIES = """
    INSERT INTO mailinglist_delivery (campaign_id, version_id, list_id, subscriber_id, purpose, state, reason, attempts,
                                      crashes, fence, created_at, changed_at)
    SELECT %(campaign)s, %(version)s, %(list)s, subscriber_id, 'campaign', 'sent', '', 1, 0, 1, %(at)s, %(at)s
    FROM mailinglist_subscription WHERE list_id = %(list)s ORDER BY subscriber_id"""
_ATTEMPTS = """
    INSERT INTO mailinglist_attempt (delivery_id, number, started_at, finished_at, result, message_id, error_code,
                                     error_text, possible_duplicate, verdict, reason)
    SELECT id, 1, created_at, created_at, 'accepted', '0100-' || id || '-1', '', '', false, '', ''
    FROM mailinglist_delivery WHERE campaign_id = %(campaign)s"""
#: What becomes of each mail: the same share of every campaign, other people each time.
_ENDS = """
    CREATE TEMP TABLE history_end ON COMMIT DROP AS
    SELECT d.id AS delivery_id, d.subscriber_id, s.email, d.created_at, end_of.*
    FROM mailinglist_delivery d JOIN mailinglist_subscriber s ON s.id = d.subscriber_id
    CROSS JOIN LATERAL (SELECT abs(hashint8(d.id)) %% 1000 AS chance) AS chances
    JOIN (VALUES
        (0, 12, 'bounce', 'Permanent', 'General', 'failed', '5.1.1', 'smtp; 550 5.1.1 user unknown', 'hard',
         'no-such-user', 'The address does not exist.'),
        (12, 40, 'bounce', 'Transient', 'MailboxFull', 'failed', '5.2.2', 'smtp; 552 5.2.2 over quota', 'soft',
         'mailbox-full', 'The mailbox is full.'),
        (40, 50, 'bounce', 'Permanent', 'General', 'failed', '5.7.1', 'smtp; 550 5.7.1 blocked by policy', 'block',
         'policy', 'The provider blocks our mail.'),
        (50, 51, 'complaint', '', '', '', '', '', 'complaint', 'abuse', 'The person reported the mail as spam.'),
        (51, 1000, 'delivery', '', '', '', '', '', 'delivered', '', '')
    ) AS end_of (low, high, kind, type, subtype, action, status, diagnostic, verdict, reason, explanation)
      ON chance >= low AND chance < high
    WHERE d.campaign_id = %(campaign)s"""
_STATES = """
    UPDATE mailinglist_delivery d
    SET state = CASE e.verdict WHEN 'hard' THEN 'bounced' WHEN 'complaint' THEN 'complained'
                WHEN 'delivered' THEN 'delivered' ELSE CASE WHEN %(waits)s THEN 'waiting' ELSE 'expired' END END,
        reason = CASE e.verdict WHEN 'delivered' THEN '' ELSE e.verdict || ':' || e.reason END,
        next_attempt_at = CASE WHEN %(waits)s AND e.verdict IN ('soft', 'block') THEN e.created_at + interval '1 day' END
    FROM history_end e WHERE e.delivery_id = d.id"""
_EVENTS = """
    WITH said AS (
        SELECT nextval(pg_get_serial_sequence('bounces_notification', 'id')) AS notification, e.*,
               told.name, told.at, told.link
        FROM history_end e CROSS JOIN LATERAL (
            SELECT e.kind AS name, e.created_at + interval '1 second' * (e.delivery_id %% 7200) AS at, '' AS link
            UNION ALL SELECT 'send', e.created_at, '' WHERE %(tracked)s
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


def make(number: int, *, stored: int = 5000, quarantined: int = 2000) -> dict[str, int]:
    """``number`` people and their history; so many notifications wait to be processed. What there is then."""
    mailing_list = MailingList.objects.get(pk=people.make_list(number, domain=_DOMAIN))
    for days in DAYS_AGO:
        _campaign(mailing_list, days)
    _notifications(stored, quarantined)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # the time for autovacuum to come by
    return {
        "people": number,
        "deliveries": Delivery.objects.count(),
        "events": Event.objects.count(),
        "notifications": Notification.objects.count(),
    }


def _campaign(mailing_list: MailingList, days: int) -> None:
    at, newest = timezone.now() - timedelta(days=days), days == DAYS_AGO[-1]
    campaign = Campaign.objects.create(name=f"{days} days ago", subject="News", body=people.BODY)
    campaign.lists.add(mailing_list)
    version = CampaignVersion.objects.create(
        campaign=campaign,
        number=1,
        subject="News",
        html='<p><a href="https://www.example.org/garden">The garden</a></p>',
        text="The garden",
    )
    Campaign.objects.filter(pk=campaign.pk).update(
        status="sending" if newest else "finished",
        version=version,
        started_at=at,
        finished_at=None if newest else at + timedelta(days=10),
        retry_until=at + timedelta(days=10),
    )
    values = {"campaign": campaign.pk, "version": version.pk, "list": mailing_list.pk, "at": at}
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for statement in (_DELIVERIES, _ATTEMPTS, _ENDS, _STATES, _EVENTS):
            cursor.execute(statement, values | {"waits": newest, "tracked": newest})
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
