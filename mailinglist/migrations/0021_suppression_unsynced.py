"""What the synchronisation still has to tell SES. Built beside the writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0020_suppression_synced_at")]

    operations = [
        AddIndexConcurrently(
            model_name="suppression",
            index=models.Index(
                fields=["id"], condition=models.Q(synced_at__isnull=True), name="suppression_unsynced"
            ),
        ),
    ]
