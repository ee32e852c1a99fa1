"""The few attempts that count against the sender. A partial index, built beside the writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0007_reputation_guard")]

    operations = [
        AddIndexConcurrently(
            model_name="attempt",
            index=models.Index(
                fields=["started_at"],
                condition=models.Q(("verdict__in", ["hard", "complaint", "suppressed"])),
                name="attempt_against_us",
            ),
        ),
    ]
