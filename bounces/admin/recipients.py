"""The page about one person: what they are on, what happened to every mail, why, and what a manager may do.

URL names: ``admin:bounces_recipient`` and, for the acts, ``admin:bounces_recipient_<act>``. A GET of an act
asks, a POST does it.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path

from bounces import timeline
from bounces.admin import recipient_bounces
from mailinglist import access, pauses, subscriptions, suppression
from mailinglist.models import Delivery, Subscriber, Subscription, Suppression
from mailinglist.sending import queue
from mailinglist.staff import (
    ReasonForm,
    actor,
    ask,
    found,
    page,
    recipient_url,
    release_sentences,
    release_warnings,
    require,
)
from mailinglist.whole_numbers import whole_number

VIEW = ("mailinglist.view_subscriber",)
CHANGE = ("mailinglist.view_subscriber", "mailinglist.change_subscriber")
#: What reaches beyond the lists of one manager: the address gets no mail of any list, or of all again.
BLOCK = ("mailinglist.add_suppression", "mailinglist.change_suppression")
#: Pages of the timeline beyond this would read tens of thousands of rows.
MAX_PAGE = 200
#: A person with more mails in doubt than this sees the newest ones.
SHOWN_DELIVERIES = 5
#: Older consents are in the timeline.
SHOWN_CONSENTS = 20


def urls() -> list[URLPattern]:
    """The addresses under /admin/ that belong to this page."""
    pages: dict[str, tuple[Callable[..., HttpResponse], str]] = {
        "": (show, "bounces_recipient"),
        "unsubscribe/": (unsubscribe, "bounces_recipient_unsubscribe"),
        "suppress/": (suppress, "bounces_recipient_suppress"),
        "release/": (release, "bounces_recipient_release"),
        "restore/<int:subscription_id>/": (restore, "bounces_recipient_restore"),
        "resend/<int:delivery_id>/": (resend, "bounces_recipient_resend"),
        **{
            tail: (view, f"bounces_recipient_{name}")
            for tail, (view, name) in recipient_bounces.PAGES.items()
        },
    }
    return [
        path(f"bounces/recipient/<int:subscriber_id>/{tail}", admin.site.admin_view(view), name=name)
        for tail, (view, name) in pages.items()
    ]


def show(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    """Everything about one person, newest first."""
    subscriber = found(request, Subscriber.objects.select_related("health"), subscriber_id, *VIEW)
    user = request.user
    lists = access.lists_for(user, *VIEW)
    number = whole_number(request.GET.get("page"))
    on = _of(lists, subscriber.subscriptions.select_related("list").order_by("list__name"))
    said = _of(lists, subscriber.consents.select_related("list").order_by("-at", "-pk"))[:SHOWN_CONSENTS]
    known = Suppression.objects.filter(key=subscriber.suppression_key).first()
    context = {
        "subscriber": subscriber,
        "subscriptions": list(on),
        "consents": said,
        "may_erase": user.has_perm("mailinglist.delete_subscriber"),
        "may_download": user.has_perm(access.PERSON_FILE),
        "may_block": user.has_perms(BLOCK),
        "suppression": known if known and known.active else None,
        "paused": pauses.is_paused(subscriber),
        "health": getattr(subscriber, "health", None),
        **_open_deliveries(subscriber, lists),
        "story": timeline.page(subscriber.pk, min(number, MAX_PAGE), lists=lists),
        "may_change": access.may(user, "mailinglist.change_subscriber", subscriber),
        "own_choice": subscriptions.OWN_CHOICE,
        **recipient_bounces.context(subscriber, list(on), known, lists),
    }
    return page(request, "admin/bounces/recipient.html", f"What happened to {subscriber.email}", context)


def unsubscribe(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    """End one subscription (?list=ID) or all of them."""
    subscriber = _person(request, subscriber_id)
    wanted = request.GET.get("list", "")
    own = access.lists_for(request.user, "mailinglist.change_subscriber")
    rows = _of(
        own, subscriber.subscriptions.exclude(status=Subscription.Status.UNSUBSCRIBED).select_related("list")
    )
    if wanted:
        rows = rows.filter(list_id=whole_number(wanted))
    names = sorted(row.list.name for row in rows)
    if not names:
        messages.info(request, "There is no subscription left to end.")
        return _back(subscriber)

    def act(why: str) -> str:
        ended = subscriptions.unsubscribe(
            subscriber.pk,
            reason=Subscription.Reason.MANAGER,
            by=actor(request),
            why=why,
            list_ids=[row.list_id for row in rows],
        )
        return f"{ended} {'subscription' if ended == 1 else 'subscriptions'} ended."

    return _ask(
        request,
        subscriber,
        act,
        title=f"Unsubscribe {subscriber.email}",
        sentences=[
            f"From: {', '.join(names)}.",
            "No campaign of these lists goes to this person any more. You can restore this later.",
        ],
        button="Unsubscribe",
        danger=True,
    )


def suppress(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    """Block the address by a manager's decision."""
    subscriber = _person(request, subscriber_id, "mailinglist.add_suppression")

    def act(why: str) -> str:
        changed = suppression.suppress(
            subscriber.pk, reason=Suppression.Reason.MANUAL, by=actor(request), why=why
        )
        return "Suppressed: no mail goes to this address." if changed else "It was suppressed already."

    return _ask(
        request,
        subscriber,
        act,
        title=f"Suppress {subscriber.email}",
        sentences=[
            "No mail of any list goes to this address until somebody releases it.",
            "The subscriptions stay as they are.",
        ],
        button="Suppress",
        danger=True,
    )


