"""Notifications from the queue and by mail, and whether anybody proved who sent them.

The column has its default in the database: PostgreSQL adds it without touching a row, and workers of the version
before may go on inserting.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bounces", "0011_event_bounces_by_domain")]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="trusted",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AlterField(
            model_name="notification",
            name="source",
            field=models.CharField(
                choices=[("sns", "SNS webhook"), ("sqs", "SQS queue"), ("dsn", "mail"), ("file", "file")],
                max_length=8,
            ),
        ),
    ]
