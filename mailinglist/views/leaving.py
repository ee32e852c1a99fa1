"""Leaving a list, by the mail program's button or on the page, telling why, and the way back for a day."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from mailinglist import farewell, subscriptions
from mailinglist.forms import FarewellForm
from mailinglist.models import MailingList, Subscriber, Subscription
from mailinglist.views.pages import active, masked, person, show, token_page


@token_page("unsubscribe")
def unsubscribe(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    """Leaving: by the mail program's button (RFC 8058, answered at once) or by the buttons of the page."""
    if request.method == "POST":
        if request.POST.get("List-Unsubscribe", "").lower() == "one-click":
            return _leave(request, subscriber, mailing_list, Subscription.Reason.ONE_CLICK)
        if "rejoin" in request.POST:
            return _rejoin(request, subscriber, mailing_list)
        if "tell" in request.POST:
            return _tell(request, subscriber, mailing_list)
        if "confirm" in request.POST:
            return _leave(request, subscriber, mailing_list, Subscription.Reason.PAGE)
    return _ask(request, subscriber, mailing_list)


def _ask(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    present = active(subscriber)
    return show(
        request,
        "unsubscribe",
        list=mailing_list,
        address=masked(subscriber.email),
        subscribed=any(found.list_id == mailing_list.pk for found in present),
        others=[found.list for found in present if found.list_id != mailing_list.pk],
        to_rejoin=_to_rejoin(subscriber, mailing_list),
    )


def _leave(
    request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList, reason: Subscription.Reason
) -> HttpResponse:
    everywhere = reason == Subscription.Reason.PAGE and request.POST.get("scope") == "all"
    subscriptions.unsubscribe(
        subscriber.pk,
        reason=reason,
        by=person(request, page="unsubscribe"),
        why=f"Left by {reason.label}.",
        list_ids=None if everywhere else [mailing_list.pk],
    )
    return _done(request, subscriber, mailing_list, everywhere=everywhere, form=FarewellForm())


def _tell(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    """Why they left, for the lists that they left just now."""
    everywhere = request.POST.get("scope") == "all"
    form: FarewellForm | None = FarewellForm(request.POST)
    left = _just_left(subscriber, None if everywhere else mailing_list)
    if not left:  # they have come back meanwhile, or never left
        return _ask(request, subscriber, mailing_list)
    if form and form.is_valid():
        given = form.cleaned_data
        if given["because"] or given["words"]:
            farewell.tell(subscriber, left, by=person(request, page="unsubscribe"), **given)
        form = None
    return _done(request, subscriber, mailing_list, everywhere=everywhere, form=form)


def _done(
    request: HttpRequest,
    subscriber: Subscriber,
    mailing_list: MailingList,
    *,
    everywhere: bool,
    form: FarewellForm | None,
) -> HttpResponse:
    """It is done; why (``form``; None: they told); and the way back."""
    left = _just_left(subscriber, None if everywhere else mailing_list)
    return show(
        request,
        "unsubscribed",
        list=mailing_list,
        everywhere=everywhere,
        may_tell=bool(left),
        form=form,
        to_rejoin=_to_rejoin(subscriber, None if everywhere else mailing_list),
    )


def _rejoin(request: HttpRequest, subscriber: Subscriber, mailing_list: MailingList) -> HttpResponse:
    wanted = list(MailingList.objects.filter(slug__in=request.POST.getlist("rejoin")))
    subscriptions.rejoin(subscriber, [found.pk for found in wanted], by=person(request, page="unsubscribe"))
    present = {found.list_id for found in active(subscriber)}
    back = [found for found in wanted if found.pk in present]
    return show(request, "rejoined" if back else "too_late", list=mailing_list, lists=back)


def _just_left(subscriber: Subscriber, mailing_list: MailingList | None) -> list[int]:
    """The ids of the lists that the person ended in REJOIN_WINDOW: ``mailing_list``, or (None) all of the last act."""
    rows = Subscription.objects.filter(
        subscriber=subscriber,
        status=Subscription.Status.UNSUBSCRIBED,
        unsubscribe_reason__in=[Subscription.Reason.PAGE, Subscription.Reason.ONE_CLICK],
        unsubscribed_at__gt=timezone.now() - subscriptions.REJOIN_WINDOW,
    ).order_by("-unsubscribed_at")
    if mailing_list is not None:
        rows = rows.filter(list=mailing_list)
    found = list(rows)
    return [row.list_id for row in found if row.unsubscribed_at == found[0].unsubscribed_at]


def _to_rejoin(subscriber: Subscriber, mailing_list: MailingList | None) -> list[MailingList]:
    """The lists to offer a way back to: ``mailing_list``, or (None) all that the person's last act ended."""
    rows = list(
        subscriptions.rejoinable(subscriber).select_related("list").order_by("-unsubscribed_at", "list")
    )
    if mailing_list is not None:
        return [row.list for row in rows if row.list_id == mailing_list.pk]
    return [row.list for row in rows if row.unsubscribed_at == rows[0].unsubscribed_at]
