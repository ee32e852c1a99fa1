"""The definitions of attributes: what the further values of subscribers mean. The only writer of Attribute.

A definition changes no stored value: what does not fit a new kind stays as it is, and is asked for when it is edited.
"""

from collections.abc import Mapping

from django.db import transaction

from mailinglist.attribute_values import Meaning
from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Attribute


def meanings() -> Mapping[str, Meaning]:
    """Key → what its values are, for everything that reads typed values from people or files."""
    rows = Attribute.objects.values_list("key", "kind", "choices")
    return {key: Meaning(kind, tuple(choices)) for key, kind, choices in rows}


@transaction.atomic
def save(attribute: Attribute, *, by: Actor) -> None:
    """Store a definition that was checked (full_clean)."""
    before = "" if attribute._state.adding else "defined"
    attribute.save()
    kind = attribute.get_kind_display() + (f" ({', '.join(attribute.choices)})" if attribute.choices else "")
    record(
        Noun.ATTRIBUTE,
        attribute.pk,
        before=before,
        after="defined",
        why=f"“{attribute.key}”, shown as {attribute.label}: {kind}.",
        by=by,
    )


@transaction.atomic
def remove(attribute: Attribute, *, by: Actor) -> None:
    """Forget a definition. The values of people stay, as texts."""
    record(
        Noun.ATTRIBUTE,
        attribute.pk,
        before="defined",
        after="removed",
        why=f"“{attribute.key}” is a text again; nobody's value changed.",
        by=by,
    )
    attribute.delete()
