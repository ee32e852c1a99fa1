"""Notifications as received, the events in them, what they say about an address, and the policy of a list."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower

from bounces import providers
from bounces.course_models import CampaignCourse
from bounces.incident_models import Incident, ProviderSlot, Watermark

__all__ = [
    "AddressHealth",
    "CampaignCourse",
    "Event",
    "Incident",
    "Notification",
    "Policy",
    "ProviderSlot",
    "Watermark",
]


class Notification(models.Model):
    """One message from outside, raw and durable. Stored before anything in it is interpreted."""

    class Source(models.TextChoices):
        SNS = "sns", "SNS webhook"
        SQS = "sqs", "SQS queue"
        #: A report that a mail system or a provider mailed: read by another reader, and acting only with our header.
        DSN = "dsn", "mail"
        FILE = "file", "file"

    class State(models.TextChoices):
        #: Durable, not interpreted yet. → processed, quarantined
        STORED = "stored", "stored"
        #: Its events exist and their effects were applied.
        PROCESSED = "processed", "processed"
        #: Could not be understood or must not act; waits for a person or a replay. → processed
        QUARANTINED = "quarantined", "quarantined"

    source = models.CharField(max_length=8, choices=Source.choices)
    #: The SES JSON (or text) as received: the Message of the SNS envelope, or a file's content. NULL: pruned.
    raw = models.BinaryField(null=True)
    #: What makes a second copy the same: SNS MessageId, or SHA-256 of the content.
    dedupe_key = models.CharField(max_length=100, unique=True)
    topic_arn = models.CharField(max_length=256, blank=True)
    #: SNS's own time of publication; NULL for files.
    published_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.STORED)
    error = models.TextField(blank=True)
    #: False: nobody proved who sent it. It stays in the quarantine until a person vouches for it.
    trusted = models.BooleanField(default=True, db_default=True)
    tries = models.PositiveSmallIntegerField(default=0)
    #: When it was processed, or tried last.
    processed_at = models.DateTimeField(null=True, blank=True)
    #: When it was last delivered again, and how often: SNS delivers at least once.
    copies = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["stored", "processed", "quarantined"]), name="notification_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="quarantined") | ~Q(error=""), name="quarantined_has_error"
            ),
        ]
        indexes = [
            # The sweeper: what a lost message left.
            models.Index(fields=["id"], condition=Q(state="stored"), name="notification_stored"),
            models.Index(fields=["-id"], condition=Q(state="quarantined"), name="notification_quarantined"),
            # Retention of raw bodies.
            models.Index(fields=["received_at"], condition=Q(raw__isnull=False), name="notification_raw"),
            # The admin: those of one source, newest first.
            models.Index(fields=["source", "-id"], name="notification_by_source"),
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.dedupe_key}"


class EventQuerySet(models.QuerySet["Event"]):
    """Filters that several modules share."""

    def at(self, provider: str) -> "EventQuerySet":
        """Reports about addresses of a provider (see ``providers``)."""
        text = models.CharField()
        domain = Lower(Func(F("recipient"), Value("@"), Value(2), function="split_part", output_field=text))
        return self.alias(domain=domain).filter(domain__in=providers.domains(provider))


class Event(models.Model):
    """What one notification says about one recipient, with the verdict and what was done."""

    class Ruling(models.TextChoices):
        #: It counts at once, without a hold.
        APPLY = "apply", "applied by a manager"
        #: It never counts against the person.
        LEAVE = "leave", "left alone by a manager"

    notification = models.ForeignKey(Notification, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20)
    type = models.CharField(max_length=60, blank=True)
    subtype = models.CharField(max_length=60, blank=True)
    #: The address as reported; may differ from ours in case or by an alias.
    recipient = models.CharField(max_length=320, blank=True)
    message_id = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=30, blank=True)
    status = models.CharField(max_length=20, blank=True)
    diagnostic = models.TextField(blank=True)
    mta = models.CharField(max_length=255, blank=True)
    occurred_at = models.DateTimeField()
    extra = models.JSONField(default=dict, blank=True)
    dedupe_key = models.CharField(max_length=64, unique=True)

    delivery = models.ForeignKey(
        "mailinglist.Delivery", null=True, blank=True, on_delete=models.SET_NULL, related_name="events"
    )
    #: Which attempt of the delivery it is about; 0: not known.
    attempt_number = models.PositiveSmallIntegerField(default=0)
    subscriber = models.ForeignKey(
        "mailinglist.Subscriber",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="events",
        db_index=False,
    )
    verdict = models.CharField(max_length=14)
    reason = models.CharField(max_length=60, blank=True)
    explanation = models.TextField(blank=True)
    #: What the policy decided about the person (a code of policy.Effect) and the sentence for it.
    effect = models.CharField(max_length=30, blank=True)
    effect_text = models.TextField(blank=True)
    #: When a decided effect is to be applied; later than the event while it is held.
    effect_at = models.DateTimeField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    #: What a manager decided about this one report; empty: the policy decides.
    ruling = models.CharField(max_length=8, choices=Ruling.choices, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            # The timeline and the health of a person.
            models.Index(fields=["subscriber", "-occurred_at"], name="event_timeline"),
            # Events that came before the answer of SES was written down.
            models.Index(
                fields=["message_id"],
                condition=Q(delivery__isnull=True) & ~Q(message_id=""),
                name="event_unmatched",
            ),
            # Effects that are held until their time.
            models.Index(
                fields=["effect_at"],
                condition=Q(applied_at__isnull=True, effect_at__isnull=False),
                name="event_effect_due",
            ),
            # Erasure: an address in reports that belong to nobody.
            models.Index(
                Lower("recipient"),
                condition=Q(subscriber__isnull=True) & ~Q(recipient=""),
                name="event_of_nobody",
            ),
            # Retention: opens and clicks that still say from where.
            models.Index(
                fields=["occurred_at"], condition=Q(extra__has_key="ipAddress"), name="event_with_ip"
            ),
            # The list of events by what few of them have: otherwise it would be looked for in all of them.
            models.Index(fields=["kind", "-id"], name="event_by_kind"),
            models.Index(
                fields=["verdict", "-id"],
                condition=Q(
                    verdict__in=["hard", "soft", "block", "message", "complaint", "suppressed", "unknown"]
                ),
                name="event_bounces_by_verdict",
            ),
            models.Index(
                fields=["-id"], condition=Q(applied_at__isnull=True) & ~Q(effect=""), name="event_not_applied"
            ),
            models.Index(fields=["-id"], condition=~Q(ruling=""), name="event_ruled"),
            # The people that an incident holds.
            models.Index(
                fields=["occurred_at"],
                condition=Q(verdict="hard", applied_at__isnull=True),
                name="event_hard_not_applied",
            ),
            models.Index(fields=["reason", "-id"], condition=~Q(reason=""), name="event_by_reason"),
            models.Index(fields=["-id"], condition=Q(applied_at__isnull=False), name="event_applied"),
            # Reports by time.
            models.Index(fields=["occurred_at", "verdict"], name="event_by_time"),
            # The bounces of one provider, newest first.
            models.Index(
                Lower(Func(F("recipient"), Value("@"), Value(2), function="split_part")),
                F("id").desc(),
                condition=Q(
                    verdict__in=["hard", "soft", "block", "message", "complaint", "suppressed", "unknown"]
                ),
                name="event_bounces_by_domain",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.recipient}"


class AddressHealth(models.Model):
    """What the events say about an address altogether. Recomputable from them, in any order."""

    class State(models.TextChoices):
        #: No soft bounce since the last proven delivery.
        HEALTHY = "healthy", "healthy"
        #: Bounced softly, not yet proven well again.
        WAVERING = "wavering", "wavering"
        #: Given up by the policy.
        UNREACHABLE = "unreachable", "unreachable"

    subscriber = models.OneToOneField(
        "mailinglist.Subscriber", primary_key=True, on_delete=models.CASCADE, related_name="health"
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.HEALTHY)
    consecutive_soft = models.PositiveIntegerField(default=0)
    soft_days = models.PositiveIntegerField(default=0)
    #: The first mail it took: what came after is about an address that had been delivered before.
    first_delivered_at = models.DateTimeField(null=True, blank=True)
    last_delivered_at = models.DateTimeField(null=True, blank=True)
    last_bounce_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "address health"

    def __str__(self) -> str:
        return self.get_state_display()


_whole = [MinValueValidator(0), MaxValueValidator(365)]


class Policy(models.Model):
    """What bounces do, for one list or (without a list) for all lists that have none of their own."""

    list = models.OneToOneField(
        "mailinglist.MailingList",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="bounce_policy",
        help_text="Empty: the default for every list without a policy of its own.",
    )
    soft_retry_days = ArrayField(
        models.FloatField(validators=[MinValueValidator(0.1), MaxValueValidator(30)]),
        size=10,
        blank=True,
        help_text="After a soft bounce the same mail is sent again after so many days, one number per retry.",
    )
    soft_exhausted_unsubscribes = models.BooleanField(
        default=True, help_text="When all retries bounced, end the subscription (reversible, not suppressed)."
    )
    block_retry_days = models.FloatField(
        default=1,
        validators=_whole,
        help_text="A blocked mail is tried once more after so many days; 0: never.",
    )
    hold_hours = models.FloatField(
        default=6,
        validators=_whole,
        help_text="A hard bounce of an address that took mail before is believed after so many hours.",
    )
    repeated_soft = models.PositiveSmallIntegerField(
        default=3, help_text="Soft bounces in so many of the last campaigns mean unreachable; 0: never."
    )
    repeated_window = models.PositiveSmallIntegerField(default=5, help_text="… of so many campaigns …")
    repeated_days = models.PositiveSmallIntegerField(
        default=14, help_text="… spread over at least so many days."
    )

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(
                models.ExpressionWrapper(Q(list__isnull=True), output_field=models.BooleanField()),
                condition=Q(list__isnull=True),
                name="one_default_policy",
            ),
            models.CheckConstraint(
                condition=Q(block_retry_days__gte=0) & Q(hold_hours__gte=0), name="policy_times_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(repeated_soft__lte=models.F("repeated_window")),
                name="policy_repeated_fits_window",
            ),
        ]

    def __str__(self) -> str:
        return f"Policy of {self.list}" if self.list_id else "Default policy"
