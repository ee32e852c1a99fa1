"""All tables of a new database at once: what the migrations that it replaces make one after the other.

A database that has some of them goes on with the others; one that has all of them counts as having this one.
What those do to rows is left out: a new database has none. `python -m tests.schemas` compares the two ways.
"""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("bounces", "0001_initial"),
        ("bounces", "0010_incidents"),
        ("bounces", "0011_event_bounces_by_domain"),
        ("bounces", "0020_mail_and_queue"),
        ("bounces", "0021_event_privacy"),
        ("bounces", "0022_event_of_few"),
        ("bounces", "0023_staff_indexes"),
        ("bounces", "0024_campaign_course"),
        ("bounces", "0025_judge_held_anew"),
        ("bounces", "0026_incident_per_wave"),
        ("bounces", "0027_no_praise_among_complaints"),
    ]

    initial = True

    dependencies = [
        ("mailinglist", "0042_staff_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AddressHealth",
            fields=[
                (
                    "subscriber",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="health",
                        serialize=False,
                        to="mailinglist.subscriber",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("healthy", "healthy"),
                            ("wavering", "wavering"),
                            ("unreachable", "unreachable"),
                        ],
                        default="healthy",
                        max_length=12,
                    ),
                ),
                ("consecutive_soft", models.PositiveIntegerField(default=0)),
                ("soft_days", models.PositiveIntegerField(default=0)),
                ("last_delivered_at", models.DateTimeField(blank=True, null=True)),
                ("last_bounce_at", models.DateTimeField(blank=True, null=True)),
                ("first_delivered_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "address health",
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("sns", "SNS webhook"),
                            ("sqs", "SQS queue"),
                            ("dsn", "mail"),
                            ("file", "file"),
                        ],
                        max_length=8,
                    ),
                ),
                ("raw", models.BinaryField(null=True)),
                ("dedupe_key", models.CharField(max_length=100, unique=True)),
                ("topic_arn", models.CharField(blank=True, max_length=256)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("stored", "stored"),
                            ("processed", "processed"),
                            ("quarantined", "quarantined"),
                        ],
                        default="stored",
                        max_length=12,
                    ),
                ),
                ("error", models.TextField(blank=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("processed_at", models.DateTimeField(blank=True, null=True)),
                ("copies", models.PositiveIntegerField(default=1)),
                ("trusted", models.BooleanField(db_default=True, default=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "stored")), fields=["id"], name="notification_stored"
                    ),
                    models.Index(
                        condition=models.Q(("state", "quarantined")),
                        fields=["-id"],
                        name="notification_quarantined",
                    ),
                    models.Index(
                        condition=models.Q(("raw__isnull", False)),
                        fields=["received_at"],
                        name="notification_raw",
                    ),
                    models.Index(fields=["source", "-id"], name="notification_by_source"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["stored", "processed", "quarantined"])),
                        name="notification_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "quarantined"), _negated=True),
                            models.Q(("error", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="quarantined_has_error",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("type", models.CharField(blank=True, max_length=60)),
                ("subtype", models.CharField(blank=True, max_length=60)),
                ("recipient", models.CharField(blank=True, max_length=320)),
                ("message_id", models.CharField(blank=True, max_length=200)),
                ("action", models.CharField(blank=True, max_length=30)),
                ("status", models.CharField(blank=True, max_length=20)),
                ("diagnostic", models.TextField(blank=True)),
                ("mta", models.CharField(blank=True, max_length=255)),
                ("occurred_at", models.DateTimeField()),
                ("extra", models.JSONField(blank=True, default=dict)),
                ("dedupe_key", models.CharField(max_length=64, unique=True)),
                ("attempt_number", models.PositiveSmallIntegerField(default=0)),
                ("verdict", models.CharField(max_length=14)),
                ("reason", models.CharField(blank=True, max_length=60)),
                ("explanation", models.TextField(blank=True)),
                ("effect", models.CharField(blank=True, max_length=30)),
                ("effect_text", models.TextField(blank=True)),
                ("effect_at", models.DateTimeField(blank=True, null=True)),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "delivery",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="events",
                        to="mailinglist.delivery",
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="events",
                        to="mailinglist.subscriber",
                    ),
                ),
                (
                    "notification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="bounces.notification",
                    ),
                ),
                (
                    "ruling",
                    models.CharField(
                        blank=True,
                        choices=[("apply", "applied by a manager"), ("leave", "left alone by a manager")],
                        db_default="",
                        default="",
                        max_length=8,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subscriber", "-occurred_at"], name="event_timeline"),
                    models.Index(
                        condition=models.Q(
                            ("delivery__isnull", True), models.Q(("message_id", ""), _negated=True)
                        ),
                        fields=["message_id"],
                        name="event_unmatched",
                    ),
                    models.Index(
                        condition=models.Q(("applied_at__isnull", True), ("effect_at__isnull", False)),
                        fields=["effect_at"],
                        name="event_effect_due",
                    ),
                    models.Index(fields=["occurred_at", "verdict"], name="event_by_time"),
                    models.Index(
                        django.db.models.functions.text.Lower(
                            models.Func(
                                models.F("recipient"),
                                models.Value("@"),
                                models.Value(2),
                                function="split_part",
                            )
                        ),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(
                            (
                                "verdict__in",
                                ["hard", "soft", "block", "message", "complaint", "suppressed", "unknown"],
                            )
                        ),
                        name="event_bounces_by_domain",
                    ),
                    models.Index(
                        django.db.models.functions.text.Lower("recipient"),
                        condition=models.Q(
                            ("subscriber__isnull", True), models.Q(("recipient", ""), _negated=True)
                        ),
                        name="event_of_nobody",
                    ),
                    models.Index(
                        condition=models.Q(("extra__has_key", "ipAddress")),
                        fields=["occurred_at"],
                        name="event_with_ip",
                    ),
                    models.Index(
                        condition=models.Q(("reason", ""), _negated=True),
                        fields=["reason", "-id"],
                        name="event_by_reason",
                    ),
                    models.Index(
                        condition=models.Q(("applied_at__isnull", False)),
                        fields=["-id"],
                        name="event_applied",
                    ),
                    models.Index(fields=["kind", "-id"], name="event_by_kind"),
                    models.Index(
                        condition=models.Q(
                            (
                                "verdict__in",
                                ["hard", "soft", "block", "message", "complaint", "suppressed", "unknown"],
                            )
                        ),
                        fields=["verdict", "-id"],
                        name="event_bounces_by_verdict",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("applied_at__isnull", True), models.Q(("effect", ""), _negated=True)
                        ),
                        fields=["-id"],
                        name="event_not_applied",
                    ),
                    models.Index(
                        condition=models.Q(("ruling", ""), _negated=True), fields=["-id"], name="event_ruled"
                    ),
                    models.Index(
                        condition=models.Q(("applied_at__isnull", True), ("verdict", "hard")),
                        fields=["occurred_at"],
                        name="event_hard_not_applied",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Policy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "soft_retry_days",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(
                            validators=[
                                django.core.validators.MinValueValidator(0.1),
                                django.core.validators.MaxValueValidator(30),
                            ]
                        ),
                        blank=True,
                        help_text="After a soft bounce the same mail is sent again after so many days, one number per retry.",
                        size=10,
                    ),
                ),
                (
                    "soft_exhausted_unsubscribes",
                    models.BooleanField(
                        default=True,
                        help_text="When all retries bounced, end the subscription (reversible, not suppressed).",
                    ),
                ),
                (
                    "block_retry_days",
                    models.FloatField(
                        default=1,
                        help_text="A blocked mail is tried once more after so many days; 0: never.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(365),
                        ],
                    ),
                ),
                (
                    "hold_hours",
                    models.FloatField(
                        default=6,
                        help_text="A hard bounce of an address that took mail before is believed after so many hours.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(365),
                        ],
                    ),
                ),
                (
                    "repeated_soft",
                    models.PositiveSmallIntegerField(
                        default=3,
                        help_text="Soft bounces in so many of the last campaigns mean unreachable; 0: never.",
                    ),
                ),
                (
                    "repeated_window",
                    models.PositiveSmallIntegerField(default=5, help_text="… of so many campaigns …"),
                ),
                (
                    "repeated_days",
                    models.PositiveSmallIntegerField(
                        default=14, help_text="… spread over at least so many days."
                    ),
                ),
                (
                    "list",
                    models.OneToOneField(
                        blank=True,
                        help_text="Empty: the default for every list without a policy of its own.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bounce_policy",
                        to="mailinglist.mailinglist",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "policies",
                "constraints": [
                    models.UniqueConstraint(
                        models.ExpressionWrapper(
                            models.Q(("list__isnull", True)), output_field=models.BooleanField()
                        ),
                        condition=models.Q(("list__isnull", True)),
                        name="one_default_policy",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("block_retry_days__gte", 0), ("hold_hours__gte", 0)),
                        name="policy_times_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("repeated_soft__lte", models.F("repeated_window"))),
                        name="policy_repeated_fits_window",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Incident",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
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
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "confirmed", "released"])),
                        name="incident_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("state", "open")),
                            models.Q(
                                models.Q(("state", "open"), _negated=True), ("decided_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="incident_decided_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("provider", "kind", "started_at"),
                        name="one_open_incident_per_wave",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderSlot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
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
        migrations.CreateModel(
            name="CampaignCourse",
            fields=[
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="mailinglist.campaign",
                    ),
                ),
                ("rows", models.JSONField()),
                ("counted_at", models.DateTimeField()),
                ("seconds", models.FloatField()),
            ],
        ),
    ]
