"""Templates that campaigns can choose: those that come along, and copies of them. Called by the admin and a migration.

A campaign keeps nothing of its template but its number: it is compiled with the template as it is then, and what was
sent stays as it was sent.
"""

from pathlib import Path
from typing import Any

from django.db import transaction

from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Campaign, Template

_FOLDER = Path(__file__).parent / "data" / "mail_templates"
#: Name, what it is good for, file.
SHIPPED = (
    ("Newsletter", "The list's name above a card: for news that come regularly.", "newsletter.mjml"),
    (
        "Announcement",
        "The subject in large letters on a coloured band: for one thing that matters.",
        "announcement.mjml",
    ),
    ("Plain letter", "Like a letter, without a frame: for words from one person.", "letter.html"),
)


def ship(model: Any = Template) -> int:
    """Make those that come along and are not there (by name). Returns how many. ``model``: a migration's."""
    made = 0
    for name, description, file in SHIPPED:
        path = _FOLDER / file
        values = {"description": description, "format": path.suffix[1:], "source": path.read_text("utf-8")}
        made += model.objects.get_or_create(name=name, defaults=values)[1]
    return made


@transaction.atomic
def duplicate(template_id: int, *, by: Actor) -> Template:
    """A copy under a name that is free."""
    template = Template.objects.get(pk=template_id)
    begin, number = template.name[:100], 1
    while Template.objects.filter(
        name=(name := f"{begin} (copy{f' {number}' if number > 1 else ''})")
    ).exists():
        number += 1
    copy = Template.objects.create(
        name=name, description=template.description, format=template.format, source=template.source
    )
    record(Noun.TEMPLATE, copy.pk, before="", after="created", why=f"Copied from “{template.name}”.", by=by)
    return copy


def waiting_for(template: Template) -> list[str]:
    """The names of campaigns that are not sent yet and use it."""
    open_states = (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED)
    return list(template.campaigns.filter(status__in=open_states).values_list("name", flat=True)[:5])
