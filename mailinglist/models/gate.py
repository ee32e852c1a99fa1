"""How much the sign-up forms were asked for, and how far each has closed itself. No address and no IP stands here."""

from django.db import models
from django.db.models import F, Q


class SignUpCount(models.Model):
    """What was asked for in one piece of time. Written only by sign_up_counts.py; pruned by the nightly cleanup."""

    class Scope(models.TextChoices):
        #: The network a request came from, as HMAC.
        NETWORK = "network", "network"
        #: The domain that mail would go to, as HMAC.
        DOMAIN = "domain", "recipient domain"
        #: A list's form, by the list's id.
        FORM = "form", "form"
        #: A captcha that was solved, as a hash: it counts once. ``since`` is when it expires.
        CAPTCHA = "captcha", "captcha"
        #: What became of requests, for the manager: the list's id and the answer.
        ANSWER = "answer", "answer"

    scope = models.CharField(max_length=10, choices=Scope.choices)
    key = models.CharField(max_length=64)
    since = models.DateTimeField()
    asked = models.PositiveIntegerField()
    #: Of those, how many were within the limit.
    passed = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "key", "since"], name="one_count_per_time"),
            models.CheckConstraint(condition=Q(passed__lte=F("asked")), name="no_more_pass_than_ask"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} since {self.since:%H:%M}: {self.asked}"


class AskedAddress(models.Model):
    """An address that was sent confirmation mails and has answered none since. Written only by asked_addresses.py.

    Keyed by the HMAC of the suppression list, because it must outlive an erasure: nobody is asked for ever. All plus
    tags of a mailbox are one (addresses.mailbox).
    """

    key = models.CharField(max_length=64, primary_key=True)
    mails = models.PositiveIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(mails__gt=0), name="asked_address_was_asked")]

    def __str__(self) -> str:
        return f"{self.mails} unanswered, the last at {self.last_at:%Y-%m-%d %H:%M}"


class FormStep(models.Model):
    """How far the form of a list has closed itself under a burst. Written only by form_steps.py."""

    class Step(models.IntegerChoices):
        #: As usual. → CAPTCHA
        OPEN = 0, "open"
        #: Visitors' browsers solve a puzzle first. → LIMITED, OPEN
        CAPTCHA = 1, "asks for a captcha"
        #: Beyond so many an hour visitors are asked to come later. → CLOSED, CAPTCHA, OPEN
        LIMITED = 2, "takes only so many an hour"
        #: Nobody can sign up. → CAPTCHA when the time is over; OPEN by a manager
        CLOSED = 3, "closed for a while"

    list = models.OneToOneField(
        "MailingList", primary_key=True, on_delete=models.CASCADE, related_name="form_step"
    )
    step = models.PositiveSmallIntegerField(choices=Step.choices, default=Step.OPEN)
    since = models.DateTimeField()
    #: When it is looked at again.
    until = models.DateTimeField()
    #: Sign-ups before this count no more: a manager opened the form, or its closed time was over.
    counted_from = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(step__in=[0, 1, 2, 3]), name="form_step_known"),
            models.CheckConstraint(condition=Q(until__gte=F("since")), name="form_step_ends_after_it_began"),
        ]
        indexes = [
            # The sweep: which forms may step back.
            models.Index(fields=["until"], condition=Q(step__gt=0), name="form_step_not_open"),
        ]

    def __str__(self) -> str:
        return f"{self.list}: {self.get_step_display()}"
