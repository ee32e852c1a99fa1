"""Who shares the rate. One column of a table of one row, with a default of the database for older processes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0002_attempt_verdict")]

    operations = [
        migrations.AddField(
            model_name="sendbudget",
            name="takers",
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
