"""A superuser who is logged in."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def boss(db: Any) -> User:
    return User.objects.create_superuser("boss", "boss@acme.example", "secret-secret")


@pytest.fixture
def staff(client: Client, boss: User) -> Client:
    client.force_login(boss)
    return client
