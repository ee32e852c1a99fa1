"""When a campaign goes out on whose clock. Columns with a default of the database, on a small table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0009_canary")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="planned_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="campaign",
            name="time_zone",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=60),
        ),
        migrations.AddField(
            model_name="campaign",
            name="at_local_time",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("at_local_time", False),
                    models.Q(("planned_at__isnull", False), models.Q(("time_zone", ""), _negated=True)),
                    _connector="OR",
                ),
                name="local_time_has_plan",
            ),
        ),
    ]
