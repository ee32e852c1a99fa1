"""All tables of a new database at once: what the migrations that it replaces make one after the other.

A database that has some of them goes on with the others; one that has all of them counts as having this one.
What those do to rows is left out: a new database has none. `python -m tests.schemas` compares the two ways.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import mailinglist.models.imports
import mailinglist.models.subscribers
import mailinglist.models.validators
from mailinglist import mail_templates

#: Django makes a second index of every indexed text, for LIKE: no query reads these, as 0039_fewer_indexes says.
_LIKE = {
    "mailinglist_subscriber_email_key_092eea91_like",
    "mailinglist_subscriber_suppression_key_4ba4ffb2_like",
    "mailinglist_subscriber_token_1ae2a2b4_like",
}


#: As 0034_archive named it, for whoever looks for it by its name.
_RENAME = (
    "ALTER TABLE mailinglist_campaign RENAME CONSTRAINT mailinglist_campaign_public_id_key "
    "TO mailinglist_campaign_public_id_840fea2e_uniq"
)


def without_like(apps, schema_editor):
    """Indexes are made when the tables are, after all operations: here they still wait."""
    waiting = schema_editor.deferred_sql
    waiting[:] = [sql for sql in waiting if not any(name in str(sql) for name in _LIKE)]


def ship(apps, schema_editor):
    """As 0045_ship_templates does."""
    mail_templates.ship(apps.get_model("mailinglist", "Template"))


class Migration(migrations.Migration):
    replaces = [
        ("mailinglist", "0001_initial"),
        ("mailinglist", "0002_attempt_verdict"),
        ("mailinglist", "0003_budget_takers"),
        ("mailinglist", "0004_provider_pace"),
        ("mailinglist", "0005_delivery_to_send"),
        ("mailinglist", "0006_attempt_by_time"),
        ("mailinglist", "0007_reputation_guard"),
        ("mailinglist", "0008_attempt_against_us"),
        ("mailinglist", "0009_canary"),
        ("mailinglist", "0010_schedule_zone"),
        ("mailinglist", "0020_suppression_synced_at"),
        ("mailinglist", "0021_suppression_unsynced"),
        ("mailinglist", "0022_attempt_message_id"),
        ("mailinglist", "0023_home"),
        ("mailinglist", "0024_left_until_confirmed"),
        ("mailinglist", "0025_consent_record"),
        ("mailinglist", "0026_consent_of_before"),
        ("mailinglist", "0027_reminder_and_data_mails"),
        ("mailinglist", "0028_subscription_pending"),
        ("mailinglist", "0029_erasure"),
        ("mailinglist", "0030_tracking"),
        ("mailinglist", "0031_list_allowed_origins"),
        ("mailinglist", "0032_sign_up_gate"),
        ("mailinglist", "0033_list_looks"),
        ("mailinglist", "0034_archive"),
        ("mailinglist", "0035_pause"),
        ("mailinglist", "0036_reason_for_leaving"),
        ("mailinglist", "0037_engagement"),
        ("mailinglist", "0038_delivery_by_person"),
        ("mailinglist", "0039_fewer_indexes"),
        ("mailinglist", "0040_imports"),
        ("mailinglist", "0041_staff_counts"),
        ("mailinglist", "0042_staff_indexes"),
        ("mailinglist", "0043_mjml"),
        ("mailinglist", "0044_templates"),
        ("mailinglist", "0045_ship_templates"),
        ("mailinglist", "0046_images"),
        ("mailinglist", "0047_outside"),
        ("mailinglist", "0048_written"),
        ("mailinglist", "0049_left_after"),
        ("mailinglist", "0050_results_indexes"),
        ("mailinglist", "0051_people"),
        ("mailinglist", "0052_audiences"),
        ("mailinglist", "0053_subscriber_by_attribute"),
        ("mailinglist", "0054_confirmed_schedules"),
        ("mailinglist", "0055_subscription_by_person"),
    ]

    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="MailingList",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "slug",
                    models.SlugField(
                        help_text="Part of the list's public addresses.", max_length=60, unique=True
                    ),
                ),
                (
                    "name",
                    models.CharField(max_length=120, validators=[mailinglist.models.validators.one_line]),
                ),
                ("description", models.TextField(blank=True, help_text="Shown on the sign-up page.")),
                (
                    "from_name",
                    models.CharField(
                        max_length=120,
                        validators=[mailinglist.models.validators.one_line],
                        verbose_name="sender name",
                    ),
                ),
                (
                    "from_email",
                    models.EmailField(
                        help_text="An address or domain that is verified in Amazon SES.",
                        max_length=254,
                        validators=[mailinglist.models.validators.sender_address],
                        verbose_name="sender address",
                    ),
                ),
                (
                    "reply_to",
                    models.EmailField(
                        blank=True, max_length=254, validators=[mailinglist.models.validators.sender_address]
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        default="en",
                        max_length=10,
                        validators=[django.core.validators.RegexValidator("^[a-z]{2,3}(-[A-Za-z]{2,4})?$")],
                    ),
                ),
                (
                    "double_opt_in",
                    models.BooleanField(
                        default=True, help_text="People confirm by mail before anything else is sent to them."
                    ),
                ),
                (
                    "is_public",
                    models.BooleanField(
                        default=True, help_text="Listed on the public page, open for sign-up."
                    ),
                ),
                (
                    "postal_address",
                    models.TextField(
                        help_text="The sender's postal address. The law of many countries wants it in every mail."
                    ),
                ),
                (
                    "configuration_set",
                    models.CharField(
                        blank=True,
                        help_text="The SES configuration set for this list; empty: the one of the installation.",
                        max_length=64,
                        validators=[django.core.validators.RegexValidator("^[A-Za-z0-9_-]*$")],
                    ),
                ),
                (
                    "token",
                    models.CharField(
                        default=mailinglist.models.subscribers.new_token,
                        editable=False,
                        max_length=32,
                        unique=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tracking",
                    models.CharField(
                        choices=[("on", "noted"), ("consent", "noted with consent"), ("off", "not noted")],
                        db_default="on",
                        default="on",
                        help_text="Whether it is noted who opened a mail and followed its links. “With consent” adds a box of its own to the sign-up form. Where it is off, links are left alone and what SES still reports is thrown away.",
                        max_length=8,
                        verbose_name="opens and clicks",
                    ),
                ),
                (
                    "untracked_configuration_set",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The configuration set for mails that must not be tracked: the same event destination without the types OPEN and CLICK. SES puts its invisible picture into every mail of a set that has them. Empty: the one of the installation.",
                        max_length=64,
                        validators=[django.core.validators.RegexValidator("^[A-Za-z0-9_-]*$")],
                    ),
                ),
                (
                    "allowed_origins",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The web sites whose visitors may sign up through the embedded script, one a line, like https://www.example.com. Forms without the script need no entry.",
                        validators=[mailinglist.models.validators.origin_lines],
                        verbose_name="sites with the form",
                    ),
                ),
                (
                    "accent",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^#[0-9a-f]{6}$", "Write a colour as # and six digits, such as #1a4f8b."
                            )
                        ],
                        verbose_name="colour",
                    ),
                ),
                (
                    "consent_wording",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="What people agree to; shown above the button and kept as evidence with each sign-up.",
                    ),
                ),
                (
                    "sign_up_text",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="On the page that says: check your mail.",
                        verbose_name="text after the sign-up",
                    ),
                ),
                (
                    "welcome_text",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="On the page after the confirmation, for example what comes next.",
                    ),
                ),
                (
                    "goodbye_text",
                    models.TextField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="On the page that says that somebody is unsubscribed.",
                    ),
                ),
                (
                    "logo_version",
                    models.CharField(blank=True, db_default="", default="", editable=False, max_length=16),
                ),
                ("logo_width", models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                ("logo_height", models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "has_archive",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Anybody can read the mails that were sent to this list, also those sent before you tick this. Each campaign can be left out. Nobody's name, address or links are in them.",
                        verbose_name="public archive",
                    ),
                ),
                (
                    "archive_in_search",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Else the pages of the archive ask search engines to stay away.",
                        verbose_name="archive in search engines",
                    ),
                ),
                (
                    "four_eyes",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Before a campaign to this list can be started or scheduled, a second manager approves it.",
                        verbose_name="four eyes",
                    ),
                ),
                (
                    "stop_seconds",
                    models.PositiveSmallIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Seconds between the confirmation of a campaign and its first mail, in which it can still be stopped. 0: mails leave at once.",
                        validators=[django.core.validators.MaxValueValidator(3600)],
                        verbose_name="time to stop",
                    ),
                ),
            ],
            options={
                "verbose_name": "list",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="list_has_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("from_email", ""), _negated=True), name="list_has_sender"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tracking__in", ["on", "consent", "off"])),
                        name="list_tracking_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("accent", ""), ("accent__regex", "^#[0-9a-f]{6}$"), _connector="OR"
                        ),
                        name="list_accent_is_colour",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("logo_version", ""),
                            models.Q(("logo_width__gt", 0), ("logo_height__gt", 0)),
                            _connector="OR",
                        ),
                        name="list_logo_has_size",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SendBudget",
            fields=[
                ("name", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("max_send_rate", models.FloatField(default=1)),
                ("max_24_hour", models.FloatField(default=200)),
                ("sent_24_hour", models.FloatField(default=0)),
                ("fetched_at", models.DateTimeField(blank=True, null=True)),
                ("tokens", models.FloatField(default=0)),
                ("refilled_at", models.DateTimeField()),
                ("factor", models.FloatField(default=1)),
                ("throttled_at", models.DateTimeField(blank=True, null=True)),
                ("quota_until", models.DateTimeField(blank=True, null=True)),
                ("takers", models.JSONField(db_default={}, default=dict)),
                ("guard_factor", models.FloatField(db_default=1, default=1)),
                ("guard_text", models.TextField(blank=True, db_default="", default="")),
                ("guard_since", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("factor__gt", 0), ("factor__lte", 1)),
                        name="budget_factor_is_share",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "tokens__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("max_send_rate"), "+", models.Value(1)
                                ),
                            )
                        ),
                        name="budget_burst_is_bounded",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("guard_factor__gt", 0), ("guard_factor__lte", 1)),
                        name="budget_guard_is_share",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscriber",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        help_text="As the person wrote it, with an A-label domain.",
                        max_length=254,
                        verbose_name="address",
                    ),
                ),
                ("email_key", models.CharField(editable=False, max_length=254, unique=True)),
                ("name", models.CharField(blank=True, max_length=200)),
                (
                    "attributes",
                    models.JSONField(blank=True, default=dict, help_text="Further values for merge tags."),
                ),
                ("language", models.CharField(blank=True, max_length=10)),
                ("time_zone", models.CharField(blank=True, max_length=60)),
                (
                    "token",
                    models.CharField(
                        default=mailinglist.models.subscribers.new_token,
                        editable=False,
                        max_length=32,
                        unique=True,
                    ),
                ),
                ("suppression_key", models.CharField(db_index=True, editable=False, max_length=64)),
                ("reset_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("paused_until", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            models.Func("email_key", function="reverse"), name="text_pattern_ops"
                        ),
                        name="subscriber_by_domain",
                    ),
                    models.Index(
                        fields=["email_key"], name="subscriber_key_prefix", opclasses=["varchar_pattern_ops"]
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["attributes"], name="subscriber_by_attribute", opclasses=["jsonb_path_ops"]
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("email_key", ""), _negated=True),
                            models.Q(("suppression_key", ""), _negated=True),
                        ),
                        name="subscriber_has_keys",
                    )
                ],
                "permissions": [
                    ("import_subscriber", "Can import subscribers, and undo imports"),
                    ("export_subscriber", "Can download subscribers and recipients"),
                    ("export_person", "Can download all data of a person"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "actor",
                    models.CharField(
                        choices=[
                            ("user", "a manager"),
                            ("person", "the subscriber"),
                            ("rule", "bounce policy"),
                            ("command", "a command"),
                            ("system", "the system"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "noun",
                    models.CharField(
                        choices=[
                            ("subscriber", "subscriber"),
                            ("subscription", "subscription"),
                            ("suppression", "suppression"),
                            ("campaign", "campaign"),
                            ("delivery", "delivery"),
                            ("list", "list"),
                            ("incident", "incident"),
                            ("template", "template"),
                            ("image", "image"),
                            ("manager", "manager"),
                            ("attribute", "attribute"),
                            ("tag", "tag"),
                            ("segment", "segment"),
                        ],
                        max_length=14,
                    ),
                ),
                ("object_id", models.BigIntegerField()),
                ("before", models.CharField(blank=True, max_length=60)),
                ("after", models.CharField(max_length=60)),
                ("why", models.TextField(blank=True, help_text="A sentence for people.")),
                ("evidence", models.JSONField(blank=True, default=dict)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "list",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="mailinglist.mailinglist",
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="changes",
                        to="mailinglist.subscriber",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subscriber", "-at"], name="change_timeline"),
                    models.Index(fields=["noun", "object_id", "-at"], name="change_history"),
                    models.Index(
                        condition=models.Q(("user__isnull", False)), fields=["user"], name="change_by_user"
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True, fields=["at"], name="change_by_time"
                    ),
                    models.Index(fields=["actor", "-id"], name="change_by_actor"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("before", models.F("after")), _negated=True),
                            models.Q(("why", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="change_says_something",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=64, unique=True)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("erased", "the person was erased"),
                            ("manual", "a manager"),
                            ("ses-list", "SES suppresses it"),
                            ("hard-bounce", "hard bounce"),
                            ("complaint", "complaint"),
                        ],
                        max_length=16,
                    ),
                ),
                ("since", models.DateTimeField()),
                ("evidence", models.TextField(blank=True, help_text="The sentence that explains it.")),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                ("synced_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("released_at__isnull", True)),
                        fields=["key"],
                        name="suppression_active",
                    ),
                    models.Index(
                        condition=models.Q(("synced_at__isnull", True)),
                        fields=["id"],
                        name="suppression_unsynced",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("key__regex", "^[0-9a-f]{64}$")), name="suppression_key_is_hmac"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reason__in", ["erased", "manual", "ses-list", "hard-bounce", "complaint"])
                        ),
                        name="suppression_reason_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderPace",
            fields=[
                ("provider", models.CharField(max_length=255, primary_key=True, serialize=False)),
                (
                    "domains",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), size=None
                    ),
                ),
                ("per_second", models.FloatField()),
                ("until", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("lowered_at", models.DateTimeField(blank=True, null=True)),
                ("next_turn_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("reports", models.PositiveIntegerField(default=0)),
                ("reported_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("why", models.TextField(blank=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("per_second__gt", 0)), name="provider_pace_is_positive"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Home",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("fingerprint", models.CharField(max_length=120)),
                ("since", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_home")],
            },
        ),
        migrations.CreateModel(
            name="ConsentRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("asked", "asked to join"),
                            ("confirmed", "confirmed by mail"),
                            ("tracking", "chose about opens and clicks"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("ip", models.GenericIPAddressField(blank=True, null=True)),
                ("user_agent", models.CharField(blank=True, max_length=255)),
                (
                    "text",
                    models.TextField(blank=True, help_text="What the page said that the person agreed to."),
                ),
                (
                    "form",
                    models.CharField(
                        blank=True, help_text="The page or form that it was said on.", max_length=200
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=60)),
                ("tracking", models.BooleanField(blank=True, null=True)),
                (
                    "list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="mailinglist.mailinglist",
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="mailinglist.subscriber",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subscriber", "list", "-at"], name="consent_history"),
                    models.Index(
                        condition=models.Q(
                            ("ip__isnull", False),
                            models.Q(("user_agent", ""), _negated=True),
                            _connector="OR",
                        ),
                        fields=["id"],
                        name="consent_with_traces",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["asked", "confirmed", "tracking"])),
                        name="consent_kind_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AskedAddress",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("mails", models.PositiveIntegerField()),
                ("last_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mails__gt", 0)), name="asked_address_was_asked"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FormStep",
            fields=[
                (
                    "list",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="form_step",
                        serialize=False,
                        to="mailinglist.mailinglist",
                    ),
                ),
                (
                    "step",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "open"),
                            (1, "asks for a captcha"),
                            (2, "takes only so many an hour"),
                            (3, "closed for a while"),
                        ],
                        default=0,
                    ),
                ),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("counted_from", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("step__gt", 0)), fields=["until"], name="form_step_not_open"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("step__in", [0, 1, 2, 3])), name="form_step_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until__gte", models.F("since"))),
                        name="form_step_ends_after_it_began",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SignUpCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("network", "network"),
                            ("domain", "recipient domain"),
                            ("form", "form"),
                            ("captcha", "captcha"),
                            ("answer", "answer"),
                        ],
                        max_length=10,
                    ),
                ),
                ("key", models.CharField(max_length=64)),
                ("since", models.DateTimeField()),
                ("asked", models.PositiveIntegerField()),
                ("passed", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("scope", "key", "since"), name="one_count_per_time"),
                    models.CheckConstraint(
                        condition=models.Q(("passed__lte", models.F("asked"))), name="no_more_pass_than_ask"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ListLogo",
            fields=[
                (
                    "list",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="logo",
                        serialize=False,
                        to="mailinglist.mailinglist",
                    ),
                ),
                ("data", models.BinaryField()),
                ("content_type", models.CharField(max_length=20)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("content_type__in", ["image/png", "image/jpeg", "image/webp", "image/gif"])
                        ),
                        name="logo_is_a_picture",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("stamp", models.DateTimeField(unique=True)),
                ("file_name", models.CharField(max_length=200)),
                ("size", models.BigIntegerField(help_text="Bytes.")),
                ("encoding", models.CharField(max_length=40)),
                (
                    "header",
                    models.JSONField(
                        default=mailinglist.models.imports.no_columns,
                        help_text="The names of the columns in the file.",
                    ),
                ),
                ("columns", models.JSONField(default=mailinglist.models.imports.no_columns)),
                (
                    "status",
                    models.CharField(default="confirmed", help_text="Of new subscriptions.", max_length=16),
                ),
                ("update", models.BooleanField(default=False)),
                (
                    "consent_text",
                    models.TextField(blank=True, help_text="How the people agreed, as the manager says."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("mapping", "columns to choose"),
                            ("checking", "being checked"),
                            ("checked", "checked, not started"),
                            ("importing", "being imported"),
                            ("done", "imported"),
                            ("cancelled", "cancelled"),
                            ("failed", "could not be read"),
                            ("undoing", "being undone"),
                            ("undone", "undone"),
                        ],
                        default="mapping",
                        max_length=10,
                    ),
                ),
                ("trouble", models.TextField(blank=True)),
                ("rows_read", models.BigIntegerField(default=0)),
                ("people_done", models.BigIntegerField(default=0)),
                ("people", models.BigIntegerField(default=0)),
                ("check_report", models.JSONField(blank=True, default=dict)),
                ("report", models.JSONField(blank=True, default=dict)),
                ("undo_report", models.JSONField(blank=True, default=dict)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="imports",
                        to="mailinglist.mailinglist",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["checking", "importing", "undoing"])),
                        fields=["id"],
                        name="import_to_work_on",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "mapping",
                                    "checking",
                                    "checked",
                                    "importing",
                                    "done",
                                    "cancelled",
                                    "failed",
                                    "undoing",
                                    "undone",
                                ],
                            )
                        ),
                        name="import_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["confirmed", "pending"])),
                        name="import_status_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportBadRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.BigIntegerField()),
                ("column", models.CharField(blank=True, max_length=100)),
                ("value", models.TextField(blank=True)),
                ("reason", models.TextField()),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bad_rows",
                        to="mailinglist.import",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["owner", "line"], name="import_bad_rows")],
            },
        ),
        migrations.CreateModel(
            name="ImportedBefore",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("before", models.JSONField()),
                ("after", models.JSONField()),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="befores",
                        to="mailinglist.import",
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="mailinglist.subscriber",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("owner", "subscriber"), name="import_before_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="mailinglist.import",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("owner", "number"), name="import_part_once")],
            },
        ),
        migrations.CreateModel(
            name="ListCount",
            fields=[
                (
                    "list",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="count",
                        serialize=False,
                        to="mailinglist.mailinglist",
                    ),
                ),
                ("confirmed", models.PositiveBigIntegerField(default=0)),
                ("pending", models.PositiveBigIntegerField(default=0)),
                ("unsubscribed", models.PositiveBigIntegerField(default=0)),
                ("counted_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ListDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "list",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="mailinglist.mailinglist",
                    ),
                ),
                ("day", models.DateField()),
                ("joined", models.PositiveIntegerField(default=0)),
                ("left", models.PositiveIntegerField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["day"], name="list_day_by_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("list", "day"), name="one_row_per_list_and_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="Template",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=120, unique=True, validators=[mailinglist.models.validators.one_line]
                    ),
                ),
                (
                    "description",
                    models.CharField(
                        blank=True,
                        help_text="For what mails it is good.",
                        max_length=200,
                        validators=[mailinglist.models.validators.one_line],
                    ),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[("html", "HTML"), ("mjml", "MJML")], default="mjml", max_length=10
                    ),
                ),
                ("source", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="template_has_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("format__in", ["html", "mjml"])), name="template_format_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MailImage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "token",
                    models.CharField(
                        default=mailinglist.models.subscribers.new_token,
                        editable=False,
                        max_length=32,
                        unique=True,
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="For you, to find it again.",
                        max_length=120,
                        validators=[mailinglist.models.validators.one_line],
                    ),
                ),
                (
                    "alt",
                    models.CharField(
                        blank=True,
                        help_text="What is to be seen, in a few words: read aloud, and shown where pictures are off.",
                        max_length=200,
                        validators=[mailinglist.models.validators.one_line],
                        verbose_name="description",
                    ),
                ),
                ("data", models.BinaryField()),
                ("content_type", models.CharField(editable=False, max_length=20)),
                ("width", models.PositiveSmallIntegerField(editable=False)),
                ("height", models.PositiveSmallIntegerField(editable=False)),
                ("size", models.PositiveIntegerField(editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "picture",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("content_type__in", ["image/png", "image/jpeg", "image/webp", "image/gif"])
                        ),
                        name="mail_image_is_a_picture",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("width__gt", 0), ("height__gt", 0)), name="mail_image_has_size"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SenderCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("taken_until", models.DateTimeField(blank=True, null=True)),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
                ("sender", models.EmailField(max_length=254, unique=True)),
                ("findings", models.JSONField(default=list)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "owner"), ("editor", "editor"), ("analyst", "analyst")],
                        max_length=10,
                    ),
                ),
                (
                    "may_export",
                    models.BooleanField(
                        default=False,
                        help_text="For analysts; owners and editors may anyway.",
                        verbose_name="may download addresses",
                    ),
                ),
                (
                    "list",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the whole installation, with the lists that come later.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="mailinglist.mailinglist",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "role",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("list__isnull", False)),
                        fields=("user", "list"),
                        name="one_role_per_list",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("list__isnull", True)),
                        fields=("user",),
                        name="one_role_for_everything",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "editor", "analyst"])),
                        name="membership_role_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attribute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="The column of a file, and the merge tag: city is used as {{ city }}.",
                        max_length=100,
                        unique=True,
                        validators=[mailinglist.models.validators.one_line],
                        verbose_name="name in files and mails",
                    ),
                ),
                (
                    "label",
                    models.CharField(
                        help_text="What managers see, for example: Town.",
                        max_length=80,
                        validators=[mailinglist.models.validators.one_line],
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("text", "text"),
                            ("number", "number"),
                            ("date", "date"),
                            ("yes-no", "yes or no"),
                            ("choice", "one of several"),
                        ],
                        default="text",
                        max_length=8,
                    ),
                ),
                (
                    "choices",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        db_default=[],
                        default=list,
                        size=None,
                    ),
                ),
            ],
            options={
                "ordering": ["label", "pk"],
                "verbose_name": "value of subscribers",
                "verbose_name_plural": "values of subscribers",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("key", ""), _negated=True), models.Q(("label", ""), _negated=True)
                        ),
                        name="attribute_has_names",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["text", "number", "date", "yes-no", "choice"])),
                        name="attribute_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("choices__len__gt", 0), ("kind", "choice")),
                            models.Q(models.Q(("kind", "choice"), _negated=True), ("choices", [])),
                            _connector="OR",
                        ),
                        name="only_choice_has_choices",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Segment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        max_length=120, unique=True, validators=[mailinglist.models.validators.one_line]
                    ),
                ),
                ("rules", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="segment_has_name"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(max_length=60, validators=[mailinglist.models.validators.one_line]),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"), name="one_tag_per_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="tag_has_name"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="For you; subscribers never see it.",
                        max_length=120,
                        validators=[mailinglist.models.validators.one_line],
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        blank=True, max_length=200, validators=[mailinglist.models.validators.one_line]
                    ),
                ),
                (
                    "preheader",
                    models.CharField(
                        blank=True,
                        help_text="The line that inboxes show after the subject.",
                        max_length=200,
                        validators=[mailinglist.models.validators.one_line],
                    ),
                ),
                (
                    "body_format",
                    models.CharField(
                        choices=[("markdown", "Markdown"), ("html", "HTML"), ("mjml", "MJML")],
                        default="markdown",
                        max_length=10,
                    ),
                ),
                ("body", models.TextField(blank=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("scheduled", "scheduled"),
                            ("sending", "sending"),
                            ("paused", "paused"),
                            ("finished", "finished"),
                            ("cancelled", "cancelled"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("status_reason", models.CharField(blank=True, editable=False, max_length=40)),
                ("status_detail", models.TextField(blank=True, editable=False)),
                ("scheduled_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("started_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("finished_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("retry_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("lists", models.ManyToManyField(related_name="campaigns", to="mailinglist.mailinglist")),
                ("guard_factor", models.FloatField(db_default=1, default=1, editable=False)),
                ("guard_text", models.TextField(blank=True, db_default="", default="", editable=False)),
                ("guard_seen", models.JSONField(blank=True, db_default={}, default=dict, editable=False)),
                (
                    "canary_minutes",
                    models.PositiveSmallIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Minutes. The first 1 % (at least 50 people) get the mail, then sending waits so long for bounces and complaints. If the numbers are good it goes on by itself, else it pauses. 0: everybody at once.",
                        validators=[django.core.validators.MaxValueValidator(10080)],
                        verbose_name="wait after the first 1 %",
                    ),
                ),
                ("canary_last_id", models.BigIntegerField(blank=True, editable=False, null=True)),
                ("canary_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("planned_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "time_zone",
                    models.CharField(blank=True, db_default="", default="", editable=False, max_length=60),
                ),
                ("at_local_time", models.BooleanField(db_default=False, default=False, editable=False)),
                (
                    "in_archive",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="Once it is sent, anybody can read it in the public archive of its lists, where they have one.",
                        verbose_name="in the archive",
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=mailinglist.models.subscribers.new_token,
                        editable=False,
                        max_length=32,
                        unique=True,
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        blank=True,
                        help_text="What the text is set into. None: a plain card. MJML is a whole mail and takes none.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="campaigns",
                        to="mailinglist.template",
                    ),
                ),
                ("revision", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ("confirmed_about", models.BooleanField(db_default=False, default=False, editable=False)),
                ("confirmed_for", models.PositiveIntegerField(blank=True, editable=False, null=True)),
                (
                    "exclude_campaigns",
                    models.ManyToManyField(
                        blank=True,
                        help_text="People who got one of these campaigns, or may still get it.",
                        related_name="+",
                        to="mailinglist.campaign",
                        verbose_name="leave out who got",
                    ),
                ),
                (
                    "exclude_lists",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to="mailinglist.mailinglist",
                        verbose_name="leave out subscribers of",
                    ),
                ),
                ("follow_newcomers", models.BooleanField(db_default=False, default=False, editable=False)),
                (
                    "follows",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="followers",
                        to="mailinglist.campaign",
                    ),
                ),
                (
                    "exclude_segments",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to="mailinglist.segment",
                        verbose_name="leave out people in",
                    ),
                ),
                (
                    "include_segments",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Of the subscribers of the lists, those who are in one of these segments. None: all of them.",
                        related_name="+",
                        to="mailinglist.segment",
                        verbose_name="only people in",
                    ),
                ),
                (
                    "exclude_tags",
                    models.ManyToManyField(
                        blank=True,
                        related_name="+",
                        to="mailinglist.tag",
                        verbose_name="leave out people tagged",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["scheduled", "sending"])),
                        fields=["status", "scheduled_at"],
                        name="campaign_active",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                ["draft", "scheduled", "sending", "paused", "finished", "cancelled"],
                            )
                        ),
                        name="campaign_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "scheduled"), _negated=True),
                            ("scheduled_at__isnull", False),
                            _connector="OR",
                        ),
                        name="scheduled_campaign_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "paused"), _negated=True),
                            models.Q(("status_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="paused_campaign_has_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("guard_factor__gt", 0), ("guard_factor__lte", 1)),
                        name="campaign_guard_is_share",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("canary_until__isnull", True), ("canary_last_id__isnull", False), _connector="OR"
                        ),
                        name="awaited_canary_has_last_id",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("at_local_time", False),
                            models.Q(
                                ("planned_at__isnull", False), models.Q(("time_zone", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="local_time_has_plan",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("body_format__in", ["markdown", "html", "mjml"])),
                        name="campaign_format_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("body_format", "mjml"), _negated=True),
                            ("template__isnull", True),
                            _connector="OR",
                        ),
                        name="mjml_takes_no_template",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("follow_newcomers", False), ("follows__isnull", False), _connector="OR"
                        ),
                        name="newcomers_since_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("confirmed_for__isnull", True), ("status", "scheduled"), _connector="OR"
                        ),
                        name="confirmed_campaign_waits",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CampaignVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("subject", models.TextField()),
                ("preheader", models.TextField(blank=True)),
                ("html", models.TextField()),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="mailinglist.campaign",
                    ),
                ),
                (
                    "as_seen_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="mailinglist.subscriber",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "number"), name="one_version_per_number")
                ],
            },
        ),
        migrations.AddField(
            model_name="campaign",
            name="version",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="mailinglist.campaignversion",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["draft", "scheduled", "cancelled"]),
                    models.Q(
                        ("retry_until__isnull", False),
                        ("started_at__isnull", False),
                        ("version__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="started_campaign_has_version",
            ),
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("campaign", "campaign"),
                            ("confirmation", "confirmation of a sign-up"),
                            ("test", "test mail"),
                            ("reminder", "reminder of a sign-up"),
                            ("data", "link to the person's data"),
                        ],
                        default="campaign",
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waiting to be sent"),
                            ("sending", "being sent"),
                            ("sent", "accepted by SES"),
                            ("unknown", "outcome unknown"),
                            ("waiting", "waiting for a retry"),
                            ("delivered", "delivered"),
                            ("bounced", "bounced"),
                            ("complained", "complaint"),
                            ("failed", "failed"),
                            ("skipped", "not sent"),
                            ("expired", "retry time ended"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=60)),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(default=0, help_text="POSTs to SES begun so far."),
                ),
                ("crashes", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(blank=True, null=True)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("fence", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="mailinglist.campaign",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="mailinglist.campaignversion",
                    ),
                ),
                (
                    "list",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="mailinglist.mailinglist",
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="deliveries",
                        to="mailinglist.subscriber",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "sending")),
                        fields=["lease_until"],
                        name="delivery_leased",
                    ),
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["next_attempt_at"],
                        name="delivery_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("state", "unknown")), fields=["id"], name="delivery_unknown"
                    ),
                    models.Index(
                        condition=models.Q(("state", "queued")),
                        fields=["campaign", "next_attempt_at", "id"],
                        name="delivery_to_send",
                    ),
                    models.Index(fields=["campaign", "state", "-id"], name="delivery_of_campaign"),
                    models.Index(
                        condition=models.Q(
                            (
                                "state__in",
                                ["bounced", "complained", "failed", "skipped", "expired", "cancelled"],
                            )
                        ),
                        fields=["state", "-id"],
                        name="delivery_with_end",
                    ),
                    models.Index(
                        condition=models.Q(("campaign__isnull", True)),
                        fields=["purpose", "-id"],
                        name="delivery_of_no_campaign",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
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
                                ],
                            )
                        ),
                        name="delivery_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lease_until__isnull", False), ("state", "sending")),
                            models.Q(
                                models.Q(("state", "sending"), _negated=True), ("lease_until__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="only_sending_has_lease",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "waiting"), _negated=True),
                            ("next_attempt_at__isnull", False),
                            _connector="OR",
                        ),
                        name="waiting_has_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("campaign__isnull", False), ("purpose", "campaign")),
                            models.Q(
                                ("campaign__isnull", True),
                                ("purpose__in", ["confirmation", "test", "reminder", "data"]),
                            ),
                            _connector="OR",
                        ),
                        name="delivery_purpose_fits_campaign",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("purpose__in", ["confirmation", "reminder", "data"]),
                            ("version__isnull", False),
                            _connector="OR",
                        ),
                        name="delivery_has_content",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("subscriber__isnull", False),
                            models.Q(
                                ("state__in", ["queued", "sending", "unknown", "waiting"]), _negated=True
                            ),
                            _connector="OR",
                        ),
                        name="delivery_to_send_has_person",
                    ),
                    models.UniqueConstraint(
                        fields=("subscriber", "campaign"), name="one_delivery_per_campaign"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "result",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "started"),
                            ("accepted", "accepted by SES"),
                            ("refused", "refused by SES"),
                            ("unknown", "no answer"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("message_id", models.CharField(blank=True, max_length=120, null=True)),
                ("error_code", models.CharField(blank=True, max_length=80)),
                ("error_text", models.TextField(blank=True)),
                ("possible_duplicate", models.BooleanField(default=False)),
                (
                    "delivery",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempt_set",
                        to="mailinglist.delivery",
                    ),
                ),
                ("verdict", models.CharField(blank=True, max_length=14)),
                ("reason", models.CharField(blank=True, max_length=60)),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True, fields=["started_at"], name="attempt_by_time"
                    ),
                    models.Index(
                        condition=models.Q(("verdict__in", ["hard", "complaint", "suppressed"])),
                        fields=["started_at"],
                        name="attempt_against_us",
                    ),
                    models.Index(
                        condition=models.Q(("verdict__in", ["", "delivered"]), _negated=True),
                        fields=["verdict", "-delivery"],
                        name="attempt_came_back",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("delivery", "number"), name="one_attempt_per_number"),
                    models.CheckConstraint(
                        condition=models.Q(("result__in", ["", "accepted", "refused", "unknown"])),
                        name="attempt_result_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("result", "accepted"), _negated=True),
                            ("message_id__isnull", False),
                            _connector="OR",
                        ),
                        name="accepted_has_message_id",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("message_id__isnull", False)),
                        fields=("message_id",),
                        name="attempt_by_message_id",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "waiting for confirmation"),
                            ("confirmed", "subscribed"),
                            ("unsubscribed", "unsubscribed"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        help_text="Where it came from: form, import, manager, demo.", max_length=60
                    ),
                ),
                ("consent_at", models.DateTimeField(blank=True, null=True)),
                ("consent_ip", models.GenericIPAddressField(blank=True, null=True)),
                ("consent_user_agent", models.CharField(blank=True, max_length=255)),
                (
                    "consent_text",
                    models.TextField(blank=True, help_text="What the form said when the person agreed."),
                ),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("confirmed_ip", models.GenericIPAddressField(blank=True, null=True)),
                ("unsubscribed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "unsubscribe_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "—"),
                            ("manager", "a manager"),
                            ("import", "import"),
                            ("page", "the unsubscribe page"),
                            ("one-click", "the mail program's unsubscribe button"),
                            ("soft-exhausted", "soft bounces, all retries used"),
                            ("unreachable", "unreachable for several campaigns"),
                            ("ses", "unsubscribed at SES"),
                            ("hard-bounce", "hard bounce"),
                            ("complaint", "complaint"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "list",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="mailinglist.mailinglist",
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="subscriptions",
                        to="mailinglist.subscriber",
                    ),
                ),
                ("tracking_consent", models.BooleanField(db_default=False, default=False)),
                (
                    "left_because",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "—"),
                            ("too-often", "The mails come too often"),
                            ("not-interesting", "They do not interest me any more"),
                            ("not-expected", "They are not what I expected"),
                            ("never-asked", "I never asked for them"),
                            ("other", "Another reason"),
                        ],
                        db_default="",
                        default="",
                        max_length=16,
                    ),
                ),
                ("left_words", models.CharField(blank=True, db_default="", default="", max_length=500)),
                (
                    "left_after",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="mailinglist.campaign",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "confirmed")),
                        fields=["list", "subscriber"],
                        name="subscription_confirmed",
                    ),
                    models.Index(fields=["list", "status", "-id"], name="subscription_by_status"),
                    models.Index(
                        condition=models.Q(("status", "pending")), fields=["id"], name="subscription_pending"
                    ),
                    models.Index(
                        condition=models.Q(("unsubscribe_reason", ""), _negated=True),
                        fields=["unsubscribe_reason", "-id"],
                        name="subscription_ended",
                    ),
                    models.Index(
                        condition=models.Q(("left_after__isnull", False)),
                        fields=["left_after", "subscriber"],
                        name="subscription_left_after",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["pending", "confirmed", "unsubscribed"])),
                        name="subscription_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status", "unsubscribed"),
                                models.Q(("unsubscribe_reason", ""), _negated=True),
                            ),
                            models.Q(("status", "confirmed"), ("unsubscribe_reason", "")),
                            ("status", "pending"),
                            _connector="OR",
                        ),
                        name="unsubscribed_has_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "left_because__in",
                                ["", "too-often", "not-interesting", "not-expected", "never-asked", "other"],
                            )
                        ),
                        name="left_because_known",
                    ),
                    models.UniqueConstraint(fields=("subscriber", "list"), name="one_subscription_per_list"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Engagement",
            fields=[
                (
                    "delivery",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="engagement",
                        serialize=False,
                        to="mailinglist.delivery",
                    ),
                ),
                (
                    "opened",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "nobody"),
                            ("machine", "programs"),
                            ("unsure", "nobody can tell"),
                            ("person", "people"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                (
                    "clicked",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "nobody"),
                            ("machine", "programs"),
                            ("unsure", "nobody can tell"),
                            ("person", "people"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                ("proxied", models.BooleanField(default=False)),
                ("opens", models.PositiveIntegerField(default=0)),
                ("clicks", models.PositiveIntegerField(default=0)),
                (
                    "links_person",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "links_unsure",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "links_machine",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="mailinglist.campaign",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["campaign", "opened", "-delivery"], name="engagement_by_campaign"),
                    models.Index(
                        condition=models.Q(("clicked", ""), _negated=True),
                        fields=["campaign", "clicked", "-delivery"],
                        name="engagement_clicked",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("opened__in", ["", "machine", "unsure", "person"]),
                            ("clicked__in", ["", "machine", "unsure", "person"]),
                        ),
                        name="engagement_who_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("opens__gt", 0), ("clicks__gt", 0), _connector="OR"),
                        name="engagement_has_events",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CampaignCount",
            fields=[
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="count",
                        serialize=False,
                        to="mailinglist.campaign",
                    ),
                ),
                ("report", models.JSONField()),
                ("counted_at", models.DateTimeField()),
                ("seconds", models.FloatField()),
                ("by_state", models.JSONField()),
                ("states_at", models.DateTimeField()),
                ("states_seconds", models.FloatField()),
            ],
        ),
        migrations.CreateModel(
            name="LinkCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("taken_until", models.DateTimeField(blank=True, null=True)),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
                ("address", models.TextField()),
                ("is_broken", models.BooleanField(default=False)),
                ("says", models.CharField(blank=True, max_length=200)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="link_checks",
                        to="mailinglist.campaign",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("checked_at__isnull", True)),
                        fields=["id"],
                        name="link_check_waiting",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CampaignDraft",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("preheader", models.CharField(blank=True, max_length=200)),
                (
                    "body_format",
                    models.CharField(
                        choices=[("markdown", "Markdown"), ("html", "HTML"), ("mjml", "MJML")], max_length=10
                    ),
                ),
                ("body", models.TextField(blank=True)),
                ("name", models.CharField(blank=True, max_length=120)),
                ("base", models.PositiveIntegerField(default=0)),
                ("typed_at", models.DateTimeField()),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="drafts",
                        to="mailinglist.campaign",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="mailinglist.template",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "campaign"), name="one_draft_per_manager", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CampaignRevision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("preheader", models.CharField(blank=True, max_length=200)),
                (
                    "body_format",
                    models.CharField(
                        choices=[("markdown", "Markdown"), ("html", "HTML"), ("mjml", "MJML")], max_length=10
                    ),
                ),
                ("body", models.TextField(blank=True)),
                ("number", models.PositiveIntegerField()),
                ("saved_at", models.DateTimeField()),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="revisions",
                        to="mailinglist.campaign",
                    ),
                ),
                (
                    "saved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="mailinglist.template",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "number"), name="one_revision_per_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("fingerprint", models.CharField(blank=True, max_length=64)),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="approval",
                        to="mailinglist.campaign",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by__isnull", True),
                            models.Q(("approved_by", models.F("asked_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="approved_by_somebody_else",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_at__isnull", True),
                            models.Q(("fingerprint", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="approval_is_of_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubscriberTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tag_rows",
                        to="mailinglist.subscriber",
                    ),
                ),
                (
                    "tag",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="mailinglist.tag",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["tag", "subscriber"], name="subscriber_tag_by_tag")],
                "constraints": [
                    models.UniqueConstraint(fields=("subscriber", "tag"), name="one_row_per_person_and_tag")
                ],
            },
        ),
        migrations.RunSQL(_RENAME, migrations.RunSQL.noop),
        migrations.RunPython(without_like, migrations.RunPython.noop),
        migrations.RunPython(ship, migrations.RunPython.noop),
    ]
