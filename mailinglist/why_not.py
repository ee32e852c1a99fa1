"""Why one address got a campaign, or did not: also for people who were never among its recipients. Read-only.

Called by the page that lists a campaign's recipients. Every answer is a sentence; nobody is left without one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mailinglist import addresses, suppression, words
from mailinglist.changes import Noun
from mailinglist.models import Campaign, Change, Delivery, Subscriber, Subscription, Suppression
from mailinglist.who_got_it import sentence

Status = Subscription.Status


@dataclass(frozen=True, slots=True)
class Answer:
    """``delivery`` where there is a mail for the person; ``sentences`` say what became of it, or why there is none."""

    address: str
    sentences: tuple[str, ...]
    subscriber: Subscriber | None = None
    delivery: Delivery | None = None


def of_address(campaign: Campaign, typed: str) -> Answer:
    """What a campaign was to an address as somebody typed it. Raises addresses.BadAddress for what is none."""
    normalised = addresses.normalise(typed)
    person = Subscriber.objects.filter(email_key=normalised.key).first()
    if person is None:
        return Answer(normalised.as_written, tuple(_of_nobody(normalised.key)))
    mail = (
        Delivery.objects.filter(campaign=campaign, subscriber=person)
        .select_related("engagement", "list", "subscriber")
        .first()
    )
    if mail:
        said = [f"{sentence(mail.state, mail.reason, mail.attempts)} It was sent for the list {mail.list}."]
        if mail.next_attempt_at:
            said.append(f"Next attempt: {mail.next_attempt_at:%d %b %Y %H:%M} UTC.")
        return Answer(person.email, tuple(said), person, mail)
    return Answer(person.email, tuple(_left_out(campaign, person)), person)


def _of_nobody(key: str) -> Iterator[str]:
    yield "Nobody with this address is known here."
    found = Suppression.objects.filter(key=suppression.key_for(key)).first()
    if found and found.reason == Suppression.Reason.ERASED:
        yield (
            f"The person was erased on {found.since:%d %b %Y}, at their wish. "
            "What they got before that is not known any more."
        )
    elif found and found.active:
        yield f"The address is suppressed since {found.since:%d %b %Y}: {found.get_reason_display()}."


def _left_out(campaign: Campaign, person: Subscriber) -> Iterator[str]:
    if campaign.started_at is None:
        yield "The campaign has not started, so nobody got it yet."
    lists = list(campaign.lists.order_by("pk"))
    rows = {row.list_id: row for row in Subscription.objects.filter(subscriber=person, list__in=lists)}
    if not rows:
        names = " and ".join(str(found) for found in lists)
        yield f"They are on none of its lists ({names})." if lists else "The campaign has no list."
    for found in lists:
        if found.pk in rows:
            yield _about(campaign, rows[found.pk], str(found))
    blocked = Suppression.objects.filter(key=person.suppression_key, released_at__isnull=True).first()
    if blocked:
        yield f"Besides, the address is suppressed since {blocked.since:%d %b %Y}: {blocked.get_reason_display()}."


def _about(campaign: Campaign, row: Subscription, name: str) -> str:
    """Where the person stood on one list when the campaign started; what the history says goes before the row."""
    start = campaign.started_at
    if start is None:
        return f"{name}: {row.get_status_display()}."
    at = f"{start:%d %b %Y %H:%M} UTC"
    if row.created_at > start:
        return f"{name}: they came on {row.created_at:%d %b %Y %H:%M} UTC, after the campaign had started ({at})."
    change = (
        Change.objects.filter(
            noun=Noun.SUBSCRIPTION, object_id=row.pk, at__lte=start, after__in=Status.values
        )
        .order_by("-at", "-pk")
        .first()
    )
    then = change.after if change else row.status
    if then == Status.CONFIRMED and row.confirmed_at and row.confirmed_at > start:
        then = Status.PENDING
    if then == Status.CONFIRMED and not change and row.unsubscribed_at and row.unsubscribed_at <= start:
        then = Status.UNSUBSCRIBED
    if then == Status.PENDING:
        return f"{name}: they had not confirmed their sign-up when the campaign started ({at})."
    if then == Status.UNSUBSCRIBED:
        left = change.at if change else row.unsubscribed_at
        why = f" ({words.reason(row.unsubscribe_reason)})" if row.unsubscribe_reason else ""
        on = f" on {left:%d %b %Y %H:%M} UTC" if left else ""
        return f"{name}: they had left{on}{why}, before the campaign started ({at})."
    return f"{name}: they were subscribed when the campaign started ({at}), and were not among the people it was for."
