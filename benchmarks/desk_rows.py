"""Ten campaigns to everybody, and what years of an installation leave besides mails. Runs after ``django.setup``."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from benchmarks import desk_tools, history_rows, people
from benchmarks.history_rows import Mailing
from bounces import campaign_course, slots
from bounces.models import Incident
from mailinglist import campaign_counts, list_counts

#: Nine that lost all but their bounces and complaints to the retention, and one that is under way.
MAILINGS = (
    *(Mailing(days, delivered=False) for days in range(255, 0, -28)[:9]),
    Mailing(2, going_on=True, tracked=True),
)
#: People came over two years; those whose address bounced hard have left.
_STATEMENTS = (
    """
    UPDATE mailinglist_subscription SET created_at = now() - interval '1 second' * (id::bigint * 617 %% 63000000),
        confirmed_at = now() - interval '1 second' * (id::bigint * 617 %% 63000000)""",
    """
    INSERT INTO mailinglist_change (at, actor, noun, object_id, subscriber_id, list_id, before, after, why, evidence)
    SELECT created_at, 'person', 'subscription', id, subscriber_id, list_id, '', 'confirmed', 'Signed up (form).', '{}'
    FROM mailinglist_subscription ORDER BY created_at""",
    """
    CREATE TEMP TABLE lost AS
    SELECT DISTINCT ON (subscriber_id) subscriber_id, verdict, occurred_at FROM bounces_event
    WHERE verdict IN ('hard', 'complaint') AND delivery_id IS NOT NULL ORDER BY subscriber_id, occurred_at""",
    """
    UPDATE bounces_event SET effect = 'suppress', effect_text = 'Unsubscribed everywhere and suppressed.',
        effect_at = occurred_at, applied_at = occurred_at WHERE verdict IN ('hard', 'complaint') AND id %% 100 > 0""",
    """
    UPDATE bounces_event SET effect = 'held', effect_text = 'Held.', effect_at = now() + interval '1 hour'
    WHERE verdict = 'hard' AND id %% 100 = 0""",
    """
    UPDATE mailinglist_subscription s SET status = 'unsubscribed', unsubscribed_at = l.occurred_at,
        unsubscribe_reason = CASE l.verdict WHEN 'hard' THEN 'hard-bounce' ELSE 'complaint' END
    FROM lost l WHERE l.subscriber_id = s.subscriber_id""",
    """
    INSERT INTO mailinglist_change (at, actor, noun, object_id, subscriber_id, list_id, before, after, why, evidence)
    SELECT unsubscribed_at, 'rule', 'subscription', id, subscriber_id, list_id, 'confirmed', 'unsubscribed',
           'The address does not exist.', '{}'
    FROM mailinglist_subscription WHERE status = 'unsubscribed' ORDER BY unsubscribed_at""",
    """
    INSERT INTO mailinglist_suppression (key, reason, since, evidence, synced_at)
    SELECT p.suppression_key, CASE l.verdict WHEN 'hard' THEN 'hard-bounce' ELSE 'complaint' END, l.occurred_at,
           'The address does not exist.', l.occurred_at
    FROM lost l JOIN mailinglist_subscriber p ON p.id = l.subscriber_id ORDER BY l.occurred_at""",
    """
    INSERT INTO bounces_addresshealth (subscriber_id, state, consecutive_soft, soft_days, first_delivered_at,
                                       last_delivered_at)
    SELECT id, CASE WHEN id %% 40 = 0 THEN 'wavering' ELSE 'healthy' END, (id %% 40 = 0)::int, 0,
           now() - interval '300 days', now() - interval '2 days'
    FROM mailinglist_subscriber""",
    """
    INSERT INTO mailinglist_engagement (delivery_id, campaign_id, opened, clicked, proxied, opens, clicks,
                                        links_person, links_unsure, links_machine)
    SELECT d.id, d.campaign_id, CASE WHEN d.id %% 3 = 0 THEN 'unsure' ELSE 'person' END,
           CASE WHEN d.id %% 8 = 0 THEN 'person' ELSE '' END, d.id %% 5 = 0, 1, (d.id %% 8 = 0)::int,
           CASE WHEN d.id %% 8 = 0 THEN '{0}'::smallint[] ELSE '{}' END, '{}', '{}'
    FROM mailinglist_delivery d
    WHERE d.campaign_id = (SELECT max(id) FROM mailinglist_campaign) AND d.state = 'delivered' AND d.id %% 2 = 0""",
    "DROP TABLE lost",
)


def make(number: int) -> dict[str, int]:
    """``number`` people with all that an installation of two years has. What there is then."""
    made = history_rows.make(number, mailings=MAILINGS)
    people.make_list(max(1, number // 10), name="The other list")
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, [])
    _run_tasks()
    Incident.objects.create(
        provider=history_rows.LARGEST,
        kind=Incident.Kind.HARD,
        started_at=timezone.now() - timedelta(days=3),
        ended_at=timezone.now(),
        bounced=number // 250,
        seen=number // 3,
        share=0.2,
        baseline=0.01,
    )
    desk_tools.make(number)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return made


def _run_tasks() -> None:
    """What the scheduler's tasks keep counted."""
    slots.refresh()
    list_counts.refresh()
    for _ in MAILINGS:  # one call begins no more after some seconds
        campaign_counts.refresh()
        campaign_course.refresh()
