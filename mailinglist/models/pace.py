"""Providers that get their mails more slowly for a while."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class ProviderPace(models.Model):
    """A provider that keeps our mails waiting. Written only by sending/providers.py; a row counts until ``until``."""

    provider = models.CharField(max_length=255, primary_key=True)
    #: The domains whose mail this provider takes.
    domains = ArrayField(models.CharField(max_length=255))
    #: The most mails a second that it gets now.
    per_second = models.FloatField()
    until = models.DateTimeField(db_default=Now())
    #: When the pace was last lowered; turns that were given out before are given out anew.
    lowered_at = models.DateTimeField(null=True, blank=True)
    #: The turn of its next mail.
    next_turn_at = models.DateTimeField(db_default=Now())
    #: Reports of the last minutes, and when the last one came.
    reports = models.PositiveIntegerField(default=0)
    reported_at = models.DateTimeField(db_default=Now())
    #: What the provider said, as a sentence.
    why = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(per_second__gt=0), name="provider_pace_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.per_second:g}/s"
