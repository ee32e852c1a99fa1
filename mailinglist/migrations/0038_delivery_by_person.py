"""One index for "one delivery per campaign" and for "the mails of a person" instead of two: each mail writes four times
to every index of its row. Built beside the writers.
"""

import django.db.models.deletion
from django.db import migrations, models

_TABLE = "mailinglist_delivery"
#: What an earlier try of this migration may have left behind is not valid.
_BUILD = [
    "DROP INDEX CONCURRENTLY IF EXISTS delivery_by_person",
    f"CREATE UNIQUE INDEX CONCURRENTLY delivery_by_person ON {_TABLE} (subscriber_id, campaign_id)",
    f"""ALTER TABLE {_TABLE} DROP CONSTRAINT IF EXISTS one_delivery_per_campaign,
        ADD CONSTRAINT one_delivery_per_campaign UNIQUE USING INDEX delivery_by_person""",
]
_BUILD_BACK = [
    "DROP INDEX CONCURRENTLY IF EXISTS delivery_by_campaign",
    f"CREATE UNIQUE INDEX CONCURRENTLY delivery_by_campaign ON {_TABLE} (campaign_id, subscriber_id)",
    f"""ALTER TABLE {_TABLE} DROP CONSTRAINT IF EXISTS one_delivery_per_campaign,
        ADD CONSTRAINT one_delivery_per_campaign UNIQUE USING INDEX delivery_by_campaign""",
]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0037_engagement")]

    operations = [
        migrations.RunSQL(
            _BUILD,
            _BUILD_BACK,
            state_operations=[
                migrations.RemoveConstraint(model_name="delivery", name="one_delivery_per_campaign"),
                migrations.AddConstraint(
                    model_name="delivery",
                    constraint=models.UniqueConstraint(
                        fields=["subscriber", "campaign"], name="one_delivery_per_campaign"
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="delivery",
            name="subscriber",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="deliveries",
                to="mailinglist.subscriber",
            ),
        ),
    ]
