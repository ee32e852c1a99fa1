"""How long it stays known where a consent came from. Called nightly.

While somebody is subscribed, the IP address and the browser are the evidence that they agreed, and stay. They go
CONSENT_RETENTION_DAYS after the person left the list; what was said and when stays.
"""

from django.conf import settings
from django.db import connection

BATCH = 5000


def prune() -> int:
    """Take IP addresses and browsers out of old consents. Returns how many records and subscriptions lost them."""
    return _walk(_RECORDS) + _walk(_SUBSCRIPTIONS)


def _walk(sql: str) -> int:
    """Run ``sql`` over spans of ids, each a transaction of its own. It answers with the last id that it looked at."""
    last, pruned = 0, 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(sql, {"after": last, "days": settings.CONSENT_RETENTION_DAYS, "batch": BATCH})
            last, changed = cursor.fetchone()
        if last is None:
            return pruned
        pruned += changed


_LONG_AGO = "statement_timestamp() - make_interval(secs => %(days)s * 86400)"
# Without a subscription the sign-up expired: its own age counts.
_RECORDS = f"""
    WITH span AS MATERIALIZED (
        SELECT id, subscriber_id, list_id, at FROM mailinglist_consentrecord
        WHERE (ip IS NOT NULL OR user_agent <> '') AND id > %(after)s ORDER BY id LIMIT %(batch)s
    ), pruned AS (
        UPDATE mailinglist_consentrecord r SET ip = NULL, user_agent = ''
        FROM span LEFT JOIN mailinglist_subscription b
             ON b.subscriber_id = span.subscriber_id AND b.list_id = span.list_id
        WHERE r.id = span.id AND span.at < {_LONG_AGO}
          AND (b.id IS NULL OR (b.status = 'unsubscribed' AND b.unsubscribed_at < {_LONG_AGO}))
        RETURNING r.id
    )
    SELECT (SELECT max(id) FROM span), (SELECT count(*) FROM pruned)"""  # noqa: S608
_SUBSCRIPTIONS = f"""
    WITH span AS MATERIALIZED (
        SELECT id FROM mailinglist_subscription
        WHERE status = 'unsubscribed' AND unsubscribed_at < {_LONG_AGO} AND id > %(after)s
          AND (consent_ip IS NOT NULL OR confirmed_ip IS NOT NULL OR consent_user_agent <> '')
        ORDER BY id LIMIT %(batch)s
    ), pruned AS (
        UPDATE mailinglist_subscription b SET consent_ip = NULL, confirmed_ip = NULL, consent_user_agent = ''
        FROM span WHERE b.id = span.id AND b.status = 'unsubscribed'
        RETURNING b.id
    )
    SELECT (SELECT max(id) FROM span), (SELECT count(*) FROM pruned)"""  # noqa: S608
