"""Composition root: how managers log in. Part of settings.py, which takes all names over."""

from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured

from mailinglist.env import env, env_number

# What each manager may do comes from their roles; a lock comes before any look at a password.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "mailinglist.access.RoleBackend"]
# So many wrong passwords for one name from one address, then a pause of so many minutes, which a try does not prolong;
# and four times as many within an hour for one name, or from one address (login_limits.py).
LOGIN_FAILURES = int(env_number("LOGIN_FAILURES", 5, low=1, high=1000))
LOGIN_LOCK_MINUTES = env_number("LOGIN_LOCK_MINUTES", 15, low=0.1, high=1440)
AXES_FAILURE_LIMIT = LOGIN_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=LOGIN_LOCK_MINUTES)
AXES_HANDLER = "mailinglist.login_limits.Handler"
AXES_ENABLE_ACCESS_FAILURE_LOG = True
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "mailinglist.login_limits.counted_name"
AXES_CLIENT_IP_CALLABLE = "mailinglist.logins.address"
AXES_LOCKOUT_CALLABLE = "mailinglist.logins.locked"
# Logins stand in the history of changes, under Managers; axes keeps the counters only.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
# Of what was posted with a wrong one, axes keeps all fields but these: passwords also of the page for a new one.
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "password", "code"]
AXES_SENSITIVE_PARAMETERS += ["old_password", "new_password1", "new_password2"]
# Who must use a second step (a code from a phone) to log in: nobody, owners or everybody. Whoever wants to always may.
SECOND_STEP = env("SECOND_STEP", "nobody")
if SECOND_STEP not in ("nobody", "owners", "everybody"):
    raise ImproperlyConfigured(f"SECOND_STEP={SECOND_STEP!r}: write nobody, owners or everybody.")
MFA_ADAPTER = "mailinglist.second_step_secrets.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Mailinglist"
# A code of the half minute before or after counts too: clocks differ, and people type slowly.
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_DIGITS = 10
