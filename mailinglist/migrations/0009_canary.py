"""The first mails of a campaign, whose events are awaited. Columns with a default of the database, on a small table."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0008_attempt_against_us")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="canary_minutes",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="Minutes. The first 1 % (at least 50 people) get the mail, then sending waits so long for "
                "bounces and complaints. If the numbers are good it goes on by itself, else it pauses. 0: everybody "
                "at once.",
                validators=[django.core.validators.MaxValueValidator(10080)],
                verbose_name="wait after the first 1 %",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="canary_last_id",
            field=models.BigIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="campaign",
            name="canary_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("canary_until__isnull", True), ("canary_last_id__isnull", False), _connector="OR"
                ),
                name="awaited_canary_has_last_id",
            ),
        ),
    ]
