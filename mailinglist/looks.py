"""How a list looks in public: the style sheet of its colour, and its logo. The only writer of ListLogo.

Called by views/looks.py and admin/lists.py. The pages may hold no style of their own (Content-Security-Policy), so a
list's colour is a class, ``look-<slug>``, of a style sheet of its own.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict

from django.db import transaction

from mailinglist import pictures, shades
from mailinglist.changes import Actor, Noun, record
from mailinglist.models import ListLogo, MailingList

#: How large a logo is shown at most, in CSS pixels.
SHOWN_WIDTH, SHOWN_HEIGHT = 220, 64


def css(lists: Iterable[MailingList]) -> str:
    """The style sheet with the colours of these lists; empty for lists without one."""
    coloured = [found for found in lists if found.accent]
    if not coloured:
        return ""
    day = "".join(_rule(found.slug, shades.light(found.accent)) for found in coloured)
    night = "".join(_rule(found.slug, shades.dark(found.accent)) for found in coloured)
    return f"{day}@media (prefers-color-scheme:dark){{{night}}}@media print{{{day}}}"


def version(lists: Iterable[MailingList]) -> str:
    """Changes when ``css`` does: for the address under which browsers keep it."""
    return hashlib.sha256(css(lists).encode()).hexdigest()[:12]


def shown_size(mailing_list: MailingList) -> tuple[int, int]:
    """Width and height at which the logo is shown, so that nothing jumps when it arrives."""
    width, height = mailing_list.logo_width, mailing_list.logo_height
    shrink = min(1.0, SHOWN_WIDTH / max(1, width), SHOWN_HEIGHT / max(1, height))
    return max(1, round(width * shrink)), max(1, round(height * shrink))


@transaction.atomic
def set_logo(list_id: int, data: bytes, *, by: Actor) -> None:
    """Give the list this picture. Raises pictures.BadPicture; then nothing has changed."""
    picture = pictures.read(data)
    mailing_list = MailingList.objects.select_for_update(no_key=True).get(pk=list_id)
    ListLogo.objects.update_or_create(
        list=mailing_list, defaults={"data": data, "content_type": picture.content_type}
    )
    mailing_list.logo_version = hashlib.sha256(data).hexdigest()[:16]
    mailing_list.logo_width, mailing_list.logo_height = picture.width, picture.height
    _save(mailing_list, "logo set", f"Logo: {picture.content_type}, {picture.width} × {picture.height}.", by)


@transaction.atomic
def remove_logo(list_id: int, *, by: Actor) -> bool:
    """Take the logo away. False when there is none."""
    mailing_list = MailingList.objects.select_for_update(no_key=True).get(pk=list_id)
    if not mailing_list.logo_version:
        return False
    ListLogo.objects.filter(list=mailing_list).delete()
    mailing_list.logo_version, mailing_list.logo_width, mailing_list.logo_height = "", 0, 0
    _save(mailing_list, "logo removed", "Logo removed.", by)
    return True


def _save(mailing_list: MailingList, after: str, why: str, by: Actor) -> None:
    mailing_list.save(update_fields=["logo_version", "logo_width", "logo_height", "updated_at"])
    record(
        Noun.LIST,
        mailing_list.pk,
        before="settings",
        after=after,
        why=why,
        by=by,
        list_id=mailing_list.pk,
    )


def _rule(slug: str, found: shades.Shades) -> str:
    variables = ";".join(f"--{name.replace('_', '-')}:{value}" for name, value in asdict(found).items())
    return f".look-{slug}{{{variables};--stripe-1:{found.edge};--stripe-2:{found.accent}}}"
