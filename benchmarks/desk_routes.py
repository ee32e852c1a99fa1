"""Every address of the staff pages, taken from the routes themselves, so that none is forgotten. Runs after
``django.setup``.

An address that names a row is asked for with the newest one. What only acts, or is not for anybody, answers with a
redirect or a refusal, and that is measured too.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

from benchmarks import history_rows
from benchmarks.asking import ROUTE, Page
from bounces.models import Event
from mailinglist.models import Delivery, Import, MailingList, Subscription

_VALUE = re.compile(r"<(?:\w+:)?(?P<path>\w+)>|\(\?P<(?P<regex>\w+)>[^)]*\)")


def every() -> Iterator[Page]:
    """A page for each route below admin/ that takes a GET. Raises LookupError for a value that nobody knows here."""
    known = _known()
    for pattern in _patterns(get_resolver().url_patterns):
        if pattern.startswith("admin/") and not pattern.startswith(("admin/logout/", "admin/login/")):
            address = "/" + _VALUE.sub(lambda part, of=pattern: _filled(part, of, known), pattern)
            yield f"{ROUTE} {address}", "get", address, {}


def _patterns(entries: list[Any], before: str = "") -> Iterator[str]:
    for entry in entries:
        pattern = before + str(entry.pattern).lstrip("^").removesuffix("$").removesuffix("\\Z")
        if isinstance(entry, URLResolver):
            yield from _patterns(entry.url_patterns, pattern)
        elif isinstance(entry, URLPattern):
            yield pattern


def _filled(part: re.Match[str], pattern: str, known: dict[str, str]) -> str:
    name = part["path"] or part["regex"]
    if name in known:
        return known[name]
    _, app, model, *_ = pattern.split("/")
    try:
        return _newest(apps.get_model(app, model))
    except LookupError:
        if f"other {name}" not in known:
            raise LookupError(f"No value for <{name}> of {pattern}.") from None
        return known[f"other {name}"]


def _newest(model: type[Model]) -> str:
    found = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
    if found is None:
        raise LookupError(f"There is no {model._meta.verbose_name}.")
    return str(found)


def _known() -> dict[str, str]:
    """What the routes name besides the row of the model whose address it is."""
    bounced = Event.objects.filter(verdict="soft", delivery__isnull=False).order_by("-pk")[0]
    subscription = Subscription.objects.filter(subscriber=bounced.subscriber_id)[0]
    waiting = Delivery.objects.filter(state="waiting").order_by("-pk")[0]
    return {
        "app_label": "mailinglist",
        "url": "no/such/page",
        "content_type_id": str(ContentType.objects.get(app_label="mailinglist", model="mailinglist").pk),
        "provider": history_rows.LARGEST,
        # Where the address is not that of a model.
        "other campaign_id": str(waiting.campaign_id),
        "other object_id": _newest(MailingList),
        "subscriber_id": str(bounced.subscriber_id),
        "subscription_id": str(subscription.pk),
        "delivery_id": str(waiting.pk),
        "event_id": str(bounced.pk),
        "import_id": str(Import.objects.order_by("pk")[0].pk),
    }
