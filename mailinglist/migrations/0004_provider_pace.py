"""Providers that get their mails more slowly for a while: a new, small table."""

import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0003_budget_takers")]

    operations = [
        migrations.CreateModel(
            name="ProviderPace",
            fields=[
                ("provider", models.CharField(max_length=255, primary_key=True, serialize=False)),
                (
                    "domains",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), size=None
                    ),
                ),
                ("per_second", models.FloatField()),
                ("until", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("lowered_at", models.DateTimeField(blank=True, null=True)),
                ("next_turn_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("reports", models.PositiveIntegerField(default=0)),
                ("reported_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("why", models.TextField(blank=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("per_second__gt", 0)), name="provider_pace_is_positive"
                    )
                ],
            },
        ),
    ]
