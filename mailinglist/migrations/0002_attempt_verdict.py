from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailinglist", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="verdict",
            field=models.CharField(blank=True, max_length=14),
        ),
        migrations.AddField(
            model_name="attempt",
            name="reason",
            field=models.CharField(blank=True, max_length=60),
        ),
    ]
