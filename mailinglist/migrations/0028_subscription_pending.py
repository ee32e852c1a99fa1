"""The sign-ups that wait, for the reminder and the expiry. A partial index, built beside the writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0027_reminder_and_data_mails")]

    operations = [
        AddIndexConcurrently(
            model_name="subscription",
            index=models.Index(fields=["id"], condition=Q(status="pending"), name="subscription_pending"),
        ),
    ]
