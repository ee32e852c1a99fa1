"""Composition root: all settings, from the environment, with defaults for a first local start.

Two modes. ``local`` (no ``PUBLIC_URL``, or one on this machine): embedded servers, the local SES of
``sandbox/``, generated keys under ``var/``; answers to this machine's own names only. ``production``: every
missing or unsafe value stops the start with a sentence (``mailinglist/checks.py``, ``bounces/checks.py``).
docs/operations.md explains each setting.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue

from mailinglist import aws_config, catalogues
from mailinglist.env import env, env_bool, env_list, env_number
from mailinglist.login_settings import *  # noqa: F403
from mailinglist.navigation import UNFOLD as UNFOLD
from script import embedded, runtime

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = embedded.var_dir()
# Of the script/start that runs here: its addresses, and how long its days are.
RUNTIME: dict[str, Any] = runtime.read(VAR_DIR)

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]", "::1")

# --- Mode and addresses -------------------------------------------------------------------------------
PUBLIC_URL = env("PUBLIC_URL").rstrip("/")
MODE = env("MAILINGLIST_MODE") or (
    "production" if PUBLIC_URL and urlsplit(PUBLIC_URL).hostname not in LOCAL_HOSTS else "local"
)
if MODE not in ("local", "production"):
    raise ImproperlyConfigured(f"MAILINGLIST_MODE={MODE!r}: write local or production.")
LOCAL = MODE == "local"
if LOCAL and not PUBLIC_URL:
    PUBLIC_URL = RUNTIME.get("public_url") or "http://127.0.0.1:8000"
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or ""
# Whoever sends "Authorization: Bearer <this>" may read /metrics from elsewhere; empty: this machine only. A proxy on
# this machine has to pass X-Forwarded-For on, or its visitors look like this machine.
METRICS_TOKEN = env("METRICS_TOKEN")
DEBUG = env_bool("DEBUG", False)
ALLOWED_HOSTS = [*LOCAL_HOSTS, *({PUBLIC_HOST} - {""}), *env_list("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("https://") else []

# --- Secrets ------------------------------------------------------------------------------------------
_generated = embedded.local_settings(VAR_DIR) if LOCAL else {}
SECRET_KEY = env("SECRET_KEY") or _generated.get("SECRET_KEY", "")
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")
# Addresses on the suppression list are stored as HMAC-SHA256 under this key (hex), which outlives SECRET_KEY.
SUPPRESSION_KEY = env("SUPPRESSION_KEY") or _generated.get("SUPPRESSION_KEY", "")

# --- Database and broker ------------------------------------------------------------------------------
DATABASE_URL = env("DATABASE_URL") or embedded.database_url(VAR_DIR)
try:
    DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
except ValueError:
    DATABASES = {"default": {}}
if DATABASES["default"].get("ENGINE") != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL names no PostgreSQL; write postgres://user:password@host/name.")
# Where PostgreSQL does not even refuse, a worker that is asked to end must not wait for minutes.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = env("CELERY_BROKER_URL") or embedded.broker_url(VAR_DIR)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# A broker that is away must not hold up a sign-up, so a message is tried once; the sweep finds the work.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "retry_on_timeout": True,
    "max_retries": 0,
}
CELERY_TIMEZONE = "UTC"
# What comes back waits in a queue of its own, so that a wave of bounces holds up no campaign, nor the other way round.
# A worker without -Q serves both.
CELERY_TASK_QUEUES = [Queue("celery"), Queue("bounces")]
# An import computes for a minute; it had better slow down what comes back than what goes out.
CELERY_TASK_ROUTES = {
    "bounces.tasks.*": {"queue": "bounces"},
    "mailinglist.tasks.run_import": {"queue": "bounces"},
}
# Seconds between two looks of the sweepers into PostgreSQL: what a lost message may cost in time.
SWEEP_SECONDS = env_number("SWEEP_SECONDS", 10, low=1, high=600)
# Seconds between two looks at the bounces per provider, for incidents.
WATCH_SECONDS = env_number("WATCH_SECONDS", 60, low=1, high=3600)
# A sweep that nobody took is dropped after an hour, not earlier: the scheduler writes the time down by its own clock, and
# a worker whose clock is minutes ahead would otherwise drop every one.
_STALE = {"expires": 3600}
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep-sending": {
        "task": "mailinglist.tasks.sweep",
        "schedule": SWEEP_SECONDS,
        "options": _STALE,
    },
    "sweep-bounces": {
        "task": "bounces.tasks.sweep",
        "schedule": SWEEP_SECONDS,
        "options": _STALE,
    },
    "watch-providers": {
        "task": "bounces.tasks.watch_providers",
        "schedule": WATCH_SECONDS,
        "options": _STALE,
    },
    "sync-suppressions": {
        "task": "bounces.tasks.sync_suppressions",
        "schedule": timedelta(minutes=10),
        "options": _STALE,
    },
    "count-campaigns": {
        "task": "mailinglist.tasks.count_campaigns",
        "schedule": timedelta(seconds=10),
        "options": _STALE,
    },
    "count-courses": {
        "task": "bounces.tasks.count_courses",
        "schedule": timedelta(seconds=30),
        "options": _STALE,
    },
    "count-lists": {
        "task": "mailinglist.tasks.count_lists",
        "schedule": timedelta(minutes=5),
        "options": _STALE,
    },
    "nightly": {
        "task": "mailinglist.tasks.nightly",
        "schedule": timedelta(days=1),
        "options": _STALE,
    },
    "nightly-cleanup": {
        "task": "bounces.tasks.nightly_cleanup",
        "schedule": timedelta(days=1),
        "options": _STALE,
    },
}
if env("BOUNCE_IMAP_URL"):
    CELERY_BEAT_SCHEDULE["read-bounce-mailbox"] = {
        "task": "bounces.tasks.read_mailbox",
        "schedule": timedelta(minutes=5),
        "options": _STALE,
    }

# --- Amazon SES, through django-ses -------------------------------------------------------------------
AWS_SES_REGION_NAME = (
    env("AWS_SES_REGION_NAME") or env("AWS_DEFAULT_REGION") or env("AWS_REGION", "us-east-1")
)
AWS_ACCESS_KEY_ID = env("AWS_ACCESS_KEY_ID") or None
AWS_SECRET_ACCESS_KEY = env("AWS_SECRET_ACCESS_KEY") or None
AWS_SESSION_TOKEN = env("AWS_SESSION_TOKEN") or None
USE_SES_V2 = True
AWS_SES_AUTO_THROTTLE = None  # pacing is shared by all processes, in PostgreSQL
# boto3 posts the same mail three times on a time-out; SES has no idempotency, so one attempt is one POST.
AWS_SES_CONFIG = aws_config.config(attempts=1, connect=5, read=20)
_sandbox_url = f"http://127.0.0.1:{RUNTIME.get('sandbox_port', 8025)}"
SES_ENDPOINT_URL = env("SES_ENDPOINT_URL") or (_sandbox_url if LOCAL else "")
# Without either, whoever listens there belongs to another installation.
LOCAL_SES_RUNS = bool(env("SES_ENDPOINT_URL") or RUNTIME.get("sandbox_port"))
SNS_ENDPOINT_URL = env("SNS_ENDPOINT_URL") or (SES_ENDPOINT_URL if LOCAL else "")
if SES_ENDPOINT_URL:
    AWS_SES_REGION_ENDPOINT_URL = SES_ENDPOINT_URL
if LOCAL and not AWS_ACCESS_KEY_ID:
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY = "local", "local"
SES_CONFIGURATION_SET = env("SES_CONFIGURATION_SET") or ("mailinglist" if LOCAL else "")
# For mails that must not be tracked: the same destination of events without the types OPEN and CLICK.
SES_UNTRACKED_CONFIGURATION_SET = env("SES_UNTRACKED_CONFIGURATION_SET")

# --- SNS: who may tell us about bounces ---------------------------------------------------------------
LOCAL_TOPIC_ARN = "arn:aws:sns:us-east-1:000000000000:mailinglist-local"
SNS_TOPIC_ARNS = env_list("SNS_TOPIC_ARNS") or ([LOCAL_TOPIC_ARN] if LOCAL else [])
SNS_REQUIRE_V2 = env_bool("SNS_REQUIRE_V2", False)
# A queue that is subscribed to those topics; `manage.py poll_sqs` reads it. Empty: the webhook alone.
SQS_QUEUE_URL = env("SQS_QUEUE_URL")
SQS_ENDPOINT_URL = env("SQS_ENDPOINT_URL")
# Long polling waits 20 s for an answer. Reading and deleting may be repeated, unlike sending.
AWS_SQS_CONFIG = aws_config.config(attempts=3, connect=5, read=30)
# The two below make the webhook trust another signer than Amazon: local mode only.
SNS_CERT_ORIGIN = env("SNS_CERT_ORIGIN") or (SES_ENDPOINT_URL if LOCAL else "")
SNS_TRUST_ANCHOR = env("SNS_TRUST_ANCHOR") or (str(VAR_DIR / "sandbox" / "ca.pem") if LOCAL else "")

# --- Sending ------------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL") or ("lists@example.com" if LOCAL else "")
# Most deliveries in hand per run of the engine: half of them claimed or done, the others open at SES. A crash leaves at
# most so many in doubt.
SEND_CONCURRENCY = int(env_number("SEND_CONCURRENCY", 800, low=1, high=2000))
# raw: django-ses, one recipient per call. bulk: SendBulkEmail, 50 recipients per call, for campaigns.
SEND_TRANSPORT = env("SEND_TRANSPORT", "raw")
if SEND_TRANSPORT not in ("raw", "bulk"):
    raise ImproperlyConfigured(f"SEND_TRANSPORT={SEND_TRANSPORT!r}: write raw or bulk.")
LEASE_SECONDS = env_number("LEASE_SECONDS", 120, low=35, high=3600)
# What to do with a delivery that was posted, has no answer and is not explained by any event after the grace
# time: hold (show it to the manager) or resend (a possible duplicate, counted as such).
UNKNOWN_POLICY = env("UNKNOWN_POLICY", "hold")
if UNKNOWN_POLICY not in ("hold", "resend"):
    raise ImproperlyConfigured(f"UNKNOWN_POLICY={UNKNOWN_POLICY!r}: write hold or resend.")
UNKNOWN_GRACE_SECONDS = env_number("UNKNOWN_GRACE_SECONDS", 900, low=1, high=86400)
# Where the fault tests let a process die (mailinglist/sending/failpoints.py); refused in production.
FAILPOINTS = env("MAILINGLIST_FAILPOINTS")

# The reputation guard: shares of mails at which sending is slowed and paused, by Amazon SES's own way of counting.
GUARD_BOUNCE_SLOW = env_number("GUARD_BOUNCE_SLOW", 0.02, low=0.0001, high=1)
GUARD_BOUNCE_PAUSE = env_number("GUARD_BOUNCE_PAUSE", 0.04, low=0.0001, high=1)
GUARD_COMPLAINT_SLOW = env_number("GUARD_COMPLAINT_SLOW", 0.0005, low=0.00001, high=1)
GUARD_COMPLAINT_PAUSE = env_number("GUARD_COMPLAINT_PAUSE", 0.0008, low=0.00001, high=1)
if GUARD_BOUNCE_SLOW > GUARD_BOUNCE_PAUSE or GUARD_COMPLAINT_SLOW > GUARD_COMPLAINT_PAUSE:
    raise ImproperlyConfigured(
        "GUARD_…_SLOW is above GUARD_…_PAUSE: a campaign would pause before it is slowed."
    )
# Fewer accepted mails than this say nothing; the account is judged by its mails of so many hours.
GUARD_MIN_RECIPIENTS = int(env_number("GUARD_MIN_RECIPIENTS", 50, low=1, high=1_000_000))
GUARD_WINDOW_HOURS = env_number("GUARD_WINDOW_HOURS", 24, low=1, high=720)

# --- Bounces ------------------------------------------------------------------------------------------
# The length of a day for retries, holds and windows. The demo makes it seconds; production keeps 86400.
DAY_SECONDS = env_number("DAY_SECONDS", 86400, low=0.1, high=86400)
RETRY_WINDOW_DAYS = env_number("RETRY_WINDOW_DAYS", 10, low=0, high=60)
RAW_RETENTION_DAYS = env_number("RAW_RETENTION_DAYS", 90, low=1, high=3650)
# Seconds between two calls of SES's suppression list, which allows one a second to all programs of the account.
SUPPRESSION_SYNC_PAUSE = env_number("SUPPRESSION_SYNC_PAUSE", 1, low=0, high=60)
# The mailbox that mailed bounces come to: imaps://user:password@host/INBOX, with %40 for @ in the user's name.
BOUNCE_IMAP_URL = env("BOUNCE_IMAP_URL")
# The folder that mails are moved to when they are stored; empty: they are marked as read and stay.
BOUNCE_IMAP_DONE = env("BOUNCE_IMAP_DONE")
UNSUBSCRIBE_MAILTO = env("UNSUBSCRIBE_MAILTO")  # for List-Unsubscribe; its mails must come to the bounces
HONEYPOT_LINK = env_bool("HONEYPOT_LINK", True)  # a link in campaigns that only programs follow
CONFIRM_TOKEN_DAYS = env_number("CONFIRM_TOKEN_DAYS", 7, low=1, high=60)

# --- Privacy ------------------------------------------------------------------------------------------
# Days after which a sign-up that was not confirmed is reminded of, once; 0: never.
REMIND_AFTER_DAYS = env_number("REMIND_AFTER_DAYS", 3, low=0, high=60)
# How many days after somebody left a list the IP address and browser of their consent are kept.
CONSENT_RETENTION_DAYS = env_number("CONSENT_RETENTION_DAYS", 365, low=0, high=3650)
# How many days the IP address and program of an open or click are kept; that it happened stays.
TRACKING_RETENTION_DAYS = env_number("TRACKING_RETENTION_DAYS", 90, low=0, high=3650)

# --- Imports in the browser -----------------------------------------------------------------------------
# The largest file that is taken, in MB.
IMPORT_MAX_MB = env_number("IMPORT_MAX_MB", 200, low=1, high=10_000)
# Days for which an import can be undone, refused rows can be downloaded, and an uploaded file waits to be imported.
IMPORT_KEEP_DAYS = env_number("IMPORT_KEEP_DAYS", 30, low=1, high=365)

# --- Sign-up: what one address, network, domain and form may ask for (mailinglist/gate.py) ---------------
# Hours between two confirmation mails to an address that answers none, and how many of those it ever gets.
SIGNUP_ADDRESS_HOURS = env_number("SIGNUP_ADDRESS_HOURS", 24, low=0, high=8760)
SIGNUP_ADDRESS_UNANSWERED = int(env_number("SIGNUP_ADDRESS_UNANSWERED", 3, low=1, high=1000))
# Sign-ups an hour: from one network (/24 of IPv4, /64 of IPv6); for one recipient domain, of which a large mailbox
# provider gets ten times as many; on one form.
SIGNUP_PER_NETWORK = int(env_number("SIGNUP_PER_NETWORK", 10, low=1, high=1_000_000))
SIGNUP_PER_DOMAIN = int(env_number("SIGNUP_PER_DOMAIN", 30, low=1, high=1_000_000))
SIGNUP_PER_FORM = int(env_number("SIGNUP_PER_FORM", 300, low=1, high=1_000_000))
# From so many an hour on, a form asks for a captcha; from so many on it closes, for so many minutes.
SIGNUP_CAPTCHA_FROM = int(env_number("SIGNUP_CAPTCHA_FROM", 60, low=0, high=1_000_000))
SIGNUP_CLOSE_FROM = int(env_number("SIGNUP_CLOSE_FROM", 1000, low=1, high=1_000_000))
SIGNUP_CLOSED_MINUTES = env_number("SIGNUP_CLOSED_MINUTES", 30, low=1, high=1440)
if not SIGNUP_CAPTCHA_FROM <= SIGNUP_PER_FORM <= SIGNUP_CLOSE_FROM:
    raise ImproperlyConfigured("Write SIGNUP_CAPTCHA_FROM ≤ SIGNUP_PER_FORM ≤ SIGNUP_CLOSE_FROM.")
# Who sends the form faster than this, in seconds, is asked to press the button again. 0: nobody is.
SIGNUP_MIN_SECONDS = env_number("SIGNUP_MIN_SECONDS", 2, low=0, high=60)
# Domains of throw-away mailboxes that are refused, besides mailinglist/data/disposable_domains.txt.
DISPOSABLE_DOMAINS = env_list("DISPOSABLE_DOMAINS")
# Whether the DNS is asked if the domain takes mail; and which server, as host:port. Empty: the system's own.
SIGNUP_CHECK_MX = env_bool("SIGNUP_CHECK_MX", not LOCAL)
SIGNUP_DNS_SERVER = env("SIGNUP_DNS_SERVER")

# --- Django -------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    # Before ours, which takes their pages off the admin.
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "mailinglist.apps.MailinglistConfig",
    "bounces.apps.BouncesConfig",
    "axes",
    "unfold.apps.BasicAppConfig",
    "mailinglist.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "mailinglist.middleware.PublicHeaders",
    "mailinglist.middleware.TakeChunked",
    "mailinglist.middleware.PublicLanguage",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "mailinglist.middleware.RefuseNul",
    "allauth.account.middleware.AccountMiddleware",
    "mailinglist.second_step_gate.SecondStepGate",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "mailinglist.urls"
WSGI_APPLICATION = "mailinglist.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
LOGIN_REDIRECT_URL = "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Of the staff pages, and where nothing else is known (mailinglist/languages.py).
LANGUAGE_CODE = catalogues.SOURCE
# Catalogues of this installation's own: more languages, or other words in a language of ours.
LOCALE_PATHS = [Path(folder) for folder in env_list("LOCALE_DIR")]
# What the public pages and mails speak: all that there is a catalogue of, or some of them.
LANGUAGES = catalogues.offered([catalogues.OURS, *LOCALE_PATHS], env_list("LANGUAGES"))
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_HANDLERS = [
    "mailinglist.uploads.SizeLimit",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
# A form on another site cannot carry our cookie: its visitors land on our form, filled in.
CSRF_FAILURE_VIEW = "mailinglist.views.landing.csrf_failure"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Browsers then ask for this host by https only. Its subdomains, and lists that browsers ship, are not ours to decide.
HSTS_SECONDS = int(env_number("HSTS_SECONDS", 31_536_000, low=0, high=63_072_000))
SECURE_HSTS_SECONDS = 0 if LOCAL else HSTS_SECONDS
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# A proxy in front that sets X-Forwarded-Proto itself; without one the header must not be believed.
if env_bool("BEHIND_TLS_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # Only where the header tells which requests came by https; else each answer would be the same redirect.
    SECURE_SSL_REDIRECT = not LOCAL
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]

LOG_LEVEL = env("LOG_LEVEL", "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "mailinglist.log_lines.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "mailinglist": {"level": LOG_LEVEL},
        "bounces": {"level": LOG_LEVEL},
        "celery": {"level": "WARNING"},
        # Named, so that they lose the handlers that Django gives them, which would write addresses whole.
        "django": {"level": "INFO"},
        "django.server": {"level": "INFO", "propagate": True},
    },
}

# --- The admin: times; its navigation is in navigation.py ------------------------------------------------
FORMAT_MODULE_PATH = ["mailinglist.formats"]
