"""Indexes of the staff pages, built beside the writers."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0041_staff_counts")]

    operations = [
        AddIndexConcurrently(
            model_name="change",
            index=BrinIndex(fields=["at"], autosummarize=True, name="change_by_time"),
        ),
        AddIndexConcurrently(
            model_name="change", index=models.Index(fields=["actor", "-id"], name="change_by_actor")
        ),
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(fields=["campaign", "state", "-id"], name="delivery_of_campaign"),
        ),
        RemoveIndexConcurrently(model_name="delivery", name="delivery_by_state"),
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(
                fields=["state", "-id"],
                condition=Q(state__in=["bounced", "complained", "failed", "skipped", "expired", "cancelled"]),
                name="delivery_with_end",
            ),
        ),
        AddIndexConcurrently(
            model_name="delivery",
            index=models.Index(
                fields=["purpose", "-id"], condition=Q(campaign__isnull=True), name="delivery_of_no_campaign"
            ),
        ),
        AddIndexConcurrently(
            model_name="attempt",
            index=models.Index(
                fields=["verdict", "-delivery"],
                condition=~Q(verdict__in=["", "delivered"]),
                name="attempt_came_back",
            ),
        ),
        AddIndexConcurrently(
            model_name="subscription",
            index=models.Index(
                fields=["unsubscribe_reason", "-id"],
                condition=~Q(unsubscribe_reason=""),
                name="subscription_ended",
            ),
        ),
    ]
