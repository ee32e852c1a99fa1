"""Indexes of the pages with a campaign's results, built beside the writers."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0049_left_after")]

    operations = [
        AddIndexConcurrently(
            model_name="subscription",
            index=models.Index(
                fields=["left_after", "subscriber"],
                condition=Q(left_after__isnull=False),
                name="subscription_left_after",
            ),
        ),
        RemoveIndexConcurrently(model_name="engagement", name="engagement_by_campaign"),
        AddIndexConcurrently(
            model_name="engagement",
            index=models.Index(fields=["campaign", "opened", "-delivery"], name="engagement_by_campaign"),
        ),
        AddIndexConcurrently(
            model_name="engagement",
            index=models.Index(
                fields=["campaign", "clicked", "-delivery"],
                condition=~Q(clicked=""),
                name="engagement_clicked",
            ),
        ),
    ]
