"""What SES knows of a suppression. One column without a default: no row is touched."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0010_schedule_zone")]

    operations = [
        migrations.AddField(
            model_name="suppression",
            name="synced_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="change",
            name="noun",
            field=models.CharField(
                choices=[
                    ("subscriber", "subscriber"),
                    ("subscription", "subscription"),
                    ("suppression", "suppression"),
                    ("campaign", "campaign"),
                    ("delivery", "delivery"),
                    ("list", "list"),
                    ("incident", "incident"),
                ],
                max_length=14,
            ),
        ),
    ]
