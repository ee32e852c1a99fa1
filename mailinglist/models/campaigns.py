"""Campaigns and the frozen content that their mails are made of."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from mailinglist.models.subscribers import new_token
from mailinglist.models.validators import one_line

if TYPE_CHECKING:
    from mailinglist.models.audience import Segment, Tag
    from mailinglist.models.lists import MailingList
    from mailinglist.models.templates import Template


class Campaign(models.Model):
    """One mailing to the confirmed subscribers of one or several lists."""

    class Status(models.TextChoices):
        #: Being written. Becomes scheduled or sending.
        DRAFT = "draft", "draft"
        #: Starts by itself at ``scheduled_at``. Becomes sending, or draft again.
        SCHEDULED = "scheduled", "scheduled"
        #: Deliveries exist and are worked on. Becomes paused, finished or cancelled.
        SENDING = "sending", "sending"
        #: Stopped with a named reason; nothing is lost. Becomes sending or cancelled.
        PAUSED = "paused", "paused"
        #: No first attempt is open any more; retries of soft bounces may still go on.
        FINISHED = "finished", "finished"
        #: Stopped for good by a manager; deliveries not yet sent are cancelled.
        CANCELLED = "cancelled", "cancelled"

    class Format(models.TextChoices):
        MARKDOWN = "markdown", "Markdown"
        HTML = "html", "HTML"
        MJML = "mjml", "MJML"

    #: from → to; lifecycle.py changes the status only along these, by conditional UPDATE.
    ALLOWED: dict[str, frozenset[str]] = {
        Status.DRAFT: frozenset({Status.SCHEDULED, Status.SENDING}),
        Status.SCHEDULED: frozenset({Status.DRAFT, Status.SENDING}),
        Status.SENDING: frozenset({Status.PAUSED, Status.FINISHED, Status.CANCELLED}),
        Status.PAUSED: frozenset({Status.SENDING, Status.CANCELLED}),
        Status.FINISHED: frozenset({Status.CANCELLED}),
        Status.CANCELLED: frozenset(),
    }

    name = models.CharField(
        max_length=120, validators=[one_line], help_text="For you; subscribers never see it."
    )
    lists: "models.ManyToManyField[MailingList, Any]" = models.ManyToManyField(
        "MailingList", related_name="campaigns"
    )
    include_segments: "models.ManyToManyField[Segment, Any]" = models.ManyToManyField(
        "Segment",
        verbose_name="only people in",
        related_name="+",
        blank=True,
        help_text="Of the subscribers of the lists, those who are in one of these segments. None: all of them.",
    )
    exclude_segments: "models.ManyToManyField[Segment, Any]" = models.ManyToManyField(
        "Segment", verbose_name="leave out people in", related_name="+", blank=True
    )
    exclude_tags: "models.ManyToManyField[Tag, Any]" = models.ManyToManyField(
        "Tag", verbose_name="leave out people tagged", related_name="+", blank=True
    )
    exclude_lists: "models.ManyToManyField[MailingList, Any]" = models.ManyToManyField(
        "MailingList", verbose_name="leave out subscribers of", related_name="+", blank=True
    )
    exclude_campaigns: "models.ManyToManyField[Campaign, Any]" = models.ManyToManyField(
        "self",
        verbose_name="leave out who got",
        related_name="+",
        symmetrical=False,
        blank=True,
        help_text="People who got one of these campaigns, or may still get it.",
    )
    #: It goes to those whom that one did not reach; always the first of a row of such campaigns.
    follows: "models.ForeignKey[Campaign | None, Campaign | None]" = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="followers"
    )
    #: And to those who subscribed after that one had started.
    follow_newcomers = models.BooleanField(default=False, db_default=False, editable=False)
    #: While it waits to start: how many people the manager has confirmed, and whether that was an estimate.
    confirmed_for = models.PositiveIntegerField(null=True, blank=True, editable=False)
    confirmed_about = models.BooleanField(default=False, db_default=False, editable=False)
    subject = models.CharField(max_length=200, blank=True, validators=[one_line])
    preheader = models.CharField(
        max_length=200,
        blank=True,
        validators=[one_line],
        help_text="The line that inboxes show after the subject.",
    )
    body_format = models.CharField(max_length=10, choices=Format.choices, default=Format.MARKDOWN)
    body = models.TextField(blank=True)
    template: "models.ForeignKey[Template | None, Template | None]" = models.ForeignKey(
        "Template",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="campaigns",
        help_text="What the text is set into. None: a plain card. MJML is a whole mail and takes none.",
    )
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.DRAFT, editable=False)
    #: Why it is paused, as a code (manager, ses-paused, …) and as a sentence.
    status_reason = models.CharField(max_length=40, blank=True, editable=False)
    status_detail = models.TextField(blank=True, editable=False)
    #: Share of the rate that the reputation guard leaves to it, and the guard's sentence for it.
    guard_factor = models.FloatField(default=1, db_default=1, editable=False)
    guard_text = models.TextField(blank=True, default="", db_default="", editable=False)
    #: Numbers that a manager has seen and resumed after; the guard counts what comes on top of them.
    guard_seen = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    canary_minutes = models.PositiveSmallIntegerField(
        "wait after the first 1 %",
        default=0,
        db_default=0,
        validators=[MaxValueValidator(7 * 24 * 60)],
        help_text="Minutes. The first 1 % (at least 50 people) get the mail, then sending waits so long for bounces and "
        "complaints. If the numbers are good it goes on by itself, else it pauses. 0: everybody at once.",
    )
    #: While the canary is awaited: the last delivery that may leave.
    canary_last_id = models.BigIntegerField(null=True, blank=True, editable=False)
    #: When the canary is judged; unknown until its last mail has left.
    canary_until = models.DateTimeField(null=True, blank=True, editable=False)
    scheduled_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: The time on the clock that was chosen, as the moment when it is that time in ``time_zone``.
    planned_at = models.DateTimeField(null=True, blank=True, editable=False)
    time_zone = models.CharField(max_length=60, blank=True, default="", db_default="", editable=False)
    #: Everybody gets it when their own clock shows the planned time.
    at_local_time = models.BooleanField(default=False, db_default=False, editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)
    #: Amazon SES takes no retry of this finished campaign: none is tried before this time.
    held_until = models.DateTimeField(null=True, blank=True, editable=False)
    #: No retry of a soft bounce starts after this.
    retry_until = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.ForeignKey(
        "CampaignVersion", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    #: Counts the saves of its text; a save over a newer one than it began with is refused.
    revision = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    in_archive = models.BooleanField(
        "in the archive",
        default=True,
        db_default=True,
        help_text="Once it is sent, anybody can read it in the public archive of its lists, where they have one.",
    )
    #: Names it in the addresses of the archive.
    public_id = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["draft", "scheduled", "sending", "paused", "finished", "cancelled"]),
                name="campaign_status_known",
            ),
            models.CheckConstraint(
                condition=Q(body_format__in=["markdown", "html", "mjml"]), name="campaign_format_known"
            ),
            models.CheckConstraint(
                condition=~Q(body_format="mjml") | Q(template__isnull=True), name="mjml_takes_no_template"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "scheduled", "cancelled"])
                | Q(version__isnull=False, started_at__isnull=False, retry_until__isnull=False),
                name="started_campaign_has_version",
            ),
            models.CheckConstraint(
                condition=~Q(status="scheduled") | Q(scheduled_at__isnull=False),
                name="scheduled_campaign_has_time",
            ),
            models.CheckConstraint(
                condition=Q(guard_factor__gt=0) & Q(guard_factor__lte=1), name="campaign_guard_is_share"
            ),
            models.CheckConstraint(
                condition=Q(canary_until__isnull=True) | Q(canary_last_id__isnull=False),
                name="awaited_canary_has_last_id",
            ),
            models.CheckConstraint(
                condition=Q(held_until__isnull=True) | (Q(status="finished") & ~Q(status_reason="")),
                name="held_campaign_is_finished",
            ),
            models.CheckConstraint(
                condition=Q(at_local_time=False) | (Q(planned_at__isnull=False) & ~Q(time_zone="")),
                name="local_time_has_plan",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_for__isnull=True) | Q(status="scheduled"),
                name="confirmed_campaign_waits",
            ),
            models.CheckConstraint(
                condition=Q(follow_newcomers=False) | Q(follows__isnull=False), name="newcomers_since_another"
            ),
            models.CheckConstraint(
                condition=~Q(status="paused") | ~Q(status_reason=""), name="paused_campaign_has_reason"
            ),
        ]
        indexes = [
            # The sweeper: campaigns with work.
            models.Index(
                fields=["status", "scheduled_at"],
                condition=Q(status__in=["scheduled", "sending"]),
                name="campaign_active",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def editable(self) -> bool:
        return self.status in (self.Status.DRAFT, self.Status.SCHEDULED)

    @property
    def can_be_stopped(self) -> bool:
        """Whether it was started and its first mail waits, for a last chance to stop it."""
        return self.confirmed_for is not None and self.planned_at is None


class CampaignVersion(models.Model):
    """What was written, compiled once: immutable, so that all mails of a campaign say the same."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    subject = models.TextField()
    preheader = models.TextField(blank=True)
    #: Compiled parts that still hold merge tags.
    html = models.TextField()
    text = models.TextField()
    #: Of a test: whose values the recipients see. Nothing of the person is kept here.
    as_seen_by = models.ForeignKey(
        "Subscriber", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="one_version_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} · version {self.number}"


class WrittenText(models.Model):
    """What a manager writes of a campaign. The columns have the names of the campaign's own."""

    subject = models.CharField(max_length=200, blank=True)
    preheader = models.CharField(max_length=200, blank=True)
    body_format = models.CharField(max_length=10, choices=Campaign.Format.choices)
    body = models.TextField(blank=True)
    template = models.ForeignKey(
        "mailinglist.Template", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    #: The columns that a version keeps, and a restore brings back.
    TEXT = ("subject", "preheader", "body_format", "body", "template_id")

    class Meta:
        abstract = True


class CampaignRevision(WrittenText):
    """One saved state of a campaign's text. Written by writing.py."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="one_revision_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} · saved text {self.number}"


class CampaignDraft(WrittenText):
    """What a manager has typed and not saved: kept every few seconds, one for each manager and campaign."""

    #: None: a campaign that was never saved.
    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.CASCADE, related_name="drafts"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120, blank=True)
    #: The revision of the campaign that it was typed over.
    base = models.PositiveIntegerField(default=0)
    typed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "campaign"], nulls_distinct=False, name="one_draft_per_manager"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.name}"
