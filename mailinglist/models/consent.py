"""The evidence of consent, one row for each time somebody asked or agreed."""

from django.db import models
from django.db.models import Q


class ConsentRecord(models.Model):
    """What was said to a visitor and what they answered. Added, never changed; see mailinglist/consents.py.

    Only time takes something away: where from it came, when the person has left long ago (mailinglist/retention.py).
    """

    class Kind(models.TextChoices):
        #: Somebody filled in a form with this address, or a manager wrote down how the person agreed.
        ASKED = "asked", "asked to join"
        #: Whoever reads the mail to the address pressed the button behind its link.
        CONFIRMED = "confirmed", "confirmed by mail"
        #: The person allowed or forbade on their own page that opens and clicks are noted.
        TRACKING = "tracking", "chose about opens and clicks"

    subscriber = models.ForeignKey(
        "Subscriber", on_delete=models.CASCADE, related_name="consents", db_index=False
    )
    list = models.ForeignKey("MailingList", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    at = models.DateTimeField()
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=255, blank=True)
    text = models.TextField(blank=True, help_text="What the page said that the person agreed to.")
    form = models.CharField(max_length=200, blank=True, help_text="The page or form that it was said on.")
    source = models.CharField(max_length=60, blank=True)
    #: What they answered about opens and clicks; NULL: they were not asked.
    tracking = models.BooleanField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["asked", "confirmed", "tracking"]), name="consent_kind_known"
            ),
        ]
        indexes = [
            # The history of a person, and what they asked for last on a list.
            models.Index(fields=["subscriber", "list", "-at"], name="consent_history"),
            # Retention: what still says where it came from.
            models.Index(
                fields=["id"],
                condition=Q(ip__isnull=False) | ~Q(user_agent=""),
                name="consent_with_traces",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.at:%Y-%m-%d}"
