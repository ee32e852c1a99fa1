"""Reports that are no complaint (type not-spam) were counted among the complaints of the slots. Takes them out: one read of
the events, and only the few slots that hold one are written, so that sending and the webhook go on meanwhile.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Greatest

from bounces import providers
from bounces.policy import NO_COMPLAINT
from bounces.waves import SLOT

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def take_out(apps: Any, schema_editor: Any) -> None:
    counted: Counter[tuple[str, Any]] = Counter()
    praise = apps.get_model("bounces", "Event").objects.filter(
        verdict="complaint", reason__in=NO_COMPLAINT, delivery__isnull=False
    )
    for recipient, at in praise.exclude(recipient="").values_list("recipient", "occurred_at").iterator():
        begin = at - (at - EPOCH) % SLOT
        counted[providers.of_domain(recipient.partition("@")[2])[:253], begin] += 1
    slots = apps.get_model("bounces", "ProviderSlot").objects
    for (provider, begin), number in sorted(counted.items()):
        slots.filter(provider=provider, starts_at=begin).update(
            complaint=Greatest(F("complaint") - number, 0, output_field=models.IntegerField())
        )


class Migration(migrations.Migration):
    dependencies = [("bounces", "0026_incident_per_wave")]

    operations = [migrations.RunPython(take_out, migrations.RunPython.noop)]
