"""The templates that come along, once: who deletes one does not find it again."""

from typing import Any

from django.db import migrations

from mailinglist import mail_templates


def ship(apps: Any, schema_editor: Any) -> None:
    mail_templates.ship(apps.get_model("mailinglist", "Template"))


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0044_templates")]

    operations = [migrations.RunPython(ship, migrations.RunPython.noop)]
