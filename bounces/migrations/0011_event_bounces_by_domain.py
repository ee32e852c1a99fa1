"""The bounces of one provider, newest first. Built beside the writers: the event table is the largest there is."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Func, Value
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("bounces", "0010_incidents")]

    operations = [
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                Lower(Func(F("recipient"), Value("@"), Value(2), function="split_part")),
                F("id").desc(),
                condition=models.Q(
                    verdict__in=["hard", "soft", "block", "message", "complaint", "suppressed", "unknown"]
                ),
                name="event_bounces_by_domain",
            ),
        ),
    ]
