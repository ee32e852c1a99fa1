"""After which campaign a person left: the last one that reached them through the list before that."""

import django.db.models.deletion
from django.db import migrations, models

# Only who left by themselves: few among all subscriptions, found by the index of those that ended.
_FILL = """
    UPDATE mailinglist_subscription s SET left_after_id = mail.campaign_id
    FROM mailinglist_subscription gone CROSS JOIN LATERAL (
        SELECT d.campaign_id FROM mailinglist_delivery d
        WHERE d.subscriber_id = gone.subscriber_id AND d.list_id = gone.list_id AND d.campaign_id IS NOT NULL
          AND d.created_at <= gone.unsubscribed_at
          AND d.state IN ('sent', 'waiting', 'delivered', 'bounced', 'complained', 'expired')
        ORDER BY d.id DESC LIMIT 1) mail
    WHERE s.id = gone.id AND gone.unsubscribe_reason IN ('page', 'one-click', 'ses')"""


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0048_written")]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="left_after",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="mailinglist.campaign",
            ),
        ),
        # The foreign key is checked at the end of its transaction otherwise, which a later change of the table forbids.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
    ]
