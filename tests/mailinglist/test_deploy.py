"""Django's own deployment checks find nothing in production, and no view does without the CSRF token unnoticed."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.test_get_changes_nothing import Watch, addresses, cast

ROOT = Path(__file__).resolve().parents[2]
#: What a careful operator sets; docs/operations.md.
PRODUCTION = {
    "PUBLIC_URL": "https://lists.example.org",
    "BEHIND_TLS_PROXY": "1",
    "SUPPRESSION_KEY": "ab" * 32,
    "DATABASE_URL": "postgres://x:y@127.0.0.1:1/z",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "DEFAULT_FROM_EMAIL": "news@example.org",
    "SNS_TOPIC_ARNS": "arn:aws:sns:eu-central-1:123456789012:ses-events",
}
#: Views whose guard is another one: SNS's signature; the signed token of a mail's link, for mail programs that post and
#: browsers without cookies; the origin of a site with our form. form-json only reads.
WITHOUT_TOKEN = {
    "ses-webhook",
    "confirm",
    "unsubscribe",
    "preferences",
    "ask-data",
    "data",
    "subscribe-json",
    "form-json",
}


def in_production(tmp_path: Path, code: list[str], **changed: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "MAILINGLIST_VAR": str(tmp_path), **PRODUCTION}
    environment |= {"SECRET_KEY": secrets.token_urlsafe(60), **changed}
    return subprocess.run([sys.executable, *code], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_the_deployment_checks_find_nothing(tmp_path: Path) -> None:
    done = in_production(tmp_path, ["manage.py", "check", "--deploy", "--fail-level", "WARNING"])
    assert done.returncode == 0, done.stderr


def test_production_has_safe_cookies_and_asks_browsers_for_https(tmp_path: Path) -> None:
    names = ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SECURE_SSL_REDIRECT"]
    code = f"from mailinglist import settings as s; print(all(getattr(s, n) for n in {names}), s.SECURE_HSTS_SECONDS)"
    done = in_production(tmp_path, ["-c", code])
    assert done.stdout == "True 31536000\n", done.stderr


@pytest.mark.parametrize("value", ["often", "owner"])
def test_a_second_step_for_nobody_known_stops_the_start(tmp_path: Path, value: str) -> None:
    done = in_production(tmp_path, ["-c", "import mailinglist.settings"], SECOND_STEP=value)
    assert f"SECOND_STEP={value!r}: write nobody, owners or everybody." in done.stderr


def test_no_view_does_without_the_token_but_those_that_programs_post_to() -> None:
    found = {pattern.name for pattern in patterns(get_resolver().url_patterns) if exempt(pattern)}
    assert found == WITHOUT_TOKEN


@pytest.mark.django_db
@pytest.mark.no_cover
def test_every_other_address_refuses_a_post_without_the_token() -> None:
    values = cast()
    User.objects.create_superuser("root", password="x")
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.force_login(User.objects.get())
    told, listed, watch = [], set(), Watch()
    for name, path in dict(addresses(values)).items():
        if name in WITHOUT_TOKEN:
            listed.add(name)
        elif (status := strict.post(path, {"confirm": "1", "post": "yes"}).status_code) != 403:
            told.append((name, status))
    # What a form on somebody's own site sends is shown again, with a button and a token of ours.
    assert told == [("subscribe", 200)]
    assert listed == WITHOUT_TOKEN
    assert watch.changed() == set()


def patterns(resolver: Any) -> Iterator[URLPattern]:
    for pattern in resolver:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern.url_patterns)
        else:
            yield pattern


def exempt(pattern: URLPattern) -> bool:
    return bool(getattr(pattern.callback, "csrf_exempt", False))
