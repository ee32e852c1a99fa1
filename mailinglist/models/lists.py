"""Mailing lists and who is subscribed to them."""

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from mailinglist import addresses, signs
from mailinglist.models.subscribers import new_token
from mailinglist.models.validators import one_line, origin_lines, sender_address


class MailingList(models.Model):
    """A list that people subscribe to and campaigns are sent to."""

    class Tracking(models.TextChoices):
        #: As the configuration set does it.
        ON = "on", "noted"
        #: Only of people who ticked a box of its own.
        CONSENT = "consent", "noted with consent"
        OFF = "off", "not noted"

    slug = models.SlugField(max_length=60, unique=True, help_text="Part of the list's public addresses.")
    name = models.CharField(max_length=120, validators=[one_line])
    description = models.TextField(blank=True, help_text="Shown on the sign-up page.")
    from_name = models.CharField("sender name", max_length=120, validators=[one_line])
    from_email = models.EmailField(
        "sender address",
        validators=[sender_address],
        help_text="An address or domain that is verified in Amazon SES.",
    )
    reply_to = models.EmailField(blank=True, validators=[sender_address])
    language = models.CharField(
        max_length=10, default="en", validators=[RegexValidator(r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$")]
    )
    double_opt_in = models.BooleanField(
        default=True, help_text="People confirm by mail before anything else is sent to them."
    )
    is_public = models.BooleanField(default=True, help_text="Listed on the public page, open for sign-up.")
    postal_address = models.TextField(
        help_text="The sender's postal address. The law of many countries wants it in every mail."
    )
    configuration_set = models.CharField(
        max_length=64,
        blank=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_-]*$")],
        help_text="The SES configuration set for this list; empty: the one of the installation.",
    )
    allowed_origins = models.TextField(
        "sites with the form",
        blank=True,
        default="",
        db_default="",
        validators=[origin_lines],
        help_text="The web sites whose visitors may sign up through the embedded script, one a line, like "
        "https://www.example.com. Forms without the script need no entry.",
    )
    tracking = models.CharField(
        "opens and clicks",
        max_length=8,
        choices=Tracking.choices,
        default=Tracking.ON,
        db_default=Tracking.ON,
        help_text="Whether it is noted who opened a mail and followed its links. “With consent” adds a box of its own to "
        "the sign-up form. Where it is off, links are left alone and what SES still reports is thrown away.",
    )
    untracked_configuration_set = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        validators=[RegexValidator(r"^[A-Za-z0-9_-]*$")],
        help_text="The configuration set for mails that must not be tracked: the same event destination without the "
        "types OPEN and CLICK. SES puts its invisible picture into every mail of a set that has them. Empty: the one "
        "of the installation.",
    )
    accent = models.CharField(
        "colour",
        max_length=7,
        blank=True,
        default="",
        db_default="",
        validators=[
            RegexValidator(r"^#[0-9a-f]{6}$", "Write a colour as # and six digits, such as #1a4f8b.")
        ],
    )
    consent_wording = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="What people agree to; shown above the button and kept as evidence with each sign-up.",
    )
    sign_up_text = models.TextField(
        "text after the sign-up",
        blank=True,
        default="",
        db_default="",
        help_text="On the page that says: check your mail.",
    )
    welcome_text = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="On the page after the confirmation, for example what comes next.",
    )
    goodbye_text = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="On the page that says that somebody is unsubscribed.",
    )
    four_eyes = models.BooleanField(
        "four eyes",
        default=False,
        db_default=False,
        help_text="Before a campaign to this list can be started or scheduled, a second manager approves it.",
    )
    has_archive = models.BooleanField(
        "public archive",
        default=False,
        db_default=False,
        help_text="Anybody can read the mails that were sent to this list, also those sent before you tick this. "
        "Each campaign can be left out. Nobody's name, address or links are in them.",
    )
    archive_in_search = models.BooleanField(
        "archive in search engines",
        default=False,
        db_default=False,
        help_text="Else the pages of the archive ask search engines to stay away.",
    )
    stop_seconds = models.PositiveSmallIntegerField(
        "time to stop",
        default=0,
        db_default=0,
        validators=[MaxValueValidator(3600)],
        help_text="Seconds between the confirmation of a campaign and its first mail, in which it can still be stopped. "
        "0: mails leave at once.",
    )
    #: The logo (its bytes are a ListLogo): part of its address, so that a new one is seen at once, and its size.
    logo_version = models.CharField(max_length=16, blank=True, default="", db_default="", editable=False)
    logo_width = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    logo_height = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    #: Names the list in links of mails, so that renaming it breaks none of them.
    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True, db_default=Now())

    class Meta:
        verbose_name = "list"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="list_has_name"),
            models.CheckConstraint(condition=~Q(from_email=""), name="list_has_sender"),
            models.CheckConstraint(
                condition=Q(tracking__in=["on", "consent", "off"]), name="list_tracking_known"
            ),
            models.CheckConstraint(
                condition=Q(accent="") | Q(accent__regex="^#[0-9a-f]{6}$"), name="list_accent_is_colour"
            ),
            models.CheckConstraint(
                condition=Q(logo_version="") | (Q(logo_width__gt=0) & Q(logo_height__gt=0)),
                name="list_logo_has_size",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Names without invisible signs, which make two look alike or turn around what stands beside them; and
        addresses as mail servers know them, with an A-label domain."""
        self.name, self.from_name = signs.person_name(self.name), signs.person_name(self.from_name)
        self.from_email, self.reply_to = _for_servers(self.from_email), _for_servers(self.reply_to)


def _for_servers(email: str) -> str:
    """The address with its domain in A-labels; as it is where the field's own validator refuses it."""
    try:
        return addresses.normalise(email).as_written if email else ""
    except addresses.BadAddress:
        return email


class ListLogo(models.Model):
    """The picture of a list, in the database: every machine has it, and a backup too. Written by looks.py."""

    list = models.OneToOneField(MailingList, primary_key=True, on_delete=models.CASCADE, related_name="logo")
    data = models.BinaryField()
    content_type = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(content_type__in=["image/png", "image/jpeg", "image/webp", "image/gif"]),
                name="logo_is_a_picture",
            ),
        ]

    def __str__(self) -> str:
        return f"Logo of {self.list}"


