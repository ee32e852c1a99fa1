"""Field validators shared by models and forms."""

import re

from django.core.exceptions import ValidationError

from mailinglist import addresses

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(value: str) -> None:
    """Refuse control characters and line separators: the value goes into mail headers."""
    if _CONTROLS.search(value):
        raise ValidationError("Write this in one line, without control characters.")


def sender_address(value: str) -> None:
    """Refuse what SES cannot use as a sender or reply address."""
    try:
        addresses.normalise(value)
    except addresses.BadAddress as bad:
        raise ValidationError(str(bad)) from bad
