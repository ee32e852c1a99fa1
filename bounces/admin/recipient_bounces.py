"""What a manager may do about the bounces of one person: not believe one, believe it now, take all back, try now.

Part of the recipient page, which names its addresses. A GET asks, a POST with a reason does it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404

from bounces import incidents, retries, timeline, undo
from bounces.models import Event
from mailinglist import access
from mailinglist.models import Delivery, Subscriber, Subscription, Suppression
from mailinglist.sending import queue
from mailinglist.staff import ReasonForm, actor, ask, found, recipient_url, require

CHANGE = ("mailinglist.view_subscriber", "mailinglist.change_subscriber")
#: So many held bounces are shown, the newest first.
SHOWN = 5


def context(
    subscriber: Subscriber,
    subscriptions: Iterable[Subscription],
    row: Suppression | None,
    lists: access.Lists | None,
) -> dict[str, Any]:
    """What the page shows about open bounces, and about mails that SES swallowed; ``row``: released or not.

    ``lists``: only of mails of these.
    """
    events = Event.objects.filter(subscriber=subscriber)
    if lists is not None:
        events = events.filter(delivery__list_id__in=lists)
    held = events.filter(verdict__in=("hard", "soft"), applied_at__isnull=True).exclude(effect="")
    swallowed = events.filter(verdict="suppressed").aggregate(count=Count("pk"), last=Max("occurred_at"))
    return {
        "held": held.select_related("delivery__campaign").order_by("-occurred_at")[:SHOWN],
        "swallowed": swallowed,
        "can_take_back": any(found.unsubscribe_reason in undo.REASONS for found in subscriptions)
        or bool(row and row.active and row.reason in undo.BLOCKS),
        "told_ses": row.at_ses if row else "",
    }


def take_back(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    """Everything that bounces did to this person."""
    subscriber = _person(request, subscriber_id, "mailinglist.change_suppression")

    def act(why: str) -> str:
        done = undo.restore_people([subscriber.pk], by=actor(request), why=why)
        if not done.subscribers:
            return "There was nothing to take back: no bounce had ended or suppressed anything."
        return f"{done.subscriptions} subscriptions are back, {done.suppressions} suppressions released."

    return _ask(
        request,
        subscriber,
        act,
        title=f"Take back what bounces did to {subscriber.email}",
        sentences=[
            "Subscriptions that bounces ended come back, and the address is released, here and at SES. Earlier "
            "bounces no longer count.",
        ],
        button="Take back",
    )


def leave_alone(request: HttpRequest, subscriber_id: int, event_id: int) -> HttpResponse:
    """A held bounce never counts."""
    return _rule(
        request,
        subscriber_id,
        event_id,
        Event.Ruling.LEAVE,
        title="Leave this person alone",
        sentence="This bounce never counts against them. Later ones follow the policy again.",
        button="Leave alone",
    )


def let_count(request: HttpRequest, subscriber_id: int, event_id: int) -> HttpResponse:
    """A held bounce takes effect at once."""
    return _rule(
        request,
        subscriber_id,
        event_id,
        Event.Ruling.APPLY,
        title="Believe this bounce now",
        sentence="It takes effect at once: unsubscribed from all lists, and no mail goes to the address.",
        button="Let it count",
        danger=True,
    )


def try_now(request: HttpRequest, subscriber_id: int, delivery_id: int) -> HttpResponse:
    """The retry of a soft bounce, without waiting."""
    subscriber = _person(request, subscriber_id, "mailinglist.change_delivery")
    mails = Delivery.objects.select_related("campaign").filter(subscriber=subscriber)
    row = found(request, mails, delivery_id, "mailinglist.change_delivery")

    def act(why: str) -> str:
        queue.retry_now(row.pk, by=actor(request), why=why)
        retries.run_due()
        return f"{timeline.mail_name(row)} is sent again now, unless something speaks against it: see below."

    return _ask(
        request,
        subscriber,
        act,
        title=f"Try {timeline.mail_name(row)} now",
        sentences=[
            f"The mail to {subscriber.email} bounced softly and waits for its retry. It is sent again now instead; "
            "the number of retries stays the same."
        ],
        button="Try now",
    )


PAGES: dict[str, tuple[Callable[..., HttpResponse], str]] = {
    "take-back/": (take_back, "take_back"),
    "leave-alone/<int:event_id>/": (leave_alone, "leave_alone"),
    "let-count/<int:event_id>/": (let_count, "let_count"),
    "try-now/<int:delivery_id>/": (try_now, "try_now"),
}


def _rule(
    request: HttpRequest,
    subscriber_id: int,
    event_id: int,
    ruling: Event.Ruling,
    *,
    title: str,
    sentence: str,
    button: str,
    danger: bool = False,
) -> HttpResponse:
    subscriber = _person(request, subscriber_id, "mailinglist.change_suppression")
    event = get_object_or_404(Event, pk=event_id, subscriber=subscriber)

    def act(why: str) -> str:
        done = incidents.rule([event.pk], ruling, by=actor(request), why=why)
        return sentence if done else "This bounce had taken effect before; take it back instead."

    return _ask(
        request,
        subscriber,
        act,
        title=title,
        sentences=[f"{subscriber.email}: {event.explanation} {event.effect_text}", sentence],
        button=button,
        danger=danger,
    )


def _ask(
    request: HttpRequest, subscriber: Subscriber, act: Callable[[str], str], **words: Any
) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, act(form.cleaned_data["why"]))
        except queue.CannotResend as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(recipient_url(subscriber.pk))
    return ask(request, form=form, back=recipient_url(subscriber.pk), **words)


def _person(request: HttpRequest, subscriber_id: int, *permissions: str) -> Subscriber:
    require(request, *permissions)
    return found(request, Subscriber, subscriber_id, *CHANGE)
