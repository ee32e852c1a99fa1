"""What the reputation guard leaves of the pace. Columns with a default of the database, on two small tables."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0006_attempt_by_time")]

    operations = [
        migrations.AddField(
            model_name="sendbudget", name="guard_factor", field=models.FloatField(db_default=1, default=1)
        ),
        migrations.AddField(
            model_name="sendbudget",
            name="guard_text",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="sendbudget", name="guard_since", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddConstraint(
            model_name="sendbudget",
            constraint=models.CheckConstraint(
                condition=models.Q(("guard_factor__gt", 0), ("guard_factor__lte", 1)),
                name="budget_guard_is_share",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="guard_factor",
            field=models.FloatField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name="campaign",
            name="guard_text",
            field=models.TextField(blank=True, db_default="", default="", editable=False),
        ),
        migrations.AddField(
            model_name="campaign",
            name="guard_seen",
            field=models.JSONField(blank=True, db_default={}, default=dict, editable=False),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("guard_factor__gt", 0), ("guard_factor__lte", 1)),
                name="campaign_guard_is_share",
            ),
        ),
    ]
