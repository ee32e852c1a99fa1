"""A table for the evidence of consent: a row for each time somebody asked or agreed. New, so nothing waits for it."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0024_left_until_confirmed")]

    operations = [
        migrations.CreateModel(
            name="ConsentRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("asked", "asked to join"),
                            ("confirmed", "confirmed by mail"),
                            ("tracking", "chose about opens and clicks"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("ip", models.GenericIPAddressField(blank=True, null=True)),
                ("user_agent", models.CharField(blank=True, max_length=255)),
                (
                    "text",
                    models.TextField(blank=True, help_text="What the page said that the person agreed to."),
                ),
                (
                    "form",
                    models.CharField(
                        blank=True, help_text="The page or form that it was said on.", max_length=200
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=60)),
                ("tracking", models.BooleanField(blank=True, null=True)),
                (
                    "list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="mailinglist.mailinglist"
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="mailinglist.subscriber",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subscriber", "list", "-at"], name="consent_history"),
                    models.Index(
                        fields=["id"],
                        condition=Q(("ip__isnull", False), models.Q(("user_agent", ""), _negated=True), _connector="OR"),
                        name="consent_with_traces",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(("kind__in", ["asked", "confirmed", "tracking"])), name="consent_kind_known"
                    )
                ],
            },
        ),
    ]
