"""System checks: what must not be started. Every message says what to do, in its hint.

Run by every manage.py command; E012, which asks the database, only by ``migrate`` and ``check --database``.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from mailinglist import addresses

_KEY_LENGTH = 50
_KEY_VARIETY = 5
_INSECURE_PREFIX = "django-insecure-"


@register(Tags.security)
def check_secret_key(**kwargs: Any) -> list[CheckMessage]:
    """E001: links in mails and sessions are signed with it."""
    if not _in_production():
        return []
    try:
        key = str(settings.SECRET_KEY)
    except ImproperlyConfigured:
        key = ""
    if len(key) >= _KEY_LENGTH and len(set(key)) >= _KEY_VARIETY and not key.startswith(_INSECURE_PREFIX):
        return []
    return [
        Error(
            "SECRET_KEY is missing, too short or a default." if key else "SECRET_KEY is missing.",
            hint=f"Set SECRET_KEY in the environment to {_KEY_LENGTH} or more random characters, for example "
            'from: python -c "import secrets; print(secrets.token_urlsafe(50))". '
            "Keep it: links in mails depend on it.",
            id="mailinglist.E001",
        )
    ]


@register(Tags.security)
def check_suppression_key(**kwargs: Any) -> list[CheckMessage]:
    """E002: the suppression list is unreadable without it, and every address on it would get mail again."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", settings.SUPPRESSION_KEY):
        return []
    return [
        Error(
            "SUPPRESSION_KEY is not 64 hexadecimal digits.",
            hint='Set SUPPRESSION_KEY in the environment, for example from: python -c "import secrets; '
            'print(secrets.token_hex(32))". Never change it later: the suppression list is stored under it.',
            id="mailinglist.E002",
        )
    ]


@register()
def check_addresses(**kwargs: Any) -> list[CheckMessage]:
    """E003, E005: where the links in mails lead. E004: tracebacks are for this machine only."""
    found: list[CheckMessage] = []
    url = urlsplit(settings.PUBLIC_URL)
    if _in_production() and (
        url.scheme != "https" or not url.hostname or url.path or url.query or url.fragment
    ):
        found.append(
            Error(
                f"PUBLIC_URL={settings.PUBLIC_URL!r} is not the https address of this site.",
                hint="Set PUBLIC_URL to scheme and host alone, such as https://lists.example.org. Every link "
                "in a mail is made from it, and mail programs post one-click unsubscribes to https only.",
                id="mailinglist.E003",
            )
        )
    if settings.DEBUG and not all(map(_is_local, [*settings.ALLOWED_HOSTS, url.hostname or ""])):
        found.append(
            Error(
                "DEBUG is on while this site answers to names other than this machine's own.",
                hint="Set DEBUG=0, or take PUBLIC_URL and ALLOWED_HOSTS away: debug pages show settings.",
                id="mailinglist.E004",
            )
        )
    if not _in_production() and not _is_local(url.hostname or ""):
        found.append(
            Error(
                f"MAILINGLIST_MODE=local, but PUBLIC_URL={settings.PUBLIC_URL!r} is not on this machine.",
                hint="Take MAILINGLIST_MODE away (or set it to production): local mode uses generated keys "
                "and believes the local SES.",
                id="mailinglist.E005",
            )
        )
    return found


@register()
def check_sending(**kwargs: Any) -> list[CheckMessage]:
    """E006: no mail twice. E007–E009, E013: nothing of the demo and the tests, and a sender, in production."""
    found: list[CheckMessage] = []
    retries = settings.AWS_SES_CONFIG.retries or {}
    if retries.get("total_max_attempts") != 1:
        found.append(
            Error(
                "AWS_SES_CONFIG lets boto3 repeat a request, so that a time-out can send a mail twice.",
                hint='Give its Config retries={"total_max_attempts": 1, "mode": "standard"}.',
                id="mailinglist.E006",
            )
        )
    if not _in_production():
        return found
    if settings.SES_ENDPOINT_URL:
        found.append(
            Error(
                f"SES_ENDPOINT_URL={settings.SES_ENDPOINT_URL!r} takes mails that Amazon SES should get.",
                hint="Take SES_ENDPOINT_URL away in production; AWS_SES_REGION_NAME chooses the region.",
                id="mailinglist.E007",
            )
        )
    if settings.DAY_SECONDS != 86400:
        found.append(
            Error(
                f"DAY_SECONDS={settings.DAY_SECONDS:g} makes days too short, so retries come too early.",
                hint="Take DAY_SECONDS away in production; it is for demonstrations.",
                id="mailinglist.E008",
            )
        )
    if not settings.DEFAULT_FROM_EMAIL:
        found.append(
            Error(
                "DEFAULT_FROM_EMAIL is missing, so this site's own mails would have no sender.",
                hint="Set DEFAULT_FROM_EMAIL to an address that is verified in Amazon SES.",
                id="mailinglist.E009",
            )
        )
    if settings.FAILPOINTS:
        found.append(
            Error(
                f"MAILINGLIST_FAILPOINTS={settings.FAILPOINTS!r} lets workers die on purpose.",
                hint="Take MAILINGLIST_FAILPOINTS away in production; it is for the fault tests.",
                id="mailinglist.E013",
            )
        )
    return found


@register()
def check_unsubscribe_mailto(**kwargs: Any) -> list[CheckMessage]:
    """E020: it stands in a header of every mail."""
    try:
        if settings.UNSUBSCRIBE_MAILTO:
            addresses.normalise(settings.UNSUBSCRIBE_MAILTO)
    except addresses.BadAddress as bad:
        return [
            Error(
                f"UNSUBSCRIBE_MAILTO={settings.UNSUBSCRIBE_MAILTO!r} is no address: {bad}",
                hint="Write the address alone, such as unsubscribe@lists.example.org, or take it away.",
                id="mailinglist.E020",
            )
        ]
    return []


@register()
def check_time_zone(**kwargs: Any) -> list[CheckMessage]:
    """E010: days of reports, leases and retries are counted in UTC."""
    if settings.USE_TZ and settings.TIME_ZONE == "UTC":
        return []
    return [
        Error(
            f"TIME_ZONE={settings.TIME_ZONE!r} with USE_TZ={settings.USE_TZ!r}: times would be ambiguous.",
            hint='Set TIME_ZONE="UTC" and USE_TZ=True in the settings.',
            id="mailinglist.E010",
        )
    ]


@register()
def check_database_engine(**kwargs: Any) -> list[CheckMessage]:
    """E011: other databases ignore SKIP LOCKED without an error, and mails would go out twice."""
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine == "django.db.backends.postgresql":
        return []
    return [
        Error(
            f"The database is {engine.rpartition('.')[2]}, not PostgreSQL.",
            hint="Set DATABASE_URL=postgres://user:password@host/name; empty: the embedded server.",
            id="mailinglist.E011",
        )
    ]


@register(Tags.database)
def check_durability(*, databases: Sequence[str] | None = None, **kwargs: Any) -> Iterable[CheckMessage]:
    """E012: a claim that is lost after its mail was posted means the mail twice."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        if connections[alias].vendor != "postgresql":
            continue
        with connections[alias].cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            value = cursor.fetchone()[0]
        if value == "off":
            found.append(
                Error(
                    f"synchronous_commit is off in the database {alias!r}: a crash can lose commits.",
                    hint="Set synchronous_commit = on in postgresql.conf, or by ALTER DATABASE or ROLE.",
                    id="mailinglist.E012",
                )
            )
    return found


def _in_production() -> bool:
    return bool(settings.MODE == "production")


def _is_local(host: str) -> bool:
    return host in settings.LOCAL_HOSTS
