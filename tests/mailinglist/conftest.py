"""Fixtures for everything that sends, and a superuser who is logged in."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from mailinglist import doorbell
from mailinglist.models import SendBudget
from mailinglist.sending import pacing


@pytest.fixture
def unlimited_pace() -> SendBudget:
    """A budget without limits that is known for a long time: no call of GetAccount, no waiting."""
    budget, _ = SendBudget.objects.update_or_create(
        name=pacing._name(),
        defaults={
            "max_send_rate": -1,
            "max_24_hour": -1,
            "tokens": 0,
            "refilled_at": timezone.now(),
            "fetched_at": timezone.now() + timedelta(days=1),
        },
    )
    return budget


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was rung, instead of ringing it: (name of the task, *arguments)."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(doorbell, "_send", lambda task, args: calls.append((task.name, *args)))
    return calls


@pytest.fixture
def boss(db: Any) -> User:
    return User.objects.create_superuser("boss", "boss@acme.example", "secret-secret")


@pytest.fixture
def staff(client: Client, boss: User) -> Client:
    client.force_login(boss)
    return client
