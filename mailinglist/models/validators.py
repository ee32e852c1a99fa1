"""Field validators shared by models and forms."""

from django.core.exceptions import ValidationError

from mailinglist import addresses, signs


def one_line(value: str) -> None:
    """Refuse control characters and line separators: the value goes into mail headers."""
    if signs.first_control(value, one_line=True):
        raise ValidationError("Write this in one line, without control characters.")


def sender_address(value: str) -> None:
    """Refuse what SES cannot use as a sender or reply address."""
    try:
        addresses.normalise(value)
    except addresses.BadAddress as bad:
        raise ValidationError(str(bad)) from bad
