"""A provider may have several open incidents, one for each wave."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bounces", "0025_judge_held_anew")]

    operations = [
        migrations.RemoveConstraint(model_name="incident", name="one_open_incident_per_provider"),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "open")),
                fields=("provider", "kind", "started_at"),
                name="one_open_incident_per_wave",
            ),
        ),
    ]
