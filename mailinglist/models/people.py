"""Who of the managers may do what, and who let a campaign go."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Membership(models.Model):
    """A role of one manager: for one list, or for the whole installation. mailinglist/access.py reads it."""

    class Role(models.TextChoices):
        #: Everything, also settings and roles.
        OWNER = "owner", "owner"
        #: Writes and sends campaigns, manages the people on the list.
        EDITOR = "editor", "editor"
        #: Looks at everything, changes nothing.
        ANALYST = "analyst", "analyst"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    list = models.ForeignKey(
        "MailingList",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="memberships",
        help_text="Empty: the whole installation, with the lists that come later.",
    )
    role = models.CharField(max_length=10, choices=Role.choices)
    may_export = models.BooleanField(
        "may download addresses",
        default=False,
        help_text="For analysts; owners and editors may anyway.",
    )

    class Meta:
        verbose_name = "role"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "list"], condition=Q(list__isnull=False), name="one_role_per_list"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(list__isnull=True), name="one_role_for_everything"
            ),
            models.CheckConstraint(
                condition=Q(role__in=["owner", "editor", "analyst"]), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} of {self.list or 'the whole installation'}"


class Approval(models.Model):
    """That a campaign may go: who asked, who looked, and what exactly they saw. approvals.py is the only writer."""

    campaign = models.OneToOneField("Campaign", on_delete=models.CASCADE, related_name="approval")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    #: Of the campaign as it was approved: with any other content or audience the approval is void.
    fingerprint = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("asked_by")),
                name="approved_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True) | ~Q(fingerprint=""), name="approval_is_of_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign}: {'approved' if self.approved_at else 'asked'}"
