"""The claim's index, with the time of the next attempt in it. Built beside the writers; then the old one goes."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0004_provider_pace")]

    operations = [
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(
                fields=["campaign", "next_attempt_at", "id"],
                condition=models.Q(state="queued"),
                name="delivery_to_send",
            ),
        ),
        RemoveIndexConcurrently(model_name="delivery", name="delivery_queued"),
    ]
