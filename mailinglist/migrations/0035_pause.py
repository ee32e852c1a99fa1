"""Until when a person wants no campaigns. An empty column: nothing is written to the rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0034_archive")]

    operations = [
        migrations.AddField(
            model_name="subscriber",
            name="paused_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
