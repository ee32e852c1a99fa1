"""How botocore calls AWS, for the settings: made when it is asked for.

Botocore is slow to import, and most processes never call AWS.
"""

from typing import Any

from django.utils.functional import SimpleLazyObject


def config(*, attempts: int, connect: int, read: int) -> Any:
    """A botocore.config.Config: tries per call, and time-outs in seconds."""

    def make() -> Any:
        from botocore.config import Config

        retries = {"total_max_attempts": attempts, "mode": "standard"}
        return Config(retries=retries, connect_timeout=connect, read_timeout=read)

    return SimpleLazyObject(make)
