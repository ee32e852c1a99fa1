"""The colour, logo and texts of a list. Columns with a default of the database, on a small table."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now


def _text(**more: object) -> models.TextField:
    return models.TextField(blank=True, db_default="", default="", **more)


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0032_sign_up_gate")]

    operations = [
        migrations.AddField(
            model_name="mailinglist",
            name="accent",
            field=models.CharField(
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
        migrations.AddField(
            model_name="mailinglist",
            name="consent_wording",
            field=_text(
                help_text="What people agree to; shown above the button and kept as evidence with each sign-up."
            ),
        ),
        migrations.AddField(
            model_name="mailinglist",
            name="sign_up_text",
            field=_text(
                help_text="On the page that says: check your mail.", verbose_name="text after the sign-up"
            ),
        ),
        migrations.AddField(
            model_name="mailinglist",
            name="welcome_text",
            field=_text(help_text="On the page after the confirmation, for example what comes next."),
        ),
        migrations.AddField(
            model_name="mailinglist",
            name="goodbye_text",
            field=_text(help_text="On the page that says that somebody is unsubscribed."),
        ),
        migrations.AddField(
            model_name="mailinglist",
            name="logo_version",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=16),
        ),
        migrations.AddField(
            model_name="mailinglist",
            name="logo_width",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="mailinglist",
            name="logo_height",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="mailinglist",
            name="updated_at",
            field=models.DateTimeField(auto_now=True, db_default=Now()),
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
                        condition=Q(content_type__in=["image/png", "image/jpeg", "image/webp", "image/gif"]),
                        name="logo_is_a_picture",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="mailinglist",
            constraint=models.CheckConstraint(
                condition=Q(accent="") | Q(accent__regex="^#[0-9a-f]{6}$"), name="list_accent_is_colour"
            ),
        ),
        migrations.AddConstraint(
            model_name="mailinglist",
            constraint=models.CheckConstraint(
                condition=Q(logo_version="") | (Q(logo_width__gt=0) & Q(logo_height__gt=0)),
                name="list_logo_has_size",
            ),
        ),
    ]
