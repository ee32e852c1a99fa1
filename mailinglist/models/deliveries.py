"""One row per mail and recipient: the truth about who got what. Attempts are single POSTs to SES."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q


class Delivery(models.Model):
    """A mail that one person is to get once. Written only by sending/queue.py."""

    class State(models.TextChoices):
        #: Waits for a worker. → sending, skipped, cancelled
        QUEUED = "queued", "waiting to be sent"
        #: Claimed by a worker under a lease. → sent, failed, queued (throttled), unknown
        SENDING = "sending", "being sent"
        #: SES has accepted it. → delivered, bounced, waiting, complained, failed
        SENT = "sent", "accepted by SES"
        #: Posted, no answer seen. → sent … by SES's events, or queued by UNKNOWN_POLICY or a manager
        UNKNOWN = "unknown", "outcome unknown"
        #: Bounced softly; the same mail goes out again at next_attempt_at. → queued, expired, skipped, cancelled
        WAITING = "waiting", "waiting for a retry"
        #: The receiving server took it. → bounced, complained (a bounce may follow a delivery)
        DELIVERED = "delivered", "delivered"
        #: Hard bounce, block after its retry, or soft bounces with all retries used. Final.
        BOUNCED = "bounced", "bounced"
        #: Reported as spam. Final.
        COMPLAINED = "complained", "complaint"
        #: Refused for this recipient, rejected by SES, or the message itself was refused. Final.
        FAILED = "failed", "failed"
        #: Not sent: suppressed, unsubscribed, paused, or superseded by a newer mail. Final.
        SKIPPED = "skipped", "not sent"
        #: The campaign's time for retries ended. Final.
        EXPIRED = "expired", "retry time ended"
        #: The campaign was cancelled before it was sent. Final.
        CANCELLED = "cancelled", "cancelled"

    OPEN = frozenset({State.QUEUED, State.SENDING, State.SENT, State.UNKNOWN, State.WAITING})
    #: SES has accepted it, whatever became of it then.
    POSTED = frozenset(
        {State.SENT, State.WAITING, State.DELIVERED, State.BOUNCED, State.COMPLAINED, State.EXPIRED}
    )
    FINAL = frozenset(
        {
            State.DELIVERED,
            State.BOUNCED,
            State.COMPLAINED,
            State.FAILED,
            State.SKIPPED,
            State.EXPIRED,
            State.CANCELLED,
        }
    )

    class Purpose(models.TextChoices):
        CAMPAIGN = "campaign", "campaign"
        CONFIRMATION = "confirmation", "confirmation of a sign-up"
        TEST = "test", "test mail"
        #: Once, for a sign-up that was not confirmed.
        REMINDER = "reminder", "reminder of a sign-up"
        #: The link that lets a person see and erase what is stored about them.
        DATA = "data", "link to the person's data"

    # The constraint below that makes it unique with the subscriber is its index too.
    campaign = models.ForeignKey(
        "Campaign", null=True, blank=True, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    #: The content: a campaign's or a test's frozen version; none for what sending/notices.py writes.
    version = models.ForeignKey(
        "CampaignVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    #: The list it was sent for: its policy, List-Id and unsubscribe scope.
    list = models.ForeignKey("MailingList", on_delete=models.PROTECT, related_name="+", db_index=False)
    #: NULL: the person was erased; the row stays, so that the numbers of the campaign do.
    subscriber = models.ForeignKey(
        "Subscriber", null=True, on_delete=models.SET_NULL, related_name="deliveries", db_index=False
    )
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.CAMPAIGN)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    #: Why it is in this state, as a code; sentences are made from it for people.
    reason = models.CharField(max_length=60, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="POSTs to SES begun so far.")
    #: A worker died this often while it held the row.
    crashes = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: Grows with every claim; a write-back with an old fence changes nothing.
    fence = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            # In this order, so that its index finds the mails of a person too.
            models.UniqueConstraint(fields=["subscriber", "campaign"], name="one_delivery_per_campaign"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "queued",
                        "sending",
                        "sent",
                        "unknown",
                        "waiting",
                        "delivered",
                        "bounced",
                        "complained",
                        "failed",
                        "skipped",
                        "expired",
                        "cancelled",
                    ]
                ),
                name="delivery_state_known",
            ),
            models.CheckConstraint(
                condition=Q(purpose="campaign", campaign__isnull=False)
                | Q(purpose__in=["confirmation", "test", "reminder", "data"], campaign__isnull=True),
                name="delivery_purpose_fits_campaign",
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=["confirmation", "reminder", "data"]) | Q(version__isnull=False),
                name="delivery_has_content",
            ),
            # Nothing can be sent, again or at all, to a person who was erased.
            models.CheckConstraint(
                condition=Q(subscriber__isnull=False)
                | ~Q(state__in=["queued", "sending", "unknown", "waiting"]),
                name="delivery_to_send_has_person",
            ),
            models.CheckConstraint(
                condition=Q(state="sending", lease_until__isnull=False)
                | (~Q(state="sending") & Q(lease_until__isnull=True)),
                name="only_sending_has_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(next_attempt_at__isnull=False), name="waiting_has_time"
            ),
        ]
        indexes = [
            # The claim: the rows of a campaign (or of none: opt-in mail) whose time has come, then those without one.
            models.Index(
                fields=["campaign", "next_attempt_at", "id"],
                condition=Q(state="queued"),
                name="delivery_to_send",
            ),
            # The sweeper: leases that ran out.
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="delivery_leased"),
            # Retries that are due.
            models.Index(fields=["next_attempt_at"], condition=Q(state="waiting"), name="delivery_waiting"),
            # The few that need a decision.
            models.Index(fields=["id"], condition=Q(state="unknown"), name="delivery_unknown"),
            # A campaign's recipients by state in its report, and newest first in the admin; with it, the first and
            # last number of a campaign's rows.
            models.Index(fields=["campaign", "state", "-id"], name="delivery_of_campaign"),
            # The admin: the few with such an end, newest first, whatever their campaign.
            models.Index(
                fields=["state", "-id"],
                condition=Q(state__in=["bounced", "complained", "failed", "skipped", "expired", "cancelled"]),
                name="delivery_with_end",
            ),
            # The admin: confirmations, tests and other mail of no campaign.
            models.Index(
                fields=["purpose", "-id"], condition=Q(campaign__isnull=True), name="delivery_of_no_campaign"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} to {self.subscriber or 'a person who was erased'}"


class Attempt(models.Model):
    """One POST to SES. Inserted, committed, before the POST."""

    class Result(models.TextChoices):
        #: Claimed; no answer yet. → accepted, refused, unknown
        STARTED = "", "started"
        #: SES answered with a message id.
        ACCEPTED = "accepted", "accepted by SES"
        #: SES answered that it does not take it. Nothing was sent.
        REFUSED = "refused", "refused by SES"
        #: Time-out, reset, 5xx or a crash: it may have been sent. → accepted when an event proves it
        UNKNOWN = "unknown", "no answer"

    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="attempt_set", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=10, choices=Result.choices, blank=True, default=Result.STARTED)
    message_id = models.CharField(max_length=120, null=True, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    error_text = models.TextField(blank=True)
    #: True: it was sent although an earlier attempt may have arrived (UNKNOWN_POLICY or a manager).
    possible_duplicate = models.BooleanField(default=False)
    #: What came back for this attempt: the verdict (hard, soft, block, complaint, delivered, …) and its reason.
    verdict = models.CharField(max_length=14, blank=True)
    reason = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="one_attempt_per_number"),
            # An event finds its attempt by it. Partial: a claim has none yet, and need not write to this index.
            models.UniqueConstraint(
                fields=["message_id"], condition=Q(message_id__isnull=False), name="attempt_by_message_id"
            ),
            models.CheckConstraint(
                condition=Q(result__in=["", "accepted", "refused", "unknown"]), name="attempt_result_known"
            ),
            models.CheckConstraint(
                condition=~Q(result="accepted") | Q(message_id__isnull=False), name="accepted_has_message_id"
            ),
        ]
        indexes = [
            # What was sent in the last minutes or hours. Rows lie in the order of their time: a few pages do.
            BrinIndex(fields=["started_at"], autosummarize=True, name="attempt_by_time"),
            # The few that count against us, for the reputation guard.
            models.Index(
                fields=["started_at"],
                condition=Q(verdict__in=["hard", "complaint", "suppressed"]),
                name="attempt_against_us",
            ),
            # The admin: the mails that something came back about.
            models.Index(
                fields=["verdict", "-delivery"],
                condition=~Q(verdict__in=["", "delivered"]),
                name="attempt_came_back",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"


class SendBudget(models.Model):
    """The pace of one SES account and region, shared by all processes: one row, locked for microseconds."""

    name = models.CharField(max_length=80, primary_key=True)
    #: Recipients per second and per 24 hours as GetAccount says; -1: unlimited.
    max_send_rate = models.FloatField(default=1)
    max_24_hour = models.FloatField(default=200)
    sent_24_hour = models.FloatField(default=0)
    fetched_at = models.DateTimeField(null=True, blank=True)
    #: Recipients that may be sent now, and when that number was right.
    tokens = models.FloatField(default=0)
    refilled_at = models.DateTimeField()
    #: Share of max_send_rate in use: falls on a throttle, rises slowly.
    factor = models.FloatField(default=1)
    #: The factor at which SES last throttled; 0: none.
    ceiling = models.FloatField(default=0, db_default=0)
    throttled_at = models.DateTimeField(null=True, blank=True)
    #: The daily quota is used up until then.
    quota_until = models.DateTimeField(null=True, blank=True)
    #: Who asked lately, by campaign id (0: none): permits beyond their part, mails of the last moments, when.
    takers = models.JSONField(default=dict, db_default={})
    #: Share of the rate that the reputation guard leaves to campaigns, and its sentence for it.
    guard_factor = models.FloatField(default=1, db_default=1)
    guard_text = models.TextField(blank=True, default="", db_default="")
    #: Mails from before this say nothing about the account any more: a manager resumed knowingly.
    guard_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(factor__gt=0) & Q(factor__lte=1), name="budget_factor_is_share"
            ),
            models.CheckConstraint(
                condition=Q(tokens__lte=F("max_send_rate") + 1), name="budget_burst_is_bounded"
            ),
            models.CheckConstraint(
                condition=Q(guard_factor__gt=0) & Q(guard_factor__lte=1), name="budget_guard_is_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.max_send_rate:g}/s"
