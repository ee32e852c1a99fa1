"""System checks of the webhook: whom it believes. Every message says what to do, in its hint."""

import re
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

#: arn:aws:sns:region:account:name, in any AWS partition.
_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")


@register()
def check_topics(**kwargs: Any) -> list[CheckMessage]:
    """E001: without a topic every notification is refused, and no bounce is ever seen."""
    wrong = [arn for arn in settings.SNS_TOPIC_ARNS if not _TOPIC_ARN.fullmatch(arn)]
    if settings.SNS_TOPIC_ARNS and not wrong:
        return []
    return [
        Error(
            f"SNS_TOPIC_ARNS has {wrong[0]!r}, which is no topic." if wrong else "SNS_TOPIC_ARNS is empty.",
            hint="Set SNS_TOPIC_ARNS to the topics that your SES configuration set publishes to, such as "
            "arn:aws:sns:eu-central-1:123456789012:ses-events. All other topics are refused.",
            id="bounces.E001",
        )
    ]


@register()
def check_trust(**kwargs: Any) -> list[CheckMessage]:
    """E002: in production only Amazon's own certificates sign notifications."""
    if settings.MODE != "production":
        return []
    return [
        Error(
            f"{name} is set, so that the webhook would believe another signer than Amazon.",
            hint=f"Take {name} away in production; it is for the local SES.",
            id="bounces.E002",
        )
        for name in ("SNS_CERT_ORIGIN", "SNS_TRUST_ANCHOR")
        if getattr(settings, name)
    ]
