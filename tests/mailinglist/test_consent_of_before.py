"""The migration that makes a history of consent out of what subscriptions knew."""

from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from mailinglist.models import ConsentRecord, MailingList, Subscription
from tests.factories import make_list, make_subscriber

pytestmark = pytest.mark.django_db
migration: Any = import_module("mailinglist.migrations.0026_consent_of_before")
ASKED, CONFIRMED = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def subscribed(news: MailingList, email: str, **values: Any) -> None:
    make_subscriber(email, news)
    Subscription.objects.filter(subscriber__email=email).update(**{"source": "form", **values})


def test_what_subscriptions_knew_becomes_history_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "_STEP", 2)
    news = make_list()
    both = {
        "consent_at": ASKED,
        "consent_ip": "192.0.2.1",
        "consent_text": "Yes.",
        "consent_user_agent": "Firefox",
    }
    subscribed(news, "both@x.example", **both, confirmed_at=CONFIRMED, confirmed_ip="192.0.2.2")
    subscribed(news, "at-once@x.example", consent_at=ASKED, confirmed_at=ASKED, source="manager")
    subscribed(news, "import@x.example", consent_at=ASKED, source="import")
    subscribed(news, "nothing@x.example")
    for _ in range(2):
        with connection.schema_editor() as editor:
            migration.copy(None, editor)
    columns = ("subscriber__email", "kind", "at", "ip", "user_agent", "text", "source")
    assert list(ConsentRecord.objects.order_by("subscriber_id", "at").values_list(*columns)) == [
        ("both@x.example", "asked", ASKED, "192.0.2.1", "Firefox", "Yes.", "form"),
        ("both@x.example", "confirmed", CONFIRMED, "192.0.2.2", "", "", "form"),
        ("at-once@x.example", "asked", ASKED, None, "", "", "manager"),
    ]
