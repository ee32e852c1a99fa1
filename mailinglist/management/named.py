"""What the arguments of commands name. What is not there is a wrong argument: status 2."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from mailinglist.models import Campaign


def campaign(number: int) -> Campaign:
    """The campaign of that number. Raises CommandError (status 2)."""
    found = Campaign.objects.filter(pk=number).first()
    if found is None:
        raise CommandError(f"There is no campaign {number}.", returncode=2)
    return found


def manager(name: str) -> Any:
    """The user of that name. Raises CommandError (status 2)."""
    found = get_user_model()._default_manager.filter(username=name).first()
    if found is None:
        raise CommandError(f"There is no manager {name}.", returncode=2)
    return found
