"""Incidents of blocks hold no hard bounces any more. What is held is looked at again by the next sweep: the incidents of
hard bounces hold theirs as before. Few rows, found by an index.
"""

from django.db import migrations

_LOOK_AGAIN = """
    UPDATE bounces_event SET effect_at = now()
    WHERE applied_at IS NULL AND effect = 'unsubscribe-and-suppress' AND effect_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("bounces", "0024_campaign_course")]

    operations = [migrations.RunSQL(_LOOK_AGAIN, migrations.RunSQL.noop)]
