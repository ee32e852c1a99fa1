"""Reading the environment; a running script/start stands in for what is not set. Called by settings.py alone."""

import os

from django.core.exceptions import ImproperlyConfigured

from script import embedded, runtime

_RUNNING: dict[str, str] = runtime.read(embedded.var_dir()).get("environment", {})


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, _RUNNING.get(name, default)).strip()


def env_bool(name: str, default: bool) -> bool:
    value = env(name).lower()
    if value in ("", None):
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither true nor false; write 1 or 0.")


def env_number(name: str, default: float, *, low: float, high: float) -> float:
    value = env(name)
    try:
        number = float(value) if value else float(default)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a number.") from None
    if not low <= number <= high:
        raise ImproperlyConfigured(f"{name}={value} is outside {low:g} to {high:g}.")
    return number


def env_list(name: str, default: str = "") -> list[str]:
    return [part for part in env(name, default).replace(",", " ").split() if part]
