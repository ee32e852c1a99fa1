"""A command that is asked about what is not there ends as with any other wrong argument."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "argument", "words"),
    [
        ("campaign_report", "99999999999999999999", "There is no campaign 99999999999999999999."),
        ("send_campaign", "0", "There is no campaign 0."),
        ("send_campaign", "99999999999999999999", "There is no campaign 99999999999999999999."),
        ("export_subscribers", "nwes", "There is no list “nwes”."),
        ("reset_second_step", "bob", "There is no manager bob."),
        ("unlock_login", "bob", "There is no manager bob."),
        ("erase_subscriber", "nobody@post.example", "Nobody with this address is known here."),
    ],
)
def test_what_is_not_there_is_told_and_ends_with_status_two(name: str, argument: str, words: str) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command(name, argument, stdout=StringIO())
    assert str(refusal.value).startswith(words) and refusal.value.returncode == 2
