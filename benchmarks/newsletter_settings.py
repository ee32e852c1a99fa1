"""Settings of the processes that django-newsletter is measured in: the same database and SES, its applications, not ours.

Its tables are thus made where a measurement runs, and nowhere else.
"""

from mailinglist.settings import *  # noqa: F403

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sites",
    "sorl.thumbnail",  # its articles have pictures, and it needs one of two libraries for them
    "newsletter",
]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "newsletter.urls"
SITE_ID = 1
NEWSLETTER_THUMBNAIL = "sorl-thumbnail"
NEWSLETTER_USE_HTTPS = True
EMAIL_BACKEND = "django_ses.SESBackend"
