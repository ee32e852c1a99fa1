"""Indexes that no query reads, and that every new subscriber and subscription had to keep up.

Django makes a second index of every indexed text for LIKE. Tokens and fingerprints are only ever compared as a whole, and
the beginning of an address has an index of its own (subscriber_key_prefix).
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

_LIKE = {
    "mailinglist_subscriber_email_key_092eea91_like": "email_key",
    "mailinglist_subscriber_suppression_key_4ba4ffb2_like": "suppression_key",
    "mailinglist_subscriber_token_1ae2a2b4_like": "token",
}


class Migration(migrations.Migration):
    atomic = False  # indexes are made and dropped beside the traffic

    dependencies = [
        ("mailinglist", "0038_delivery_by_person"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(
            migrations.RunSQL(
                f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON mailinglist_subscriber ({column} varchar_pattern_ops)",
            )
            for name, column in _LIKE.items()
        ),
        AddIndexConcurrently(
            "change",
            models.Index(
                fields=["user"], condition=models.Q(user__isnull=False), name="change_by_user"
            ),
        ),
        migrations.AlterField(
            "change",
            "user",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            "subscription",
            "list",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="subscriptions",
                to="mailinglist.mailinglist",
            ),
        ),
    ]
