"""Fixtures for everything that sends."""

from datetime import timedelta
from typing import Any

import pytest
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
