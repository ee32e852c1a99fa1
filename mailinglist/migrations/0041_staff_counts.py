"""Counts that a task keeps for the staff pages: of campaigns, of lists, and of the days of a list."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0040_imports")]

    operations = [
        migrations.CreateModel(
            name="CampaignCount",
            fields=[
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="count",
                        serialize=False,
                        to="mailinglist.campaign",
                    ),
                ),
                ("report", models.JSONField()),
                ("counted_at", models.DateTimeField()),
                ("seconds", models.FloatField()),
                ("by_state", models.JSONField()),
                ("states_at", models.DateTimeField()),
                ("states_seconds", models.FloatField()),
            ],
        ),
        migrations.CreateModel(
            name="ListCount",
            fields=[
                (
                    "list",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="count",
                        serialize=False,
                        to="mailinglist.mailinglist",
                    ),
                ),
                ("confirmed", models.PositiveBigIntegerField(default=0)),
                ("pending", models.PositiveBigIntegerField(default=0)),
                ("unsubscribed", models.PositiveBigIntegerField(default=0)),
                ("counted_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ListDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "list",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="mailinglist.mailinglist",
                    ),
                ),
                ("day", models.DateField()),
                ("joined", models.PositiveIntegerField(default=0)),
                ("left", models.PositiveIntegerField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["day"], name="list_day_by_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("list", "day"), name="one_row_per_list_and_day")
                ],
            },
        ),
    ]
