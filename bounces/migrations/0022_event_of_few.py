"""Indexes for the filters of the list of events that few events fit. Partial, built beside the writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("bounces", "0021_event_privacy")]

    operations = [
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                fields=["kind", "-id"],
                condition=Q(kind__in=["complaint", "delay", "reject", "rendering-failure", "subscription"]),
                name="event_of_rare_kind",
            ),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(fields=["reason", "-id"], condition=~Q(reason=""), name="event_by_reason"),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(fields=["-id"], condition=Q(applied_at__isnull=False), name="event_applied"),
        ),
    ]
