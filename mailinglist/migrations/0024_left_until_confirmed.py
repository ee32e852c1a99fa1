"""Who left and asks to come back keeps the record of leaving until they confirm.

The rows are checked against the new constraint beside the writers.
"""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q

_NAME = "unsubscribed_has_reason"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0023_home")]

    operations = [
        migrations.RemoveConstraint(model_name="subscription", name=_NAME),
        AddConstraintNotValid(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=(Q(status="unsubscribed") & ~Q(unsubscribe_reason=""))
                | (Q(status="confirmed") & Q(unsubscribe_reason=""))
                | Q(status="pending"),
                name=_NAME,
            ),
        ),
        ValidateConstraint(model_name="subscription", name=_NAME),
    ]
