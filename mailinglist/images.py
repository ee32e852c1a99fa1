"""Pictures in mails: taken in, shown under an address that nobody can guess, and kept while a mail shows them.

Called by the admin, views/images.py and composing/body.py. The only writer of MailImage.
"""

import re
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from mailinglist import picture_bytes, pictures
from mailinglist.changes import Actor, Noun, record
from mailinglist.models import Campaign, CampaignVersion, MailImage, Template

#: Bytes and pixels along a side: more makes a mail slow to open on a phone.
MOST_BYTES, MOST_PIXELS = 1_000_000, 4000
#: CSS pixels: what fits into the text of a mail.
SHOWN_WIDTH = 536
ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}

_IMG = re.compile(r'<img((?:[^>"]|"[^"]*")*)>', re.IGNORECASE)
_HAS_SIZE = re.compile(r'\s(?:width|height)="', re.IGNORECASE)


class InUse(ValueError):
    """The picture is shown somewhere; the message says where."""


@transaction.atomic
def store(data: bytes, *, name: str, alt: str, by: Actor) -> MailImage:
    """Keep a picture, without what cameras write beside it. Raises pictures.BadPicture."""
    picture = pictures.read(data, most_bytes=MOST_BYTES, most_pixels=MOST_PIXELS)
    width, height = picture.width, picture.height
    if picture_bytes.is_turned(data):
        width, height = height, width
    data = picture_bytes.bare(data)
    if not data:
        raise pictures.BadPicture("The picture is broken: its parts do not fit together.")
    image = MailImage.objects.create(
        name=name[:120] or "picture",
        alt=alt[:200],
        data=data,
        content_type=picture.content_type,
        width=width,
        height=height,
        size=len(data),
        uploaded_by=by.user,
    )
    why = f"“{image.name}”: {picture.content_type}, {width} × {height}, {len(data) // 1000} kB."
    record(Noun.IMAGE, image.pk, before="", after="uploaded", why=why, by=by)
    return image


@transaction.atomic
def describe(image: MailImage, changed: Iterable[str], *, by: Actor) -> None:
    """Keep its new name and description. ``changed``: which of them."""
    image.save(update_fields=["name", "alt"])
    why = f"“{image.name}”: {', '.join(changed)} changed."
    record(Noun.IMAGE, image.pk, before="uploaded", after="described", why=why, by=by)


@transaction.atomic
def remove(image_id: int, *, by: Actor) -> None:
    """Take a picture away. Raises InUse where a mail, sent or not, or a template shows it."""
    image = MailImage.objects.select_for_update().defer("data").get(pk=image_id)
    if where := uses(image):
        raise InUse(f"It is shown in {', '.join(where)}. Mails that were sent would lose it.")
    record(Noun.IMAGE, image.pk, before="uploaded", after="removed", why=f"“{image.name}” removed.", by=by)
    image.delete()


def uses(image: MailImage) -> list[str]:
    """What shows it: campaigns as they are written or were sent, and templates."""
    versions = CampaignVersion.objects.filter(html__contains=image.token).values("campaign_id")
    campaigns = Campaign.objects.filter(Q(body__contains=image.token) | Q(pk__in=versions)).order_by("pk")
    templates = Template.objects.filter(source__contains=image.token).order_by("pk")
    return [
        *(f"the campaign “{name}”" for name in campaigns.values_list("name", flat=True)[:3]),
        *(f"the template “{name}”" for name in templates.values_list("name", flat=True)[:3]),
    ]


def address(image: MailImage) -> str:
    """Where anybody can see it."""
    return f"{settings.PUBLIC_URL}/images/{image.token}.{ENDINGS[image.content_type]}"


def markdown(image: MailImage) -> str:
    """What a manager writes to show it."""
    alt = re.sub(r"([\\\[\]])", r"\\\1", image.alt)
    return f"![{alt}]({address(image)})"


def with_sizes(html: str) -> str:
    """The same with width and height in pictures of ours that have none, so that mails do not jump while they load."""
    ours = re.compile(rf'\ssrc="{re.escape(settings.PUBLIC_URL)}/images/([\w-]+)\.[a-z]+"')
    tokens = {found[1] for tag in _IMG.finditer(html) if (found := ours.search(tag[1]))}
    if not tokens:
        return html
    sizes = {
        token: (width, height)
        for token, width, height in MailImage.objects.filter(token__in=tokens).values_list(
            "token", "width", "height"
        )
    }

    def sized(tag: re.Match[str]) -> str:
        found = ours.search(tag[1])
        if found is None or found[1] not in sizes or _HAS_SIZE.search(tag[1]):
            return tag[0]
        width, height = sizes[found[1]]
        shown = min(width, SHOWN_WIDTH)
        return f'<img{tag[1]} width="{shown}" height="{max(1, round(height * shown / width))}">'

    return _IMG.sub(sized, html)
