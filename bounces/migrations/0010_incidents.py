"""Incidents and what they are seen in. New tables, and columns that PostgreSQL adds without touching a row.

``ruling`` has its default in the database, so that workers of the version before may go on inserting.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bounces", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="ruling",
            field=models.CharField(
                blank=True,
                choices=[("apply", "applied by a manager"), ("leave", "left alone by a manager")],
                db_default="",
                default="",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="addresshealth",
            name="first_delivered_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="Incident",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=253)),
                (
                    "kind",
                    models.CharField(
                        choices=[("hard", "says that addresses do not exist"), ("block", "blocks our mail")],
                        max_length=5,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "open"), ("confirmed", "believed"), ("released", "released")],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("opened_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("why", models.TextField(blank=True, help_text="Why it was decided so.")),
                ("bounced", models.PositiveIntegerField(default=0)),
                ("seen", models.PositiveIntegerField(default=0)),
                ("share", models.FloatField(default=0)),
                ("baseline", models.FloatField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["provider", "started_at"], name="incident_by_provider")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("provider", "kind"),
                        name="one_open_incident_per_provider",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "confirmed", "released"])),
                        name="incident_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("state", "open")),
                            models.Q(models.Q(("state", "open"), _negated=True), ("decided_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="incident_decided_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderSlot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=253)),
                ("starts_at", models.DateTimeField()),
                ("delivered", models.PositiveIntegerField(default=0)),
                ("hard", models.PositiveIntegerField(default=0)),
                ("soft", models.PositiveIntegerField(default=0)),
                ("block", models.PositiveIntegerField(default=0)),
                ("delayed", models.PositiveIntegerField(default=0)),
                ("complaint", models.PositiveIntegerField(default=0)),
                ("known_seen", models.PositiveIntegerField(default=0)),
                ("known_hard", models.PositiveIntegerField(default=0)),
                ("known_block", models.PositiveIntegerField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["starts_at"], name="slot_by_time")],
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "starts_at"), name="one_slot_per_provider")
                ],
            },
        ),
        migrations.CreateModel(
            name="Watermark",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("position", models.BigIntegerField(default=0)),
                ("token", models.TextField(blank=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
            ],
        ),
    ]