def release(request: HttpRequest, subscriber_id: int) -> HttpResponse:
    """Lift the suppression of the address."""
    subscriber = _person(request, subscriber_id, "mailinglist.change_suppression")
    row = _suppression(subscriber)
    if row is None:
        messages.info(request, "This address is not suppressed.")
        return _back(subscriber)

    def act(why: str) -> str:
        suppression.release(row.pk, by=actor(request), why=why)
        return "Released: mail may go to this address again."

    return _ask(
        request,
        subscriber,
        act,
        title=f"Release {subscriber.email}",
        sentences=release_sentences(row),
        warnings=release_warnings(row),
        button="Release",
    )


def restore(request: HttpRequest, subscriber_id: int, subscription_id: int) -> HttpResponse:
    """Bring back a subscription that the person did not end themselves."""
    subscriber = _person(request, subscriber_id)
    own = access.lists_for(request.user, "mailinglist.change_subscriber")
    rows = _of(own, Subscription.objects.select_related("list"))
    row = get_object_or_404(rows, pk=subscription_id, subscriber=subscriber)

    def act(why: str) -> str:
        subscriptions.restore(row.pk, by=actor(request), why=why)
        back = f"The subscription to {row.list} is back."
        return (
            f"{back} The address is still suppressed: release it too, or no mail will go out."
            if still
            else back
        )

    still = (
        ["The address is suppressed: release it too, or no mail will go out."]
        if _suppression(subscriber)
        else []
    )
    return _ask(
        request,
        subscriber,
        act,
        title=f"Restore the subscription to {row.list}",
        sentences=[
            f"{subscriber.email} gets campaigns of {row.list} again. Earlier bounces no longer count.",
            f"It ended because of: {row.get_unsubscribe_reason_display()}.",
        ],
        warnings=still,
        button="Restore",
    )


def resend(request: HttpRequest, subscriber_id: int, delivery_id: int) -> HttpResponse:
    """Send a mail again whose outcome nobody knows."""
    subscriber = _person(request, subscriber_id, "mailinglist.change_delivery")
    mails = Delivery.objects.select_related("campaign").filter(subscriber=subscriber)
    row = found(request, mails, delivery_id, "mailinglist.change_delivery")
    if request.method == "POST":
        try:
            queue.resend(row.pk, by=actor(request))
            messages.success(request, f"{timeline.mail_name(row)} will be sent again.")
        except queue.CannotResend as refusal:
            messages.error(request, str(refusal))
        return _back(subscriber)
    return ask(
        request,
        title=f"Send {timeline.mail_name(row)} again",
        sentences=[f"To {subscriber.email}. The mail is “{row.get_state_display()}”."],
        warnings=["If the earlier mail arrived after all, this person gets it twice."],
        button="Send again",
        back=recipient_url(subscriber.pk),
    )


def _ask(request: HttpRequest, subscriber: Subscriber, act: Any, **words: Any) -> HttpResponse:
    """Ask for the reason; with one, act and go back to the person."""
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, act(form.cleaned_data["why"]))
        except subscriptions.CannotRestore as refusal:
            messages.error(request, str(refusal))
        return _back(subscriber)
    return ask(request, form=form, back=recipient_url(subscriber.pk), **words)


def _person(request: HttpRequest, subscriber_id: int, *permissions: str) -> Subscriber:
    require(request, *permissions)
    return found(request, Subscriber, subscriber_id, *CHANGE)


def _back(subscriber: Subscriber) -> HttpResponseRedirect:
    return HttpResponseRedirect(recipient_url(subscriber.pk))


def _suppression(subscriber: Subscriber) -> Suppression | None:
    return Suppression.objects.filter(key=subscriber.suppression_key, released_at__isnull=True).first()


def _of(lists: access.Lists | None, rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows if lists is None else rows.filter(list_id__in=lists)


def _open_deliveries(subscriber: Subscriber, lists: access.Lists | None) -> dict[str, list[Delivery]]:
    """The newest that wait for a retry, the next one first, and the newest in doubt."""
    states = (Delivery.State.WAITING, Delivery.State.UNKNOWN)
    rows = _of(lists, Delivery.objects.filter(subscriber=subscriber, state__in=states))
    rows = rows.select_related("campaign")
    waiting: list[Delivery] = []
    unknown: list[Delivery] = []
    for row in rows.order_by("-pk")[: 10 * SHOWN_DELIVERIES]:
        (waiting if row.state == Delivery.State.WAITING else unknown).append(row)
    waiting.sort(key=lambda row: (row.next_attempt_at is None, row.next_attempt_at))
    return {"waiting": waiting[:SHOWN_DELIVERIES], "unknown": unknown[:SHOWN_DELIVERIES]}
