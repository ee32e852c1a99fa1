"""Indexes of the staff pages, built beside the writers."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("bounces", "0022_event_of_few")]

    operations = [
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(fields=["source", "-id"], name="notification_by_source"),
        ),
        AddIndexConcurrently(
            model_name="event", index=models.Index(fields=["kind", "-id"], name="event_by_kind")
        ),
        RemoveIndexConcurrently(model_name="event", name="event_of_rare_kind"),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                fields=["verdict", "-id"],
                condition=Q(
                    verdict__in=["hard", "soft", "block", "message", "complaint", "suppressed", "unknown"]
                ),
                name="event_bounces_by_verdict",
            ),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                fields=["-id"], condition=Q(applied_at__isnull=True) & ~Q(effect=""), name="event_not_applied"
            ),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(fields=["-id"], condition=~Q(ruling=""), name="event_ruled"),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                fields=["occurred_at"],
                condition=Q(verdict="hard", applied_at__isnull=True),
                name="event_hard_not_applied",
            ),
        ),
    ]
