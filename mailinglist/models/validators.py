"""Field validators shared by models and forms."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mailinglist import addresses, origins, signs


def one_line(value: str) -> None:
    """Refuse control characters and line separators: the value goes into mail headers."""
    if signs.first_control(value, one_line=True):
        raise ValidationError(_("Write this in one line, without control characters."))


def sender_address(value: str) -> None:
    """Refuse what SES cannot use as a sender or reply address."""
    try:
        addresses.normalise(value)
    except addresses.BadAddress as bad:
        raise ValidationError(str(bad)) from bad


def origin_lines(value: str) -> None:
    """Refuse a text with a line that is no origin of a web site (see origins.normalise)."""
    problems = []
    for line in filter(str.strip, value.splitlines()):
        try:
            origins.normalise(line)
        except origins.BadOrigin as bad:
            problems.append(str(bad))
    if problems:
        raise ValidationError(problems)
