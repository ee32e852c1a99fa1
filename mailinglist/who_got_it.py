"""Who is behind each number of a campaign, newest first, and why each of them got the mail or not. Read-only.

Called by the pages with a campaign's results and by the export of its recipients. A group is read by indexes, a page at a
time: campaigns have a million recipients.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

from django.db.models import F, Func, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce
from django.utils.text import capfirst

from mailinglist import campaign_counts, words
from mailinglist.models import Attempt, Delivery, Engagement, Subscription
from mailinglist.reports import BOUNCED

State, Who = Delivery.State, Engagement.Who
Rows = QuerySet[Delivery]


@dataclass(frozen=True, slots=True)
class Of:
    """Which campaign, and the reason code that narrows its groups. ``span``: first and last id."""

    campaign_id: int
    span: tuple[int, int]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """``rows`` gives tables that have no row in common, each of which an index holds in the order of the ids."""

    label: str
    meaning: str
    rows: Callable[[Of], list[Rows]]


def _states(*states: str) -> Callable[[Of], list[Rows]]:
    def rows(of: Of) -> list[Rows]:
        return [_mails(of).filter(state=state) for state in states]

    return rows


def _everybody(of: Of) -> list[Rows]:
    return [_mails(of).filter(pk__range=of.span)]


def _judged(*verdicts: str) -> Callable[[Of], list[Rows]]:
    def rows(of: Of) -> list[Rows]:
        judged = _attempts(of).filter(verdict__in=verdicts)
        if of.reason is not None:
            judged = judged.filter(reason=of.reason)
        return [Delivery.objects.filter(campaign_id=of.campaign_id, pk__in=judged.values("delivery_id"))]

    return rows


def _retried(of: Of) -> list[Rows]:
    came_back = _attempts(of).filter(verdict__in=BOUNCED)
    later = Attempt.objects.filter(delivery_id=OuterRef("delivery_id"), number__gt=OuterRef("number"))
    # Asked once per row: as a join it would read the attempts of all campaigns.
    again = came_back.alias(later=Subquery(later.values("number")[:1])).filter(later__isnull=False)
    return [_mails(of).filter(pk__in=again.values("delivery_id"))]


def _recovered(of: Of) -> list[Rows]:
    return [rows.filter(state=State.DELIVERED) for rows in _retried(of)]


def _engaged(**who: str) -> Callable[[Of], list[Rows]]:
    def rows(of: Of) -> list[Rows]:
        found = Engagement.objects.filter(campaign_id=of.campaign_id, **who)
        return [_mails(of).filter(pk__in=found.values("delivery_id"))]

    return rows


def _readers(of: Of) -> list[Rows]:
    found = Engagement.objects.filter(campaign_id=of.campaign_id).filter(
        Q(opened=Who.PERSON) | Q(clicked=Who.PERSON)
    )
    return [_mails(of).filter(pk__in=found.values("delivery_id"))]


def _left(of: Of) -> list[Rows]:
    left = Subscription.objects.filter(left_after_id=of.campaign_id)
    if of.reason is not None:
        left = left.filter(left_because=of.reason)
    return [
        Delivery.objects.filter(campaign_id=of.campaign_id, subscriber_id__in=left.values("subscriber_id"))
    ]


def _duplicates(of: Of) -> list[Rows]:
    accepted = Attempt.Result.ACCEPTED
    before = Attempt.objects.filter(
        delivery_id=OuterRef("delivery_id"), number__lt=OuterRef("number"), result=accepted
    )
    # Asked once per row: without an accepted copy before, "hard" stands for a bounce that explains this one.
    last = Coalesce(Subquery(before.order_by("-number").values("verdict")[:1]), Value("hard"))
    copies = _attempts(of).filter(number__gt=1, result=accepted, possible_duplicate=False).alias(last=last)
    copies = copies.exclude(last__in=BOUNCED)
    return [_mails(of).filter(pk__in=copies.values("delivery_id"))]


def _possible_duplicates(of: Of) -> list[Rows]:
    found = _attempts(of).filter(number__gt=1, possible_duplicate=True).exclude(result=Attempt.Result.REFUSED)
    return [_mails(of).filter(pk__in=found.values("delivery_id"))]


def _mails(of: Of) -> Rows:
    """The mails of the campaign with the reason that is asked for; verdicts and leavers have others."""
    rows = Delivery.objects.filter(campaign_id=of.campaign_id)
    return rows if of.reason is None else rows.filter(reason=of.reason)


def _attempts(of: Of) -> QuerySet[Attempt]:
    first, last = of.span
    return Attempt.objects.filter(delivery_id__gte=first, delivery_id__lte=last)


_MOVING = (State.QUEUED, State.SENDING, State.SENT, State.WAITING)
_WITHOUT = (State.BOUNCED, State.FAILED, State.SKIPPED, State.EXPIRED, State.CANCELLED)
#: Code → group. The codes stand in addresses.
GROUPS: dict[str, Group] = {
    "all": Group("Everybody", "Whom it went to, or was to go to.", _everybody),
    "got": Group("Got it", "The receiving server took the mail.", _states(State.DELIVERED, State.COMPLAINED)),
    "without": Group("Did not get it", "And will not any more; each row says why.", _states(*_WITHOUT)),
    "moving": Group("Under way", "Something is still to happen to these mails.", _states(*_MOVING)),
    "posted": Group(
        "Sent", "Amazon SES accepted the mail, whatever became of it then.", _states(*sorted(Delivery.POSTED))
    ),
    "came-back": Group(
        "Bounced, for good or for now",
        "It came back, waits for a retry, or was given up.",
        _states(State.BOUNCED, State.WAITING, State.EXPIRED),
    ),
    **{state.value: Group(capfirst(str(state.label)), "", _states(state.value)) for state in State},
    **{
        f"verdict-{verdict}": Group(
            capfirst(words.verdict(verdict)), words.VERDICT_MEANINGS.get(verdict, ""), _judged(verdict)
        )
        for verdict in (*BOUNCED, "complaint", "delivered")
    },
    "retried": Group("Sent again", "The mail went out again after it had bounced.", _retried),
    "recovered": Group(
        "Delivered by a retry", "The mail bounced, was sent again by itself, and arrived.", _recovered
    ),
    "opened": Group("Opened", "By a person, as far as can be told.", _engaged(opened=Who.PERSON)),
    "opened-unsure": Group(
        "Perhaps opened", "Nobody can tell whether by a person.", _engaged(opened=Who.UNSURE)
    ),
    "opened-machine": Group(
        "Opened by programs only", "Mail filters and such.", _engaged(opened=Who.MACHINE)
    ),
    "clicked": Group("Followed a link", "A person did, as far as can be told.", _engaged(clicked=Who.PERSON)),
    "clicked-unsure": Group(
        "Perhaps followed a link", "Nobody can tell whether a person did.", _engaged(clicked=Who.UNSURE)
    ),
    "clicked-machine": Group(
        "Links followed by programs only", "Mail filters and such.", _engaged(clicked=Who.MACHINE)
    ),
    "readers": Group("Opened or followed a link", "A person did one or the other.", _readers),
    "left": Group(
        "Left after it",
        "They left a list by themselves, and this was the last mail they had got from it.",
        _left,
    ),
    "duplicates": Group(
        "Duplicates", "SES accepted a second copy, and nothing explains why it was sent.", _duplicates
    ),
    "possible-duplicates": Group(
        "Possible duplicates",
        "SES never answered, so the mail was sent again knowingly: it may have arrived twice.",
        _possible_duplicates,
    ),
}


def tables(
    campaign_id: int,
    code: str,
    *,
    reason: str | None = None,
    link: int | None = None,
    domains: Sequence[str] = (),
) -> list[Rows]:
    """The rows of a group of GROUPS (KeyError for another code), as tables that have no row in common.

    ``reason``: only with this reason code ("" for none); of verdicts it is what came back, of ``left`` what they told.
    ``link``: only who followed the link with this number. ``domains``: only addresses at these.
    """
    of = Of(campaign_id, campaign_counts.span(campaign_id), reason)
    found = GROUPS[code].rows(of)
    if link is not None:
        followed = Engagement.objects.filter(
            campaign_id=campaign_id, clicked=Who.PERSON, links_person__contains=[link]
        )
        found = [rows.filter(pk__in=followed.values("delivery_id")) for rows in found]
    if not domains:
        return found
    domain = Func(
        F("subscriber__email_key"), Value("@"), Value(2), function="split_part", output_field=TextField()
    )
    return [rows.alias(domain=domain).filter(domain__in=domains) for rows in found]


def newest(found: Sequence[Rows], *, before: int | None, most: int) -> list[Delivery]:
    """The ``most`` newest of some tables, with numbers below ``before`` (None: from the newest of all on)."""
    parts = [
        (rows.filter(pk__lt=before) if before is not None else rows).order_by("-pk").values("pk")[:most]
        for rows in found
    ]
    ids = sorted((row["pk"] for part in _each(parts) for row in part), reverse=True)[:most]
    rows = Delivery.objects.filter(pk__in=ids).select_related("subscriber", "engagement", "list")
    return list(rows.order_by("-pk"))


def _each(parts: Sequence[QuerySet]) -> list[QuerySet]:
    """Several tables in one statement, each read to its own limit."""
    return list(parts) if len(parts) == 1 else [parts[0].union(*parts[1:], all=True)]


def together(found: Sequence[Rows]) -> Rows:
    """All of some tables as one, for a file."""
    return Delivery.objects.filter(reduce(Q.__or__, (Q(pk__in=rows.values("pk")) for rows in found)))


#: What the state says without its reason.
_SENTENCES = {
    State.QUEUED: "It waits for its turn to be sent.",
    State.SENDING: "It is being given to SES now.",
    State.SENT: "SES accepted it; the receiving server has not answered yet.",
    State.UNKNOWN: "It was given to SES, and no answer came: it may have arrived or not.",
    State.WAITING: "It bounced softly and is sent again by itself.",
    State.DELIVERED: "The receiving server took it.",
    State.BOUNCED: "It came back and is not tried again.",
    State.COMPLAINED: "It arrived, and the person reported it as spam.",
    State.FAILED: "SES did not take it for this person.",
    State.SKIPPED: "It was not sent.",
    State.EXPIRED: "It bounced softly until the campaign's time for retries had ended.",
    State.CANCELLED: "The campaign was cancelled before it was sent.",
}


def sentence(state: str, reason: str, attempts: int) -> str:
    """What became of one person's mail and why, for people. ``reason``: the delivery's code."""
    said = _SENTENCES[State(state)]
    why = words.reason(reason)
    if state == State.DELIVERED:
        return f"{said[:-1]}, at the {_ordinal(attempts)} attempt." if attempts > 1 else said
    if why and state not in (State.CANCELLED, State.COMPLAINED):
        said = f"{said[:-1]}: {why}."
    if attempts and state in (State.SKIPPED, State.CANCELLED):
        times = "once" if attempts == 1 else f"{attempts} times"
        said = said.replace("sent", "sent again", 1) + f" It had been given to SES {times}."
    return said


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
