"""Who is believed, by the present settings: the verifier of SNS messages that the webhook and the queue share."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from bounces import sns


def verifier() -> "sns.Verifier":
    """The verifier for the present settings; its certificate cache lives as long as the process."""
    return _verifier(
        frozenset(settings.SNS_TOPIC_ARNS),
        settings.SNS_CERT_ORIGIN,
        settings.SNS_TRUST_ANCHOR,
        settings.SNS_REQUIRE_V2,
    )


@lru_cache(maxsize=4)
def _verifier(topics: frozenset[str], origin: str, anchor: str, require_v2: bool) -> "sns.Verifier":
    from bounces import sns

    return sns.Verifier(
        topics,
        cert_origin=origin or None,
        trust_anchor_pem=Path(anchor).read_bytes() if anchor else None,
        require_v2=require_v2,
    )
