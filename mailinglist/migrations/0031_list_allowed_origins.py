"""The sites that may sign people up through the embedded script. A column with a default, on a small table."""

from django.db import migrations, models

import mailinglist.models.validators


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0030_tracking")]

    operations = [
        migrations.AddField(
            model_name="mailinglist",
            name="allowed_origins",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="The web sites whose visitors may sign up through the embedded script, one a line, like "
                "https://www.example.com. Forms without the script need no entry.",
                validators=[mailinglist.models.validators.origin_lines],
                verbose_name="sites with the form",
            ),
        ),
    ]
