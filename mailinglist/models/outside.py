"""What was asked outside, on request: the links of a campaign, and how a sender stands with SES and the DNS."""

from django.db import models
from django.db.models import Q

from mailinglist.models.campaigns import Campaign


class Asked(models.Model):
    """A question to the outside; PostgreSQL is the queue of those without an answer."""

    asked_at = models.DateTimeField()
    #: A worker has it in hand until then.
    taken_until = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class LinkCheck(Asked):
    """One address in a campaign, and what it answered."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="link_checks")
    address = models.TextField()
    is_broken = models.BooleanField(default=False)
    says = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(checked_at__isnull=True), name="link_check_waiting"),
        ]

    def __str__(self) -> str:
        return self.address


class SenderCheck(Asked):
    """One sender address: a list of findings, each with a sentence, what to do, and whether it forbids sending."""

    sender = models.EmailField(unique=True)
    findings = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.sender
