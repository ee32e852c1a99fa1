"""django-newsletter's own submit. Runs in children of ``newsletter_settings``, after ``django.setup``.

It is used as it comes: its templates, its ``Submission.from_message`` and ``submit``. For each mail that makes a new
backend of django-ses, with a new client, as the naive loop does, and asks the database three times: for the attachments,
and once for the articles of the text and of the HTML. It writes twice for a whole submission, when it begins and when it
ends, and nothing about a mail; an error of a mail is logged, and the submission counts as sent all the same.
"""

from collections.abc import Callable

from django.contrib.sites.models import Site
from django.core.management import call_command
from django.db import connection
from django_ses import signals
from newsletter.models import Article, Message, Newsletter, Submission

_SUBSCRIBED = """
    INSERT INTO newsletter_subscription (newsletter_id, name, email, activation_code, create_date,
                                         subscribed, subscribe_date, unsubscribed)
    SELECT %(newsletter)s, 'Ada Number ' || i, 'person' || i || '@' || %(slug)s || '.example', md5(i::text), now(),
           true, now(), false
    FROM generate_series(1, %(n)s) i"""


def make(n: int, subject: str, html: str) -> int:
    """A newsletter with ``n`` subscribers, and a message of one article, which is ``html``; the message's id.

    Makes the tables where they are missing.
    """
    call_command("migrate", verbosity=0)
    slug = f"bench-{n}"
    newsletter = Newsletter.objects.create(
        title="The week", slug=slug, sender="City Library", email="news@library.example"
    )
    newsletter.site.add(Site.objects.get_current())
    message = Message.objects.create(title=subject, slug="week-47", newsletter=newsletter)
    Article.objects.create(post=message, title="The news of the week", text=html)
    with connection.cursor() as cursor:
        cursor.execute(_SUBSCRIBED, {"newsletter": newsletter.pk, "slug": slug, "n": n})
        cursor.execute("ANALYZE")
    return message.pk


def submission(message_id: int) -> Callable[[], int]:
    """A new submission to all subscribers of the message. What is returned submits it: how many mails SES took."""
    made = Submission.from_message(Message.objects.get(pk=message_id))
    taken: list[None] = []

    def count(**_: object) -> None:
        taken.append(None)

    def submit() -> int:
        Submission.objects.get(pk=made.pk).submit()
        return len(taken)

    signals.message_sent.connect(count, weak=False)
    return submit
