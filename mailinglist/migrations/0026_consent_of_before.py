"""What subscriptions knew of consent becomes the first rows of the history.

Some thousand subscriptions at a time, each step a transaction of its own, beside the writers. Begun again, it
finds what is done. Imports keep their evidence where it is, one row per person (see docs/decisions.md). Backwards
there is nothing to do: the subscriptions still know what they knew.
"""

from django.db import migrations

_STEP = 5000
_COPY = """
    INSERT INTO mailinglist_consentrecord
        (subscriber_id, list_id, kind, at, ip, user_agent, text, form, source)
    SELECT b.subscriber_id, b.list_id, k.kind, k.at, k.ip, k.user_agent, k.text, '', b.source
    FROM mailinglist_subscription b
    CROSS JOIN LATERAL (VALUES
        ('asked', b.consent_at, b.consent_ip, b.consent_user_agent, b.consent_text),
        ('confirmed', CASE WHEN b.confirmed_at IS DISTINCT FROM b.consent_at THEN b.confirmed_at END,
         b.confirmed_ip, '', '')
    ) AS k (kind, at, ip, user_agent, text)
    WHERE b.id > %s AND b.id <= %s AND b.source <> 'import' AND k.at IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM mailinglist_consentrecord r
                      WHERE r.subscriber_id = b.subscriber_id AND r.list_id = b.list_id AND r.at = k.at)"""


def copy(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM mailinglist_subscription")
        last = cursor.fetchone()[0]
        for low in range(0, last, _STEP):
            cursor.execute(_COPY, [low, low + _STEP])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0025_consent_record")]

    operations = [migrations.RunPython(copy, migrations.RunPython.noop)]
