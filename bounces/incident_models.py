"""Incidents, the counts per provider that they are seen in, and how far the tasks that read on have come.

Part of ``bounces.models``, which is where everybody imports them from.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Incident(models.Model):
    """A provider refused many people it had taken mail for before. While open, its hard bounces are held."""

    class Kind(models.TextChoices):
        HARD = "hard", "says that addresses do not exist"
        BLOCK = "block", "blocks our mail"

    class State(models.TextChoices):
        #: Nobody has decided yet; hard bounces of known-good addresses have no effect. → confirmed, released
        OPEN = "open", "open"
        #: The provider was right: the bounces took effect.
        CONFIRMED = "confirmed", "believed"
        #: It was an outage or a fault of ours: the bounces never count.
        RELEASED = "released", "released"

    #: As ``providers.of_domain`` names it.
    provider = models.CharField(max_length=253)
    kind = models.CharField(max_length=5, choices=Kind.choices)
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    #: The bounces of [started_at, ended_at) belong to it. Every new wave moves the end (see ``waves.QUIET``).
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    opened_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    why = models.TextField(blank=True, help_text="Why it was decided so.")
    #: Reports of this kind in its time, and mails with any end, for addresses that took mail before.
    bounced = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    #: The share that bounced in its worst hour, and the share that is usual at this provider.
    share = models.FloatField(default=0)
    baseline = models.FloatField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "kind", "started_at"],
                condition=Q(state="open"),
                name="one_open_incident_per_wave",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "confirmed", "released"]), name="incident_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True)
                | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="incident_decided_once",
            ),
        ]
        indexes = [models.Index(fields=["provider", "started_at"], name="incident_by_provider")]

    def __str__(self) -> str:
        return f"{self.provider} {self.get_kind_display()}, since {self.started_at:%d %b %Y %H:%M} UTC"


class ProviderSlot(models.Model):
    """What came back from one provider in a quarter of an hour. Recomputable from the events; outlives them."""

    provider = models.CharField(max_length=253)
    starts_at = models.DateTimeField()
    delivered = models.PositiveIntegerField(default=0)
    hard = models.PositiveIntegerField(default=0)
    soft = models.PositiveIntegerField(default=0)
    block = models.PositiveIntegerField(default=0)
    delayed = models.PositiveIntegerField(default=0)
    complaint = models.PositiveIntegerField(default=0)
    #: The same for addresses that had been delivered before: mails with an end, hard bounces, blocks.
    known_seen = models.PositiveIntegerField(default=0)
    known_hard = models.PositiveIntegerField(default=0)
    known_block = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "starts_at"], name="one_slot_per_provider")
        ]
        indexes = [models.Index(fields=["starts_at"], name="slot_by_time")]

    def __str__(self) -> str:
        return f"{self.provider} {self.starts_at:%d %b %Y %H:%M}"


class Watermark(models.Model):
    """How far a task that reads on has come: event ids for the slots, a page of SES's suppression list."""

    name = models.CharField(max_length=40, primary_key=True)
    position = models.BigIntegerField(default=0)
    token = models.TextField(blank=True)
    #: When the run that goes on began, and when the last complete one did.
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    #: The sentence for people where the last run stopped before its end.
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name
