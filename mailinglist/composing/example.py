"""A mail that shows a template: an example of everything that Markdown makes, to an example person of an example list.

Called by the admin's preview of a template. Nothing here is stored.
"""

from dataclasses import dataclass

from django.conf import settings

from mailinglist.composing import body, design
from mailinglist.models import MailingList, Subscriber
from mailinglist.sending import messages

_TEXT = """\
# The first heading

Hello {{ name|default:"friend" }}, this is how a mail looks. It has **bold** and *slanted* words and
[a link](https://example.com/).

## What is in it

- a list
- with a second line that is so long that it does not fit on a phone and has to go on below

> Somebody said something worth keeping.

| Day | What |
|---|---|
| Monday | Beans |
| Tuesday | Sunflowers |

---

See you next week!
"""


@dataclass(slots=True)
class _Written:
    template: design.Design
    subject: str = "News from the garden"
    preheader: str = ""
    body_format: str = "markdown"
    body: str = _TEXT


def mail(template: design.Design) -> messages.Filled:
    """The example in this template. Raises body.CannotCompile."""
    mailing_list = MailingList(
        name="The Garden Letter", from_name="The Garden Letter", postal_address="1 Bean Row, Greentown"
    )
    compiled = body.compile(_Written(template))
    parsed = messages.parse(subject=compiled.subject, html=compiled.html, text=compiled.text)
    harmless = {
        "unsubscribe_url": f"{settings.PUBLIC_URL}/unsubscribe/preview",
        "preferences_url": f"{settings.PUBLIC_URL}/preferences/preview",
    }
    person = Subscriber(email="anna@example.com", name="Anna Example")
    return parsed.fill(messages.values_for(person, mailing_list) | harmless)
