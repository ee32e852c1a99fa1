"""What was sent lately: a block index of some pages, built beside the writers."""

import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0005_delivery_to_send")]

    operations = [
        AddIndexConcurrently(
            model_name="attempt",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["started_at"], name="attempt_by_time"
            ),
        ),
    ]