class Subscription(models.Model):
    """One person on one list, with the reason for leaving and the evidence of the consent that is in force.

    All that was ever asked and agreed is in ConsentRecord; a sign-up that nobody confirmed changes nothing here.
    """

    class Status(models.TextChoices):
        #: Asked to join, has not confirmed by mail yet. Becomes confirmed, or expires (mailinglist/pending.py). Who had
        #: left before keeps unsubscribed_at and unsubscribe_reason meanwhile: anybody can type their address.
        PENDING = "pending", "waiting for confirmation"
        #: Gets campaigns. Becomes unsubscribed.
        CONFIRMED = "confirmed", "subscribed"
        #: Gets nothing. Only the person, or a manager's restore, makes it pending or confirmed again.
        UNSUBSCRIBED = "unsubscribed", "unsubscribed"

    class Reason(models.TextChoices):
        """Why a subscription ended. Ordered by strength: a later, stronger reason replaces a weaker one."""

        NONE = "", "—"
        #: A manager ended it by hand.
        MANAGER = "manager", "a manager"
        #: A file that was imported said so.
        IMPORT = "import", "import"
        #: The person used the page behind the link in a mail.
        PAGE = "page", "the unsubscribe page"
        #: The person used the mail program's own button (RFC 8058).
        ONE_CLICK = "one-click", "the mail program's unsubscribe button"
        #: The mail could not be delivered however often it was tried. A manager can restore it.
        SOFT_EXHAUSTED = "soft-exhausted", "soft bounces, all retries used"
        #: Soft bounces in several campaigns running. A manager can restore it.
        UNREACHABLE = "unreachable", "unreachable for several campaigns"
        #: SES says that the person unsubscribed in its own contact list.
        SES = "ses", "unsubscribed at SES"
        #: The address does not exist.
        HARD_BOUNCE = "hard-bounce", "hard bounce"
        #: The person reported a mail as spam.
        COMPLAINT = "complaint", "complaint"

    class LeftBecause(models.TextChoices):
        """What a person may tell when they leave."""

        NONE = "", "—"
        TOO_OFTEN = "too-often", _("The mails come too often")
        NOT_INTERESTING = "not-interesting", _("They do not interest me any more")
        NOT_EXPECTED = "not-expected", _("They are not what I expected")
        NEVER_ASKED = "never-asked", _("I never asked for them")
        OTHER = "other", _("Another reason")

    # The constraint below that makes it unique with the subscriber is its index too.
    list = models.ForeignKey(
        MailingList, on_delete=models.PROTECT, related_name="subscriptions", db_index=False
    )
    # Found by the constraint, which begins with it.
    subscriber = models.ForeignKey(
        "Subscriber", on_delete=models.CASCADE, related_name="subscriptions", db_index=False
    )
    status = models.CharField(max_length=16, choices=Status.choices)
    source = models.CharField(max_length=60, help_text="Where it came from: form, import, manager, demo.")
    consent_at = models.DateTimeField(null=True, blank=True)
    consent_ip = models.GenericIPAddressField(null=True, blank=True)
    consent_user_agent = models.CharField(max_length=255, blank=True)
    consent_text = models.TextField(blank=True, help_text="What the form said when the person agreed.")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_ip = models.GenericIPAddressField(null=True, blank=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)
    unsubscribe_reason = models.CharField(max_length=16, choices=Reason.choices, blank=True, default="")
    #: Ticked the box of a list that notes opens and clicks with consent.
    tracking_consent = models.BooleanField(default=False, db_default=False)
    #: What the person told about why they left, if they wanted to; empty again when they come back.
    left_because = models.CharField(
        max_length=16, choices=LeftBecause.choices, blank=True, default="", db_default=""
    )
    left_words = models.CharField(max_length=500, blank=True, default="", db_default="")
    #: The last campaign that reached the person through this list before they left by themselves; empty again when they
    #: come back.
    left_after = models.ForeignKey(
        "Campaign", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "list"], name="one_subscription_per_list"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "confirmed", "unsubscribed"]),
                name="subscription_status_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    left_because__in=[
                        "",
                        "too-often",
                        "not-interesting",
                        "not-expected",
                        "never-asked",
                        "other",
                    ]
                ),
                name="left_because_known",
            ),
            models.CheckConstraint(
                condition=(Q(status="unsubscribed") & ~Q(unsubscribe_reason=""))
                | (Q(status="confirmed") & Q(unsubscribe_reason=""))
                | Q(status="pending"),
                name="unsubscribed_has_reason",
            ),
        ]
        indexes = [
            # The snapshot of a campaign: everyone confirmed on a list, in the order of subscribers.
            models.Index(
                fields=["list", "subscriber"], condition=Q(status="confirmed"), name="subscription_confirmed"
            ),
            # The counts by status on the list page and the newest first in the admin.
            models.Index(fields=["list", "status", "-id"], name="subscription_by_status"),
            # The admin: who left and why, newest first.
            models.Index(
                fields=["unsubscribe_reason", "-id"],
                condition=~Q(unsubscribe_reason=""),
                name="subscription_ended",
            ),
            # Who left after a campaign.
            models.Index(
                fields=["left_after", "subscriber"],
                condition=Q(left_after__isnull=False),
                name="subscription_left_after",
            ),
            # Sign-ups to be reminded of, or to expire.
            models.Index(fields=["id"], condition=Q(status="pending"), name="subscription_pending"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} on {self.list}: {self.get_status_display()}"
