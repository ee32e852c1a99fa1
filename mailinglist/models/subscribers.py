"""People, and the addresses that get no mail."""

import secrets

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Q


def new_token() -> str:
    """128 bits for a link in a mail: opaque, not guessable, no database id."""
    return secrets.token_urlsafe(16)


class Subscriber(models.Model):
    """A person by address. What they are subscribed to is in Subscription."""

    email = models.EmailField("address", help_text="As the person wrote it, with an A-label domain.")
    email_key = models.CharField(max_length=254, unique=True, editable=False)
    name = models.CharField(max_length=200, blank=True)
    attributes = models.JSONField(default=dict, blank=True, help_text="Further values for merge tags.")
    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=60, blank=True)
    #: Names the person in links of mails; replaced when it must be made useless.
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    #: HMAC of email_key, stored so that the claim of the sending engine joins Suppression in SQL.
    suppression_key = models.CharField(max_length=64, editable=False, db_index=True)
    #: Bounces of mails older than this say nothing about the address any more (re-confirmed or restored).
    reset_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: No campaign goes to the person before this; confirmations do.
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        permissions = [
            ("import_subscriber", "Can import subscribers, and undo imports"),
            ("export_subscriber", "Can download subscribers and recipients"),
            ("export_person", "Can download all data of a person"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(email_key="") & ~Q(suppression_key=""), name="subscriber_has_keys"
            ),
        ]
        indexes = [
            # restore_bounced and reports by domain: the key reversed is a prefix search on the domain.
            models.Index(
                OpClass(models.Func("email_key", function="reverse"), name="text_pattern_ops"),
                name="subscriber_by_domain",
            ),
            # The search box of the admin looks for the beginning of an address, whatever its case.
            models.Index(
                fields=["email_key"], name="subscriber_key_prefix", opclasses=["varchar_pattern_ops"]
            ),
        ]

    def __str__(self) -> str:
        return self.email


class Suppression(models.Model):
    """An address that gets no mail from this installation, whatever lists it is on.

    Holds no address, only its HMAC: it must block a re-import after the person was erased. ``released_at`` keeps
    the row as a tombstone, so that a later synchronisation does not undo a manager's release.
    """

    class Reason(models.TextChoices):
        #: The person was erased: nobody but they may bring the address back, by a sign-up that they confirm.
        ERASED = "erased", "the person was erased"
        #: A manager's decision.
        MANUAL = "manual", "a manager"
        #: SES has the address on a suppression list of its own and sends nothing to it.
        SES_LIST = "ses-list", "SES suppresses it"
        #: The address or its domain does not exist.
        HARD_BOUNCE = "hard-bounce", "hard bounce"
        #: The person reported a mail as spam.
        COMPLAINT = "complaint", "complaint"

    key = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=16, choices=Reason.choices)
    since = models.DateTimeField()
    evidence = models.TextField(blank=True, help_text="The sentence that explains it.")
    released_at = models.DateTimeField(null=True, blank=True)
    #: When the account's suppression list at SES last agreed with this row; NULL: nobody has made it agree yet.
    synced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reason__in=["erased", "manual", "ses-list", "hard-bounce", "complaint"]),
                name="suppression_reason_known",
            ),
            models.CheckConstraint(condition=Q(key__regex="^[0-9a-f]{64}$"), name="suppression_key_is_hmac"),
        ]
        indexes = [
            # The claim and the snapshot ask only for active ones.
            models.Index(fields=["key"], condition=Q(released_at__isnull=True), name="suppression_active"),
            # The synchronisation with SES: what it still has to be told.
            models.Index(fields=["id"], condition=Q(synced_at__isnull=True), name="suppression_unsynced"),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} since {self.since:%Y-%m-%d}"

    @property
    def active(self) -> bool:
        return self.released_at is None

    @property
    def at_ses(self) -> str:
        """What SES's own list says about the address, in words for people."""
        if not self.active:
            return "taken off SES's list" if self.synced_at else "to be taken off SES's list"
        if self.synced_at:
            return f"on SES's list too, seen {self.synced_at:%d %b %Y}"
        if self.reason in (self.Reason.HARD_BOUNCE, self.Reason.COMPLAINT):
            return "to be put on SES's list"
        return "" if self.reason == self.Reason.MANUAL else "reported by SES"
