"""Who left and asks to come back keeps the record of leaving until they confirm."""

from django.db import migrations, models
from django.db.models import Q

_NAME = "unsubscribed_has_reason"


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0023_home")]

    operations = [
        migrations.RemoveConstraint(model_name="subscription", name=_NAME),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=(Q(status="unsubscribed") & ~Q(unsubscribe_reason=""))
                | (Q(status="confirmed") & Q(unsubscribe_reason=""))
                | Q(status="pending"),
                name=_NAME,
            ),
        ),
    ]
