"""Whether a list notes opens and clicks, and who agreed to it. New columns with defaults in the database."""

import django.core.validators
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q

_NAME = "list_tracking_known"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0029_erasure")]

    operations = [
        migrations.AddField(
            model_name="mailinglist",
            name="tracking",
            field=models.CharField(
                choices=[("on", "noted"), ("consent", "noted with consent"), ("off", "not noted")],
                db_default="on",
                default="on",
                help_text="Whether it is noted who opened a mail and followed its links. “With consent” adds a box of its "
                "own to the sign-up form. Where it is off, links are left alone and what SES still reports is thrown away.",
                max_length=8,
                verbose_name="opens and clicks",
            ),
        ),
        migrations.AddField(
            model_name="mailinglist",
            name="untracked_configuration_set",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The configuration set for mails that must not be tracked: the same event destination without "
                "the types OPEN and CLICK. SES puts its invisible picture into every mail of a set that has them. Empty: "
                "the one of the installation.",
                max_length=64,
                validators=[django.core.validators.RegexValidator("^[A-Za-z0-9_-]*$")],
            ),
        ),
        AddConstraintNotValid(
            model_name="mailinglist",
            constraint=models.CheckConstraint(condition=Q(tracking__in=["on", "consent", "off"]), name=_NAME),
        ),
        ValidateConstraint(model_name="mailinglist", name=_NAME),
        migrations.AddField(
            model_name="subscription",
            name="tracking_consent",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
