"""A schedule keeps the number of people that was confirmed, as a start does while it can be stopped."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0053_subscriber_by_attribute")]

    operations = [
        migrations.RemoveConstraint(model_name="campaign", name="confirmed_campaign_can_be_stopped"),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(confirmed_for__isnull=True) | models.Q(status="scheduled"),
                name="confirmed_campaign_waits",
            ),
        ),
    ]
