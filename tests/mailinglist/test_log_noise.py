"""What strangers can write into our logs: a line for each request that was not right, and no more."""

import logging

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from mailinglist.log_lines import LineFormatter

pytestmark = pytest.mark.django_db


def written(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What has been logged, as the configured handler writes it."""
    handlers = logging.getLogger().handlers
    formatter = next(row.formatter for row in handlers if isinstance(row.formatter, LineFormatter))
    return [formatter.format(record) for record in caplog.records]


def test_a_false_host_is_one_line(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/", HTTP_HOST="evil.example").status_code == 400
    (line,) = written(caplog)
    assert "Invalid HTTP_HOST header: 'evil.example'" in line and "\n" not in line


def test_what_a_stranger_wrote_is_cut(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    assert client.get("/", HTTP_HOST="evil" * 5000).status_code == 400
    (line,) = written(caplog)
    assert len(line) < 600 and line.endswith(" …")


def test_a_nul_on_a_staff_page_is_one_line(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.force_login(User.objects.create_superuser("root", "root@post.example", "x"))
    page = reverse("admin:mailinglist_delivery_changelist")
    assert client.get(page, {"state__exact": "\x00"}).status_code == 400
    (line,) = written(caplog)
    assert "There is a NUL character in the request." in line and "\n" not in line


def test_a_form_with_too_many_fields_is_one_line(
    client: Client, caplog: pytest.LogCaptureFixture, settings: LazySettings
) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1
    assert client.post(reverse("admin:login"), {"username": "a", "password": "b"}).status_code == 400
    (line,) = written(caplog)
    assert "exceeded" in line and "\n" not in line


def test_a_fault_of_ours_keeps_its_traceback(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> list[str]:
        raise RuntimeError("ours")

    monkeypatch.setattr("mailinglist.views.health._missing_migrations", fail)
    client.raise_request_exception = False
    assert client.get("/readyz").status_code == 500
    (line,) = written(caplog)
    assert "Traceback" in line and "RuntimeError: ours" in line
