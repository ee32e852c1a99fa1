import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bounces", "0023_staff_indexes"),
        ("mailinglist", "0042_staff_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="CampaignCourse",
            fields=[
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="mailinglist.campaign",
                    ),
                ),
                ("rows", models.JSONField()),
                ("counted_at", models.DateTimeField()),
                ("seconds", models.FloatField()),
            ],
        ),
    ]
