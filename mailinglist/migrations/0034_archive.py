"""Which lists and campaigns are in the public archive, and the public name of each campaign.

Lists and campaigns are few: the names are made one by one while the table is changed.
"""

from typing import Any

from django.db import migrations, models

import mailinglist.models.subscribers
from mailinglist.models.subscribers import new_token


def name_campaigns(apps: Any, schema_editor: Any) -> None:
    campaigns = apps.get_model("mailinglist", "Campaign").objects.filter(public_id=None)
    for pk in campaigns.values_list("pk", flat=True):
        campaigns.filter(pk=pk).update(public_id=new_token())


class Migration(migrations.Migration):
    dependencies = [("mailinglist", "0033_list_looks")]

    operations = [
        migrations.AddField(
            model_name="mailinglist",
            name="has_archive",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Anybody can read the mails that were sent to this list, also those sent before you tick "
                "this. Each campaign can be left out. Nobody's name, address or links are in them.",
                verbose_name="public archive",
            ),
        ),
        migrations.AddField(
            model_name="mailinglist",
            name="archive_in_search",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Else the pages of the archive ask search engines to stay away.",
                verbose_name="archive in search engines",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="in_archive",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Once it is sent, anybody can read it in the public archive of its lists, where they have "
                "one.",
                verbose_name="in the archive",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="public_id",
            field=models.CharField(editable=False, max_length=32, null=True),
        ),
        migrations.RunPython(name_campaigns, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="campaign",
            name="public_id",
            field=models.CharField(
                default=mailinglist.models.subscribers.new_token, editable=False, max_length=32, unique=True
            ),
        ),
    ]
