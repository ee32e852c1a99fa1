"""Until when the retries of a finished campaign wait that Amazon SES does not take."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0055_subscription_by_person")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="held_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(held_until__isnull=True)
                | (models.Q(status="finished") & ~models.Q(status_reason="")),
                name="held_campaign_is_finished",
            ),
        ),
    ]
