"""What people tell when they leave. Columns with a default of the database; the rows are checked beside the writers."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0035_pause")]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="left_because",
            field=models.CharField(
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
        migrations.AddField(
            model_name="subscription",
            name="left_words",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
        AddConstraintNotValid(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=Q(
                    left_because__in=["", "too-often", "not-interesting", "not-expected", "never-asked", "other"]
                ),
                name="left_because_known",
            ),
        ),
        ValidateConstraint(model_name="subscription", name="left_because_known"),
    ]
