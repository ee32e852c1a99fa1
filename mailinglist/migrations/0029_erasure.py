"""Mails outlive the person they were for, and the suppression list knows who was erased.

Taking NOT NULL away reads no row; the new constraints are checked beside the writers.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q

_PERSON, _REASON = "delivery_to_send_has_person", "suppression_reason_known"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0028_subscription_pending")]

    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="subscriber",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="deliveries",
                to="mailinglist.subscriber",
            ),
        ),
        AddConstraintNotValid(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=Q(subscriber__isnull=False) | ~Q(state__in=["queued", "sending", "unknown", "waiting"]),
                name=_PERSON,
            ),
        ),
        ValidateConstraint(model_name="delivery", name=_PERSON),
        migrations.AlterField(
            model_name="change",
            name="subscriber",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="changes",
                to="mailinglist.subscriber",
            ),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="reason",
            field=models.CharField(
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
        migrations.RemoveConstraint(model_name="suppression", name=_REASON),
        AddConstraintNotValid(
            model_name="suppression",
            constraint=models.CheckConstraint(
                condition=Q(reason__in=["erased", "manual", "ses-list", "hard-bounce", "complaint"]), name=_REASON
            ),
        ),
        ValidateConstraint(model_name="suppression", name=_REASON),
    ]
