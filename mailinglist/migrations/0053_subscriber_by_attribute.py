"""Who has a value, by index; built beside the writers."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("mailinglist", "0052_audiences")]

    operations = [
        AddIndexConcurrently(
            model_name="subscriber",
            index=GinIndex(
                fields=["attributes"], name="subscriber_by_attribute", opclasses=["jsonb_path_ops"]
            ),
        ),
    ]
