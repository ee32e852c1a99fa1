"""Indexes for the erasure of people and the retention of opens and clicks. Partial, built beside the writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("bounces", "0020_mail_and_queue"), ("mailinglist", "0030_tracking")]

    operations = [
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                Lower("recipient"),
                condition=Q(subscriber__isnull=True) & ~Q(recipient=""),
                name="event_of_nobody",
            ),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                fields=["occurred_at"], condition=Q(extra__has_key="ipAddress"), name="event_with_ip"
            ),
        ),
    ]
