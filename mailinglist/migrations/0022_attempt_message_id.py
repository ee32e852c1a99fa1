"""Attempts without a message id stay out of its index, and the second one, for LIKE, goes: each claim wrote into both.

The new index is built beside the writers before the old ones go, so that the id is unique all the while.
"""

from django.db import migrations, models

_INDEX = "attempt_by_message_id"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0021_suppression_unsynced")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"CREATE UNIQUE INDEX CONCURRENTLY {_INDEX} ON mailinglist_attempt (message_id) "
                    "WHERE message_id IS NOT NULL",
                    f"DROP INDEX CONCURRENTLY IF EXISTS {_INDEX}",
                )
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="attempt",
                    constraint=models.UniqueConstraint(
                        fields=["message_id"], condition=models.Q(message_id__isnull=False), name=_INDEX
                    ),
                )
            ],
        ),
        migrations.AlterField(
            model_name="attempt",
            name="message_id",
            field=models.CharField(blank=True, max_length=120, null=True),
        ),
    ]
