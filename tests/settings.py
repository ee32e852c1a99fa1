"""Settings of the tests: the product's own, with cheap passwords and an environment of their own."""

import os
import tempfile

# Made by the process that controls the run and passed to its workers; tests/conftest.py removes it.
if "MAILINGLIST_VAR" not in os.environ:
    os.environ["MAILINGLIST_VAR"] = tempfile.mkdtemp(prefix="mailinglist-tests-")
for _name in ("PUBLIC_URL", "MAILINGLIST_MODE", "DAY_SECONDS", "UNKNOWN_POLICY"):
    os.environ.pop(_name, None)
os.environ["MAILINGLIST_MODE"] = "local"
os.environ["SUPPRESSION_KEY"] = "ab" * 32
os.environ["SECRET_KEY"] = "only-for-the-tests-" + "x" * 40

from mailinglist.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
# Tests start an SES of their own where they need one.
LOCAL_SES_RUNS = True
# Tests fill in forms faster than people; those of the fill time set it themselves.
SIGNUP_MIN_SECONDS = 0
