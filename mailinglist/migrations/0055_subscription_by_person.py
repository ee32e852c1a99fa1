"""One index for "one subscription per list" and for "the lists of a person" instead of two. Built beside the writers."""

import django.db.models.deletion
from django.db import migrations, models

_TABLE = "mailinglist_subscription"
#: What an earlier try of this migration may have left behind is not valid.
_BUILD = [
    "DROP INDEX CONCURRENTLY IF EXISTS subscription_by_person",
    f"CREATE UNIQUE INDEX CONCURRENTLY subscription_by_person ON {_TABLE} (subscriber_id, list_id)",
    f"""ALTER TABLE {_TABLE} DROP CONSTRAINT IF EXISTS one_subscription_per_list,
        ADD CONSTRAINT one_subscription_per_list UNIQUE USING INDEX subscription_by_person""",
]
_BUILD_BACK = [
    "DROP INDEX CONCURRENTLY IF EXISTS subscription_by_list",
    f"CREATE UNIQUE INDEX CONCURRENTLY subscription_by_list ON {_TABLE} (list_id, subscriber_id)",
    f"""ALTER TABLE {_TABLE} DROP CONSTRAINT IF EXISTS one_subscription_per_list,
        ADD CONSTRAINT one_subscription_per_list UNIQUE USING INDEX subscription_by_list""",
]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0054_confirmed_schedules")]

    operations = [
        migrations.RunSQL(
            _BUILD,
            _BUILD_BACK,
            state_operations=[
                migrations.RemoveConstraint(model_name="subscription", name="one_subscription_per_list"),
                migrations.AddConstraint(
                    model_name="subscription",
                    constraint=models.UniqueConstraint(
                        fields=["subscriber", "list"], name="one_subscription_per_list"
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="subscription",
            name="subscriber",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="subscriptions",
                to="mailinglist.subscriber",
            ),
        ),
    ]
